"""Removes what no row of a run needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reward_synth.errors import UsageError
from reward_synth.store.inspection import inspect_run
from reward_synth.store.lock import RunLock
from reward_synth.store.troubles import folder_error


@dataclass(frozen=True, slots=True)
class Garbage:
    """Files that nothing needs."""

    files: tuple[Path, ...]
    size: int
    """In bytes."""
    removed: bool


def collect_garbage(folder: Path, *, remove: bool = False) -> Garbage:
    """Find, and if asked remove, blobs without a row and half-written files.

    Raises:
        RunConflictError: Another process works on the run.
        UsageError: The run is damaged: what is needed cannot be told.

    Example:
        >>> import tempfile
        >>> from reward_synth.store import RunStore
        >>> folder = Path(tempfile.mkdtemp())
        >>> RunStore.open(folder, {}).close()
        >>> part = folder / ".part-report.md"
        >>> _ = part.write_text("# Rep")
        >>> collect_garbage(folder).size, part.exists()
        (5, True)
        >>> collect_garbage(folder, remove=True).removed, part.exists()
        (True, False)
    """
    lock = RunLock(folder)
    try:
        found = inspect_run(folder)
        if not found.ok:
            raise UsageError(
                f"{folder} is damaged, so nothing is removed: "
                f"{found.troubles[0].text} Repair it first: reward_synth runs repair "
                f"{folder}"
            )
        files = tuple(item.path for item in found.troubles if item.path is not None)
        size = sum(path.stat().st_size for path in files)
        for path in files if remove else ():
            path.unlink()
        return Garbage(files, size, remove)
    except OSError as cause:
        raise folder_error(folder, cause) from cause
    finally:
        lock.release()
