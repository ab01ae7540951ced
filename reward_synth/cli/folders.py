"""Where a run is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.store import RunStore, latest_unfinished, new_run_folder
from reward_synth.store.run import is_run

ROOT = "runs"


@contextmanager
def run_folder(run: str | None, name: str, *, resume: bool) -> Iterator[Path]:
    """Give the block the folder of this run.

    A folder that was made for a call that cannot be served is removed again.

    Args:
        run: What ``--run`` gave.
        name: Begins the name of a new folder.
        resume: Take the newest unfinished run, if there is one of this name.

    Raises:
        UsageError: Both were given, or there is no unfinished run.
    """
    if run is not None and resume:
        raise UsageError("Give --run DIR or --resume, not both.")
    if run is not None:
        if not run.strip():
            raise UsageError("--run is empty. Give a folder, or leave it out.")
        yield Path(run)
        return
    if resume:
        found = latest_unfinished(ROOT, name)
        if found is None:
            raise UsageError(f"There is no unfinished run in {ROOT}/.")
        yield found
        return
    folder = new_run_folder(ROOT, name)
    try:
        yield folder
    except (UsageError, NotAvailableError):
        if not _paid_for(folder):
            shutil.rmtree(folder)
        raise


def _paid_for(folder: Path) -> bool:
    """Return whether the run asked a model itself; such answers are never removed."""
    if not is_run(folder):
        return False
    with RunStore.read(folder) as store:
        replayed = store.config.get("model", {}).get("replay") is not None
        return not replayed and any(store.calls.requests())
