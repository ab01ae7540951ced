"""Landlock for a training: it writes its own folder, and reads what learning needs.

Beside :func:`reward_synth.sandbox.landlock.deny_everything`, which allows nothing, this
adds rules: a folder, and what may be done beneath it.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reward_synth.sandbox import landlock
from reward_synth.sandbox.wire import LIVE

_ADD_RULE, _RULE_PATH_BENEATH = 445, 1
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_TRUNCATE_SINCE, _IOCTL_SINCE = 3, 5
_READ = _READ_FILE | _READ_DIR
# No links, sockets, pipes or device nodes, and nothing is moved in or out.
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
"""Rights that a rule for a single file may give."""


@dataclass(frozen=True, slots=True)
class Paths:
    """What a training may touch; paths that do not exist are left out."""

    write: tuple[Path, ...]
    """Its own folders."""
    read: tuple[Path, ...] = ()
    """Folders and files."""
    devices: tuple[Path, ...] = ()
    """Device files, or folders of them: read, written and asked by ``ioctl``."""


def rights(version: int) -> tuple[int, int, int]:
    """Return the rights to write, to read, and over devices.

    Args:
        version: Of the kernel's Landlock interface; older ones know fewer rights.

    Example:
        >>> write, read, device = rights(7)
        >>> write & read == read, bool(device & _IOCTL_DEV), bool(write & _IOCTL_DEV)
        (True, True, False)
    """
    truncate = _TRUNCATE if version >= _TRUNCATE_SINCE else 0
    ioctl = _IOCTL_DEV if version >= _IOCTL_SINCE else 0
    return _WRITE | truncate, _READ, _READ | _WRITE_FILE | ioctl


def restrict(libc: ctypes.CDLL, paths: Paths) -> dict[str, str]:
    """Restrict this thread, and those that it starts; return layer to ``live`` or why not.

    Needs ``no_new_privs``.

    Raises:
        OSError: The kernel refused.
    """
    version = landlock.abi(libc)
    if version == 0:
        return landlock.deny_everything(libc)  # says that there is none
    write, read, device = rights(version)
    ruleset = landlock._ruleset_for(version)
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    descriptor = libc.syscall(landlock._CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset failed")
    try:
        for chosen, allowed in (
            (paths.write, write), (paths.read, read), (paths.devices, device)
        ):  # fmt: skip
            _allow(libc, descriptor, chosen, allowed)
        if libc.syscall(landlock._RESTRICT_SELF, descriptor, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self failed")
    finally:
        os.close(descriptor)
    since = landlock._since
    return {
        "landlock_files": _probe(),
        "landlock_network": since(version, landlock._NETWORK_SINCE),
        "landlock_scope": since(version, landlock._SCOPE_SINCE),
    }


def _allow(
    libc: ctypes.CDLL, ruleset: int, paths: Iterable[Path], allowed: int
) -> None:
    for path in paths:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # not there
        try:
            folder = stat.S_ISDIR(os.fstat(opened).st_mode)
            given = allowed if folder else allowed & _OF_FILES
            rule = struct.pack("=Qi", given, opened)  # packed in the kernel, too
            if libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0) != 0:
                raise OSError(
                    ctypes.get_errno(), f"landlock_add_rule failed for {path}"
                )
        finally:
            os.close(opened)


def _probe() -> str:
    """``/`` itself is never allowed."""
    try:
        os.listdir("/")
    except PermissionError:
        return LIVE
    return "the kernel accepted the ruleset but / can still be read"
