"""One line about each run of a folder, readable or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reward_synth.errors import RewardSynthError, RunConflictError
from reward_synth.store.database import Database
from reward_synth.store.lock import holder
from reward_synth.store.run import (
    FILE,
    REPAIRING,
    RunStore,
    is_begun,
    is_run,
    require_no_repair,
)

RunState = Literal["finished", "unfinished", "in use", "empty", "damaged", "newer"]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What is known of a run without going through its rows."""

    folder: Path
    state: RunState
    """``empty``: stopped before it began. ``newer``: a later version wrote it."""
    task: str = ""
    """The environment as it was named, or what is compared."""
    created: float | None = None
    """When it was started, in seconds since the epoch."""
    answers: int = 0
    programs: int = 0
    trainings: int = 0
    size: int = 0
    """Of the whole folder, in bytes."""
    process: int | None = None
    """Who works on it."""


def summarise_runs(root: str | Path = "runs") -> Iterator[RunSummary]:
    """Yield every run directly below ``root``, by name; nothing is refused.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> RunStore.open(root / "a", {"env": {"env": "CartPole-v1"}}).close()
        >>> [(item.folder.name, item.state, item.task) for item in summarise_runs(root)]
        [('a', 'unfinished', 'CartPole-v1')]
    """
    folders = sorted(Path(root).iterdir()) if Path(root).is_dir() else []
    for folder in folders:
        if is_run(folder):
            yield summarise_run(folder)


def summarise_run(folder: Path) -> RunSummary:
    """Return what is known of one run."""
    try:
        if not _begun(folder):
            return RunSummary(folder, "empty", size=_size(folder))
        with RunStore.read(folder) as store:
            return _summary(store)
    except RunConflictError:
        state: RunState = "damaged" if (folder / REPAIRING).exists() else "newer"
        return RunSummary(folder, state, size=_size(folder))
    except RewardSynthError:
        return RunSummary(folder, "damaged", size=_size(folder))


def _begun(folder: Path) -> bool:
    require_no_repair(folder)
    database = Database.read(folder / FILE)
    try:
        return is_begun(database)
    finally:
        database.close()


def _summary(store: RunStore) -> RunSummary:
    process = holder(store.folder)
    state: RunState = "finished" if store.finished else "unfinished"
    return RunSummary(
        store.folder,
        "in use" if process is not None else state,
        _task(store.config),
        store.created,
        sum(1 for _ in store.calls.completions()),
        sum(1 for _ in store.programs),
        sum(1 for _ in store.trials()),
        _size(store.folder),
        process,
    )


def _task(config: dict[str, object]) -> str:
    env = config.get("env")
    if isinstance(env, dict):
        return str(env.get("env", ""))
    return str(env or config.get("suite") or config.get("verb") or "")


def _size(folder: Path) -> int:
    return sum(item.lstat().st_size for item in folder.rglob("*") if item.is_file())
