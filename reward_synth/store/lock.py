"""One process a run: a lock that the system frees when the process ends."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from reward_synth.errors import RunConflictError
from reward_synth.store.troubles import folder_error

FILE = "lock"


class RunLock:
    """Holds ``folder/lock`` until it is released or the process ends.

    Raises:
        RunConflictError: If another process, or this one, holds it already.
        UsageError: If the file cannot be written.
        TryAgainError: If the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._file: int | None = None
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n{_birth(os.getpid())}\n".encode(), 0)
        except BlockingIOError as cause:
            self.forget()
            raise RunConflictError(
                f"{folder} is in use by process {holder(folder) or 'unknown'}. "
                "Wait until it ends, or give another folder."
            ) from cause
        except OSError as cause:
            self.forget()
            raise folder_error(self.path, cause) from cause
        _held.add(self)

    def release(self) -> None:
        """Free the lock; a second call does nothing."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
        self.forget()

    def forget(self) -> None:
        """Close this process's copy of a lock that another one goes on holding."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def holder(folder: Path) -> int | None:
    """Return the process that works in a run's folder; None if there is none.

    Example:
        >>> holder(Path("missing")) is None
        True
    """
    try:
        number, birth = _read(folder / FILE)
        if birth and _birth(number) not in {"", birth}:
            return None  # another process has got the number since
        os.kill(number, 0)
    except PermissionError:  # another user's
        return number
    except (OSError, ValueError):
        return None  # no lock, a freed one, or one that a killed process left
    return number


def _read(path: Path) -> tuple[int, str]:
    number, *birth = path.read_text("ascii").split()
    return int(number), birth[0] if birth else ""


def _birth(number: int) -> str:
    """Return when a process began, in ticks since the machine did; empty: not known."""
    try:
        text = Path(f"/proc/{number}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    # A forked worker shares the lock; were it to outlive us, it would keep the run
    # locked. Closing its copy leaves ours in force.
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_in_child)
