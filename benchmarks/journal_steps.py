"""Counts the steps by which a run's folder changes, and kills or fails at one of them.

A step is one write, sync, truncation, removal or opening by SQLite, one file that Python
opens for writing, syncs, renames, removes or makes room for, and one folder that is made.
SQLite's are reached through its own table of file operations, so that a step lies
*inside* a commit; nothing is changed on the machine, and nothing but this process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Action = Literal["count", "kill", "torn", "once", "always"]
"""``kill`` before the step, ``torn``: in the middle of a write. ``once``: the step fails;
``always``: it and all after it do."""
_FULL = 13
_IOERR_WRITE = 10 | (3 << 8)
_IOERR_FSYNC = 10 | (4 << 8)
_IOERR_TRUNCATE = 10 | (6 << 8)
_IOERR_DELETE = 10 | (10 << 8)
_CANTOPEN = 14
_STANDARD = frozenset({0, 1, 2})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens at which step."""

    folder: Path
    """Only what lies below it is counted."""
    action: Action = "count"
    step: int = 0
    """From 1."""
    error: int = errno.ENOSPC
    log: int | None = None
    """A descriptor to which every step's name is written."""


class Steps:
    """Counts steps of this process and acts at one."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.root = str(plan.folder.resolve())
        self.count = 0
        self._lock = threading.Lock()

    def step(
        self, kind: str, path: str, tear: Callable[[], None] | None = None
    ) -> bool:
        """Count a step; True if it is to fail."""
        if not path.startswith(self.root):
            return False
        with self._lock:
            self.count += 1
            number = self.count
        if self.plan.log is not None:
            os.write(self.plan.log, f"{kind} {os.path.basename(path)}\n".encode())
        action = self.plan.action
        if action in {"kill", "torn"} and number == self.plan.step:
            if action == "torn" and tear is not None:
                tear()
            os.kill(os.getpid(), signal.SIGKILL)
        failing = action == "once" and number == self.plan.step
        return failing or (action == "always" and number >= self.plan.step)

    def install(self) -> None:
        """Watch SQLite, and Python's file operations, from now on."""
        _watch_sqlite(self)
        _watch_python(self)


def _watch_python(steps: Steps) -> None:
    def refuse(path: str) -> None:
        raise OSError(steps.plan.error, os.strerror(steps.plan.error), path)

    def on_path(kind: str, name: str) -> None:
        real: Callable[..., Any] = getattr(os, name)

        def watched(path: Any, *more: Any, **named: Any) -> Any:
            full = os.path.abspath(os.fspath(path))
            if steps.step(kind, full):
                refuse(full)
            return real(path, *more, **named)

        setattr(os, name, watched)

    def on_number(kind: str, name: str) -> None:
        real: Callable[..., Any] = getattr(os, name)

        def watched(number: int, *more: Any) -> Any:
            full = os.readlink(f"/proc/self/fd/{number}")
            if steps.step(kind, full):
                refuse(full)
            return real(number, *more)

        setattr(os, name, watched)

    for kind, name in (("rename", "replace"), ("rename", "rename"), ("mkdir", "mkdir")):
        on_path(kind, name)
    for kind, name in (("remove", "unlink"), ("remove", "remove")):
        on_path(kind, name)
    for kind in ("fsync", "posix_fallocate", "ftruncate"):
        on_number(kind, kind)
    _watch_writes(steps, refuse)
    _watch_opens(steps, refuse)


