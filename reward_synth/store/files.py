"""Files that are there whole or not at all, also after a kill or a power cut."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reward_synth.store.troubles import folder_error

PART = ".part-"
"""Begins the names of files that are being written."""
_NO_FOLDERS = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
"""Said by file systems on which folders cannot be synced."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the block a name to write to; when it ends, the file gets its own name.

    Written, synced, renamed, and the folder synced: a kill at any moment leaves the
    old file or the new one, and at most a half-written ``.part-`` file beside it.

    Raises:
        TryAgainError: If the disk is full or fails.
        UsageError: If the folder cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "report.md"
        >>> with whole_file(path) as part:
        ...     _ = part.write_text("# Report")
        >>> path.read_text(), [item.name for item in path.parent.iterdir()]
        ('# Report', ['report.md'])
    """
    part = path.with_name(f"{PART}{path.name}")
    try:
        yield part
        _publish(part, path)
    except OSError as cause:
        _remove(part)
        raise folder_error(path, cause) from cause
    except BaseException:
        _remove(part)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`whole_file` does."""
    with whole_file(path) as part, open(part, "wb", buffering=0) as file:
        _write_all(file.fileno(), data)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut, where the system lets us."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except PermissionError:  # we may pass through it, and not read it
        return
    try:
        os.fsync(number)
    except OSError as cause:
        if cause.errno not in _NO_FOLDERS:
            raise
    finally:
        os.close(number)


def _publish(part: Path, path: Path) -> None:
    number = os.open(part, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
    os.replace(part, path)
    sync_folder(path.parent)


def _write_all(number: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(number, left) :]


def _remove(part: Path) -> None:
    with suppress(OSError):  # what is left over is found by `runs gc`
        part.unlink(missing_ok=True)
