"""The worker's protections, in the order in which they must be put on."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from collections.abc import Callable

from reward_synth.sandbox import landlock, seccomp
from reward_synth.sandbox.wire import LIVE

LAYERS = (
    "single_thread",
    "capabilities",
    "parent_death",
    "not_dumpable",
    "no_new_privs",
    "landlock_files",
    "landlock_network",
    "landlock_scope",
    "rlimits",
    "seccomp",
)
"""Names of the layers.  Landlock and seccomp bind a thread, so there is but one."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64
"""More than any kernel has; dropping an unknown one fails without harm."""


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


_CapabilitySets = ctypes.c_uint32 * 6
"""Effective, permitted and inheritable, in two halves."""


def lock(*, parent: int, memory_bytes: int, cpu_seconds: int) -> dict[str, str]:
    """Put on every layer that can be had; return layer to ``live`` or why not.

    Args:
        parent: Process whose death ends this one.
        memory_bytes: Limit of the address space.
        cpu_seconds: Processor time from here on.
    """
    if sys.platform != "linux":
        found = dict.fromkeys(LAYERS, f"needs Linux; this is {sys.platform}")
        found["rlimits"] = _limit(memory_bytes, cpu_seconds)
        return found
    libc = ctypes.CDLL(None, use_errno=True)
    steps: dict[str, Callable[[], str | dict[str, str]]] = {
        "single_thread": _one_thread,
        "capabilities": lambda: _drop_capabilities(libc),
        "parent_death": lambda: _die_with(libc, parent),
        "not_dumpable": lambda: _prctl(libc, _PR_SET_DUMPABLE, 0),
        "no_new_privs": lambda: _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1),
        "landlock_files": lambda: landlock.deny_everything(libc),
        # After Landlock, which needs a descriptor: no more can be had from here.
        "rlimits": lambda: _limit(memory_bytes, cpu_seconds),
        "seccomp": lambda: seccomp.install(libc),
    }
    found = dict.fromkeys(LAYERS, "not reached")
    for name, step in steps.items():
        result = _attempt(step)
        found.update(result if isinstance(result, dict) else {name: result})
    return found


def _attempt(step: Callable[[], str | dict[str, str]]) -> str | dict[str, str]:
    try:
        return step()
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> str:
    if libc.prctl(option, value, 0, 0, 0) != 0:
        return os.strerror(ctypes.get_errno())
    return LIVE


def _one_thread() -> str:
    threads = len(os.listdir("/proc/self/task"))
    return LIVE if threads == 1 else f"the process has {threads} threads"


def _drop_capabilities(libc: ctypes.CDLL) -> str:
    """Empty all sets; a root process is then refused what file modes refuse."""
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for number in range(_CAPABILITIES):
        libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref(_CapabilitySets())) != 0:
        return os.strerror(ctypes.get_errno())
    left = _CapabilitySets()
    libc.capget(ctypes.byref(header), ctypes.byref(left))
    return "some capabilities are left" if any(left) else LIVE


def _die_with(libc: ctypes.CDLL, parent: int) -> str:
    """Ask for SIGKILL when the parent dies, and make sure that it has not yet."""
    result = _prctl(libc, _PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)
    return result


def _limit(memory_bytes: int, cpu_seconds: int) -> str:
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = math.ceil(used.ru_utime + used.ru_stime) + cpu_seconds
    # At the soft limit SIGXCPU ends the worker, which tells time from a crash.
    limits = {
        resource.RLIMIT_AS: (memory_bytes, memory_bytes),
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_NOFILE: (0, 0),
    }
    for number, pair in limits.items():
        resource.setrlimit(number, pair)
    return LIVE
