"""Seccomp for a training: the system calls that learning on a CPU needs, and no others.

An allow-list, as in :mod:`~reward_synth.sandbox.seccomp`, but one under which PyTorch,
MuJoCo, numba and TensorBoard work: it opens and writes files (Landlock says which), maps
machine code, and starts threads.  What is not on it fails with ``EPERM``: sockets,
programs, processes, signals, ``ptrace``, ``io_uring``, ``bpf``, ``mount``, links, owners,
modes and extended attributes of files, keyrings, and whatever a later kernel adds.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

from reward_synth.sandbox.wire import LIVE

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_ERRNO = 0x00050000
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENT_0 = 0, 4, 16
_CLONE_THREAD = 0x10000
_PR_NAMES = (15, 16, 0x53564D41)
"""Set and get a thread's name, and name memory: all that ``prctl`` is left to do."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name x86_64 aarch64; "-" where the architecture has no such call
_TABLE = """
read 0 63; write 1 64; open 2 -; close 3 57; stat 4 -; fstat 5 80; lstat 6 -; poll 7 -;
lseek 8 62; mmap 9 222; mprotect 10 226; munmap 11 215; brk 12 214; rt_sigaction 13 134;
rt_sigprocmask 14 135; rt_sigreturn 15 139; ioctl 16 29; pread64 17 67; pwrite64 18 68;
readv 19 65; writev 20 66; access 21 -; pipe 22 -; select 23 -; sched_yield 24 124;
mremap 25 216; msync 26 227; mincore 27 232; madvise 28 233; dup 32 23; dup2 33 -;
nanosleep 35 101; getpid 39 172; sendfile 40 71; exit 60 93; uname 63 160; fcntl 72 25;
flock 73 32; fsync 74 82; fdatasync 75 83; truncate 76 45; ftruncate 77 46; getdents 78 -;
getcwd 79 17; chdir 80 49; fchdir 81 50; rename 82 -; mkdir 83 -; rmdir 84 -; creat 85 -;
unlink 87 -; readlink 89 -; gettimeofday 96 169; getrlimit 97 163; getrusage 98 165;
sysinfo 99 179; times 100 153; getuid 102 174; getgid 104 176; geteuid 107 175;
getegid 108 177; getppid 110 173; sigaltstack 131 132; statfs 137 43; fstatfs 138 44;
sched_getparam 143 121; sched_getscheduler 145 120; sched_get_priority_max 146 125;
sched_get_priority_min 147 126; mlock 149 228; munlock 150 229; arch_prctl 158 -;
gettid 186 178; time 201 -; futex 202 98; sched_getaffinity 204 123; getdents64 217 61;
set_tid_address 218 96; restart_syscall 219 128; fadvise64 221 223;
clock_gettime 228 113; clock_getres 229 114; clock_nanosleep 230 115; exit_group 231 94;
epoll_wait 232 -; epoll_ctl 233 21; mbind 237 235; set_mempolicy 238 237;
get_mempolicy 239 236; openat 257 56; mkdirat 258 34; newfstatat 262 79; unlinkat 263 35;
renameat 264 38; readlinkat 267 78; faccessat 269 48; pselect6 270 72; ppoll 271 73;
set_robust_list 273 99; get_robust_list 274 100; epoll_pwait 281 22; fallocate 285 47;
eventfd2 290 19; epoll_create1 291 20; dup3 292 24; pipe2 293 59; preadv 295 69;
pwritev 296 70; getcpu 309 168; renameat2 316 276; getrandom 318 278;
memfd_create 319 279; membarrier 324 283; copy_file_range 326 285; statx 332 291;
rseq 334 293; close_range 436 436; faccessat2 439 439; epoll_pwait2 441 441
"""
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
"""Its flags lie in memory, where a filter cannot look; glibc falls back to ``clone``."""
_PRCTL = {"x86_64": 157, "aarch64": 167}
_PRLIMIT = {"x86_64": 302, "aarch64": 261}


def allowed(machine: str) -> dict[str, int]:
    """Return the calls that are allowed whatever their arguments, by name.

    Example:
        >>> "openat" in allowed("x86_64"), "connect" in allowed("x86_64")
        (True, False)
    """
    column = 1 + list(_AUDIT_ARCH).index(machine)
    rows = [entry.split() for entry in _TABLE.split(";")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def build(machine: str) -> bytes:
    """Return the filter for an architecture, eight bytes an instruction.

    Raises:
        KeyError: There is no list for the architecture.

    Example:
        >>> len(build("aarch64")) % 8
        0
    """
    parts = [
        _instruction(_LOAD, _AT_ARCH),
        _instruction(_EQUAL, _AUDIT_ARCH[machine], yes=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _AT_NUMBER),
    ]
    for number in allowed(machine).values():
        parts += [_instruction(_EQUAL, number, no=1), _instruction(_RETURN, _ALLOW)]
    parts += _if_argument(_CLONE[machine], _ANY_BIT, (_CLONE_THREAD,))
    parts += _if_argument(_PRCTL[machine], _EQUAL, _PR_NAMES)
    parts += _if_argument(_PRLIMIT[machine], _EQUAL, (0,))  # of this process alone
    refusal = _instruction(_RETURN, _ERRNO | errno.ENOSYS)
    parts += [_instruction(_EQUAL, _CLONE3, no=1), refusal]
    parts.append(_instruction(_RETURN, _ERRNO | errno.EPERM))
    return b"".join(parts)


def _if_argument(number: int, test: int, values: tuple[int, ...]) -> list[bytes]:
    """Allow a call whose first argument passes a test with one of ``values``."""
    checks = [
        part
        for value in values
        for part in (_instruction(test, value, no=1), _instruction(_RETURN, _ALLOW))
    ]
    refusal = _instruction(_RETURN, _ERRNO | errno.EPERM)
    return [
        _instruction(_EQUAL, number, no=len(checks) + 2),
        _instruction(_LOAD, _AT_ARGUMENT_0),
        *checks,
        refusal,
    ]


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def install(libc: ctypes.CDLL) -> str:
    """Filter this thread, and those that it starts, for good; ``live`` or why not.

    Needs ``no_new_privs``.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        return f"no list of system calls for {machine}"
    if sys.maxsize < 1 << 32:
        return "needs a 64-bit interpreter"
    code = build(machine)
    program = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        return f"the kernel refused: {os.strerror(ctypes.get_errno())}"
    try:
        os.kill(os.getpid(), 0)
    except PermissionError:
        return LIVE
    return "the kernel accepted the filter but does not apply it"
