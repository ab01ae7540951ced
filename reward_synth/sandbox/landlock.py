"""Landlock: the kernel refuses this process every file and every TCP connection.

Raw system calls, for there is no wrapper in libc or in the standard library.
See ``Documentation/userspace-api/landlock.rst`` in the Linux source.
"""

from __future__ import annotations

import ctypes
import os

from reward_synth.sandbox.wire import LIVE

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION_FLAG = 1
# Rights over files grow with the version of the interface (ABI): 13 at first,
# then REFER (2), TRUNCATE (3) and IOCTL_DEV (5).  Handling a right that the
# kernel does not know fails, so the mask follows the version.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_SINCE, _TCP_BIND_AND_CONNECT = 4, 0b11
_SCOPE_SINCE, _ABSTRACT_SOCKETS_AND_SIGNALS = 6, 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_files", ctypes.c_uint64),
        ("handled_network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def abi(libc: ctypes.CDLL) -> int:
    """Return the version of Landlock, 0 where there is none."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    return max(int(version), 0)


def deny_everything(libc: ctypes.CDLL) -> dict[str, str]:
    """Restrict this thread for good, and say what that covers.

    A ruleset without rules allows nothing of what it handles.  Descriptors that
    are open stay usable.  Needs ``no_new_privs``.

    Raises:
        OSError: The kernel refused.
    """
    version = abi(libc)
    if version == 0:
        return dict.fromkeys(
            ("landlock_files", "landlock_network", "landlock_scope"),
            "the kernel has no Landlock, or it is switched off",
        )
    _restrict(libc, _ruleset_for(version))
    return {
        "landlock_files": _probe_files(),
        "landlock_network": _since(version, _NETWORK_SINCE),
        "landlock_scope": _since(version, _SCOPE_SINCE),
    }


def _ruleset_for(version: int) -> _Ruleset:
    bits = _FILE_BITS[min(version, max(_FILE_BITS))]
    return _Ruleset(
        (1 << bits) - 1,
        _TCP_BIND_AND_CONNECT if version >= _NETWORK_SINCE else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPE_SINCE else 0,
    )


def _restrict(libc: ctypes.CDLL, ruleset: _Ruleset) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    descriptor = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset failed")
    try:
        if libc.syscall(_RESTRICT_SELF, descriptor, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self failed")
    finally:
        os.close(descriptor)


def _since(version: int, needed: int) -> str:
    if version >= needed:
        return LIVE
    return f"needs Landlock ABI {needed}; the kernel has {version}"


def _probe_files() -> str:
    try:
        os.listdir("/")
    except PermissionError:
        return LIVE
    return "the kernel accepted the ruleset but / can still be read"
