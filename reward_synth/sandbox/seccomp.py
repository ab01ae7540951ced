"""Seccomp: an allow-list of the system calls that arithmetic needs.

Everything else (files, sockets, processes, signals, ``ptrace``, ``io_uring``,
``bpf``, ``mount``, ``memfd_create``, whatever a later kernel adds) fails with
``EPERM``.  A list of what is allowed is shorter than one of what is not, and it
does not age.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import NamedTuple

from reward_synth.sandbox.wire import LIVE

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENT_2 = 0, 4, 32
_PROT_EXEC = 4


class _Machine(NamedTuple):
    """What the filter must know of a processor architecture."""

    audit_arch: int
    calls: dict[str, int]


# ``read`` takes the job in, ``write`` sends the answer; no file can be opened
# for them.  The rest is memory, locks, clocks, and the end of the process.
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        {
            "read": 0, "write": 1, "munmap": 11, "brk": 12, "rt_sigreturn": 15,
            "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39,
            "exit": 60, "gettimeofday": 96, "gettid": 186, "time": 201,
            "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
            "clock_getres": 229, "exit_group": 231, "getrandom": 318,
            "mmap": 9, "mprotect": 10,
        },
    ),
    "aarch64": _Machine(
        0xC00000B7,
        {
            "read": 63, "write": 64, "exit": 93, "exit_group": 94, "futex": 98,
            "clock_gettime": 113, "clock_getres": 114, "sched_yield": 124,
            "restart_syscall": 128, "rt_sigreturn": 139, "gettimeofday": 169,
            "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215,
            "mremap": 216, "madvise": 233, "getrandom": 278,
            "mmap": 222, "mprotect": 226,
        },
    ),
}  # fmt: skip
_NO_EXEC = ("mmap", "mprotect")
"""Their third argument is the protection: new machine code is refused."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def build(machine: str) -> bytes:
    """Return the filter for an architecture, eight bytes an instruction.

    A 32-bit or x32 call on x86_64 has another architecture or another number, so
    the list does not cover it: the first kills the process, the second fails.

    Raises:
        KeyError: There is no list for the architecture.

    Example:
        >>> len(build("x86_64")) % 8
        0
    """
    arch, calls = _MACHINES[machine]
    parts = [
        _instruction(_LOAD, _AT_ARCH),
        _instruction(_EQUAL, arch, yes=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _AT_NUMBER),
    ]
    for name, number in calls.items():
        parts += _unless_exec(number) if name in _NO_EXEC else _allow(number)
    parts.append(_instruction(_RETURN, _REFUSE))
    return b"".join(parts)


def _allow(number: int) -> list[bytes]:
    return [_instruction(_EQUAL, number, no=1), _instruction(_RETURN, _ALLOW)]


def _unless_exec(number: int) -> list[bytes]:
    return [
        _instruction(_EQUAL, number, no=4),
        _instruction(_LOAD, _AT_ARGUMENT_2),
        _instruction(_ANY_BIT, _PROT_EXEC, no=1),
        _instruction(_RETURN, _REFUSE),
        _instruction(_RETURN, _ALLOW),
    ]


def install(libc: ctypes.CDLL) -> str:
    """Filter this thread for good; return ``live`` or why not.

    Needs ``no_new_privs``.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        return f"no list of system calls for {machine}"
    if sys.maxsize < 1 << 32:
        return "needs a 64-bit interpreter"
    code = build(machine)
    program = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        return f"the kernel refused: {os.strerror(ctypes.get_errno())}"
    return _probe()


def _probe() -> str:
    try:
        os.kill(os.getpid(), 0)
    except PermissionError:
        return LIVE
    return "the kernel accepted the filter but does not apply it"
