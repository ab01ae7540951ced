"""What the file system or SQLite says, as errors of ours that name the cure."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from reward_synth.errors import RewardSynthError, TryAgainError, UsageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FAILING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT})
"""A disk or a share that does not work now."""
_PASSING = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_READONLY",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_CANTOPEN",
)
_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT")


def is_full(cause: OSError) -> bool:
    """Return whether there is no room left, so that trying again makes sense."""
    return cause.errno in _FULL


def is_passing(cause: OSError) -> bool:
    """Return whether the disk is full or fails, so that trying again makes sense."""
    return is_full(cause) or cause.errno in _FAILING


def folder_error(path: Path, cause: OSError) -> RewardSynthError:
    """Return the error for a folder or file that cannot be made or written.

    Example:
        >>> import errno
        >>> print(folder_error(Path("runs/a"), OSError(errno.ENOSPC, "No space")))
        Cannot write runs/a: No space. Free some space and run the same command again.
    """
    said = cause.strerror or str(cause)
    if is_full(cause):
        return TryAgainError(
            f"Cannot write {path}: {said}. "
            "Free some space and run the same command again."
        )
    if is_passing(cause):
        return TryAgainError(
            f"Cannot write {path}: {said}. Everything recorded before is kept. "
            "Look after the disk and run the same command again."
        )
    return UsageError(
        f"Cannot write {path}: {said}. "
        "Give a folder that you may write to, for example --run runs/mine."
    )


def sqlite_error(path: Path, cause: sqlite3.Error) -> RewardSynthError:
    """Return the error for what SQLite reports about the file at ``path``."""
    name = getattr(cause, "sqlite_errorname", "")
    if name.startswith(_PASSING):
        return TryAgainError(
            f"Cannot write {path}: {cause} ({name}). Everything recorded before is "
            "kept. Free some space, or make the file writable, and run the same "
            "command again."
        )
    if name.startswith(_BROKEN):
        return UsageError(
            f"{path} is no run file, or it is damaged: {cause} ({name}). "
            f"`reward_synth runs repair {path.parent}` saves what can be read."
        )
    return RewardSynthError(f"{path}: {cause} ({name or type(cause).__name__}).")
