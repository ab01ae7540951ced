"""Opens files that an untrusted process may have put in its folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def open_plain(path: str | Path, folder: int | None = None) -> BinaryIO:
    """Open a plain file for reading: no link is followed, and no pipe waited for.

    Args:
        path: The file.
        folder: Descriptor of the folder that ``path`` is in; None: the current one.

    Raises:
        FileNotFoundError: There is nothing.
        OSError: It is no plain file.

    Example:
        >>> open_plain(os.devnull)
        Traceback (most recent call last):
        ...
        OSError: [Errno 22] no plain file: '/dev/null'
    """
    descriptor = os.open(path, _FLAGS, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return open(descriptor, "rb")
