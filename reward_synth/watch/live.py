"""A run that may be going on: read again when its files have changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from reward_synth.errors import RewardSynthError
from reward_synth.report.data import RunData
from reward_synth.report.runs import PLAN, read_run
from reward_synth.store.lock import FILE as LOCK
from reward_synth.store.lock import holder
from reward_synth.store.run import FILE as STORE
from reward_synth.watch.pages import Page, run_page, trouble_page
from reward_synth.watch.row import Row, row_of

_FILES = (STORE, f"{STORE}-wal", PLAN, LOCK, "task.json", "reward.py")

Stamp = tuple[object, ...]


class LiveRun:
    """One run; may be asked by several threads at once.

    Args:
        name: Its id.
        folder: Where it lies; it may vanish.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._lock = threading.Lock()
        self._stamp: Stamp = ()
        self._row = Row(name, trouble=f"{folder} was not read yet.")
        self._page = trouble_page(name, self._row.trouble)

    def row(self) -> Row:
        """Return the run's line in the list."""
        with self._lock:
            self._read()
            return self._row

    def page(self) -> Page:
        """Return the run's page; the same object as long as the run says the same."""
        with self._lock:
            run = self._read()
            if not self._shown and run is None:
                run = self._read(again=True)
            if not self._shown and run is not None:
                self._render(run)
            return self._page

    @property
    def _shown(self) -> bool:
        """Whether the page tells what was read last."""
        return bool(self._row.digest) and self._page.digest == self._row.digest

    def _read(self, *, again: bool = False) -> RunData | None:
        """Read the run if its files changed; None if they did not or cannot be read."""
        stamp = _stamp(self.folder)
        if stamp == self._stamp and self._row.digest and not again:
            return None
        self._stamp = stamp
        try:
            run = read_run(self.folder)
            self._row = row_of(self.name, run)
        except Exception as error:  # a run that is being written may be in any state
            self._fail(error)
            return None
        return run

    def _render(self, run: RunData) -> None:
        try:
            self._page = run_page(run, self._row.digest)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._row = Row(self.name, trouble=_sentence(self.folder, error))
        self._page = trouble_page(self.name, self._row.trouble)


def _stamp(folder: Path) -> Stamp:
    """Return what changes when the run's files do, or the process that works on it ends.

    Example:
        >>> _stamp(Path("missing"))[:2]
        (None, None)
    """
    writer = holder(folder)
    files = [folder / name for name in _FILES]
    if writer is not None:
        files += _of_trials(folder / "trials")
    return (writer, *map(_file_stamp, files))


def _of_trials(folder: Path) -> Iterator[Path]:
    """Yield the files that running trainings write."""
    try:
        yield from sorted(folder.glob("*/*"))
    except OSError:
        return  # a folder went while it was listed


def _file_stamp(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    if not found.st_size:  # SQLite makes an empty log for whoever reads
        return None
    return path.name, found.st_ino, found.st_size, found.st_mtime_ns


def _sentence(folder: Path, error: Exception) -> str:
    r"""Return one line that says what cannot be read, and why.

    Example:
        >>> _sentence(Path("a"), ValueError("no\n JSON"))
        'a cannot be read now (ValueError: no JSON).'
    """
    said = " ".join(str(error).split())
    if isinstance(error, RewardSynthError):
        return said
    return f"{folder} cannot be read now ({type(error).__name__}: {said})."
