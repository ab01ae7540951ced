"""Room on the disk that is kept for answers which are paid for already."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from reward_synth.errors import TryAgainError
from reward_synth.store.troubles import folder_error

FILE = "reserve"
SIZE = 512 * 1024
"""Bytes: several long answers, and what SQLite writes along."""
_NONE_HERE = frozenset({errno.EFBIG, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
"""The file system cannot reserve room, or a limit of the file size is lower."""


class Reserve:
    """A file that is given up when the disk is full.

    A request is only sent while the reserve stands, so that its answer finds room.

    Args:
        folder: The run's folder.
        size: In bytes.

    Example:
        >>> import tempfile
        >>> reserve = Reserve(Path(tempfile.mkdtemp()), 1000)
        >>> reserve.hold()
        >>> reserve.give_up(), reserve.give_up()
        (True, False)
    """

    def __init__(self, folder: Path, size: int = SIZE) -> None:
        self.path = folder / FILE
        self.size = size
        self._held = False
        self._given_up = False
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Take the room, unless it is held.

        Raises:
            TryAgainError: If there is none, or it was given up.
        """
        with self._lock:
            if self._given_up:
                raise TryAgainError(
                    f"Cannot write {self.path.parent}: the disk is full. Everything "
                    "recorded before is kept. Free some space and run the same "
                    "command again."
                )
            if not self._held:
                self._take()
                self._held = True

    def give_up(self) -> bool:
        """Free the room; True if it was held."""
        with self._lock:
            freed, self._held, self._given_up = self._held, False, True
            self.path.unlink(missing_ok=True)
            return freed

    def close(self) -> None:
        """Remove the file: nothing more is asked."""
        with self._lock:
            if self._held:
                self.path.unlink(missing_ok=True)
            self._held = False

    def _take(self) -> None:
        try:
            _allocate(self.path, self.size)
        except OSError as cause:
            self.path.unlink(missing_ok=True)
            if cause.errno not in _NONE_HERE:
                raise folder_error(self.path, cause) from cause


def _allocate(path: Path, size: int) -> None:
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.fstat(number).st_size < size:
            os.posix_fallocate(number, 0, size)
    finally:
        os.close(number)