def _watch_writes(steps: Steps, refuse: Callable[[str], None]) -> None:
    real = os.write

    def watched(number: int, data: Any) -> int:
        if number in _STANDARD or number == steps.plan.log:
            return real(number, data)
        full = os.readlink(f"/proc/self/fd/{number}")
        half = memoryview(data)[: len(data) // 2]
        if steps.step("write", full, lambda: _ignore(real(number, half))):
            refuse(full)
        return real(number, data)

    os.write = watched


def _watch_opens(steps: Steps, refuse: Callable[[str], None]) -> None:
    def hook(event: str, found: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(found[0], (str, bytes, os.PathLike)):
            return
        path, mode, flags = found
        writing = mode is not None and set(mode) & set("wax+")
        if not writing and not (isinstance(flags, int) and flags & _WRITING):
            return
        full = os.path.abspath(os.fsdecode(path))
        if steps.step("open", full):
            refuse(full)

    sys.addaudithook(hook)


class _File(ctypes.Structure):
    _fields_ = (("methods", ctypes.c_void_p),)


_P, _I, _L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_OPEN = ctypes.CFUNCTYPE(_I, _P, _P, ctypes.POINTER(_File), _I, _P)
_DELETE = ctypes.CFUNCTYPE(_I, _P, _P, _I)
_WRITE = ctypes.CFUNCTYPE(_I, _P, _P, _I, _L)
_TRUNCATE = ctypes.CFUNCTYPE(_I, _P, _L)
_SYNC = ctypes.CFUNCTYPE(_I, _P, _I)


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``, version 3; what is not used here has no type."""

    _fields_ = (
        ("version", _I),
        ("close", _P),
        ("read", _P),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("others", _P * 13),
    )


class _Vfs(ctypes.Structure):
    """The begin of ``sqlite3_vfs``."""

    _fields_ = (
        ("version", _I),
        ("size", _I),
        ("longest", _I),
        ("next", _P),
        ("name", ctypes.c_char_p),
        ("data", _P),
        ("open", _OPEN),
        ("delete", _DELETE),
    )


_KEPT: list[Any] = []
"""C calls these; Python must not free them."""


def _watch_sqlite(steps: Steps) -> None:
    library = ctypes.CDLL(sys.modules["_sqlite3"].__file__)  # finds libsqlite3 too
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    vfs = library.sqlite3_vfs_find(None).contents
    opened, deleted = _OPEN(_address(vfs, "open")), _DELETE(_address(vfs, "delete"))

    # SQLite keeps the address of the name, so it must get the very same one.
    def open_(this: Any, name: int | None, file: Any, flags: int, out: Any) -> int:
        path = _path(name)
        if steps.step("sqlite-open", path):
            file.contents.methods = None
            return _CANTOPEN
        code: int = opened(this, name, file, flags, out)
        if code == 0 and file.contents.methods:
            file.contents.methods = _methods(steps, path, file.contents.methods)
        return code

    def delete(this: Any, name: int | None, sync: int) -> int:
        if steps.step("sqlite-remove", _path(name)):
            return _IOERR_DELETE
        return int(deleted(this, name, sync))

    vfs.open, vfs.delete = _OPEN(open_), _DELETE(delete)
    _KEPT.extend([vfs.open, vfs.delete, opened, deleted, open_, delete])


def _path(name: int | None) -> str:
    return os.fsdecode(ctypes.string_at(name)) if name else ""


def _address(owner: ctypes.Structure, name: str) -> int:
    field = getattr(type(owner), name)
    return ctypes.c_void_p.from_buffer(owner, field.offset).value or 0


def _methods(steps: Steps, path: str, address: int) -> int:
    """Return the address of a file's operations with ours in between."""
    real = _Methods.from_address(address)
    ours = _Methods.from_buffer_copy(real)
    write, truncate, sync = real.write, real.truncate, real.sync

    def on_write(file: int, data: int, size: int, offset: int) -> int:
        def tear() -> None:
            write(file, data, size // 2, offset)

        if steps.step("sqlite-write", path, tear):
            return _FULL if steps.plan.error == errno.ENOSPC else _IOERR_WRITE
        return int(write(file, data, size, offset))

    def on_truncate(file: int, size: int) -> int:
        if steps.step("sqlite-truncate", path):
            return _IOERR_TRUNCATE
        return int(truncate(file, size))

    def on_sync(file: int, flags: int) -> int:
        if steps.step("sqlite-sync", path):
            return _IOERR_FSYNC
        return int(sync(file, flags))

    ours.write, ours.truncate, ours.sync = (
        _WRITE(on_write),
        _TRUNCATE(on_truncate),
        _SYNC(on_sync),
    )
    _KEPT.extend([ours, real, write, truncate, sync, on_write, on_truncate, on_sync])
    _KEPT.extend([ours.write, ours.truncate, ours.sync])
    return ctypes.addressof(ours)


def _ignore(_: object) -> None:
    """Drop a result."""


def watched_sqlite() -> str:
    """Return the version of the SQLite library that is watched."""
    return sqlite3.sqlite_version
