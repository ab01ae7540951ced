"""The worker's protections, in the order in which they must be put on."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import TypeAlias

from reward_synth.sandbox import landlock, seccomp
from reward_synth.sandbox.wire import ENVIRONMENT, LIVE

LAYERS = (
    "environment",
    "descriptors",
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
OPTIONAL_LAYERS = ("namespaces",)
"""Layers that are had where the system grants them; ``strict`` does without."""
Step: TypeAlias = Callable[[], str | dict[str, str]]
"""Puts on one layer, or one that has several names; returns ``live`` or why not."""

SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER``: what a child leaves behind becomes a child of ours."""
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64
"""More than any kernel has; dropping an unknown one fails without harm."""


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


_CapabilitySets = ctypes.c_uint32 * 6
"""Effective, permitted and inheritable, in two halves."""


def lock(
    *, parent: int, memory_bytes: int, cpu_seconds: int, pipes: tuple[int, int]
) -> dict[str, str]:
    """Put on every layer that can be had; return layer to ``live`` or why not.

    Args:
        parent: Process whose death ends this one.
        memory_bytes: Limit of the address space.
        cpu_seconds: Processor time from here on.
        pipes: The only descriptors that may be open beside 0, 1 and 2.
    """
    if sys.platform != "linux":
        found = dict.fromkeys(LAYERS, f"needs Linux; this is {sys.platform}")
        found["environment"] = _scrubbed()
        found["rlimits"] = _limit(memory_bytes, cpu_seconds)
        return found
    chosen = {
        "environment": _scrubbed,
        "descriptors": lambda: _only(pipes),
        **steps(parent, memory_bytes, cpu_seconds),
    }
    found = dict.fromkeys(LAYERS, "not reached")
    for name, step in chosen.items():
        result = _attempt(step)
        found.update(result if isinstance(result, dict) else {name: result})
    return found


def steps(parent: int, memory_bytes: int, cpu_seconds: int) -> dict[str, Step]:
    """Return what puts on each layer of the kernel's, in the order that works.

    Leaving some out is for measuring what each of them holds alone.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return {
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


def prctl(option: int, value: int) -> str:
    """Set a property of this process; return ``live`` or why not."""
    if sys.platform != "linux":
        return f"needs Linux; this is {sys.platform}"
    return _prctl(ctypes.CDLL(None, use_errno=True), option, value)


def _scrubbed() -> str:
    left = sorted(set(os.environ) - {"LANG", "LC_CTYPE", *ENVIRONMENT})
    return f"the environment holds {', '.join(left)}" if left else LIVE


def _only(pipes: tuple[int, int]) -> str:
    """Look at what is open; the look itself opens one descriptor, now closed."""
    found = {int(name) for name in os.listdir("/proc/self/fd")}
    alive = {number for number in found if _is_open(number)}
    left = sorted(alive - {0, 1, 2, *pipes})
    return f"descriptors {left} are open" if left else LIVE


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _attempt(step: Step) -> str | dict[str, str]:
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
