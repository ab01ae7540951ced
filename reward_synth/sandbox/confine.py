"""Confines a process that trains with generated code, before that code enters it.

The same layers as a worker's (:mod:`~reward_synth.sandbox.lockdown`), opened as far as
learning needs: it may start threads, map machine code, read libraries and assets, and
write one folder.  No network, no other program or process, no signals.

What it does not stop: reading what is allowed to be read, filling the disk through its
own folder (one file has a limit, the folder has none), and using the processor.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reward_synth.sandbox import confine_calls, confine_files, lockdown
from reward_synth.sandbox.confine_files import Paths
from reward_synth.sandbox.wire import LIVE

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_DESCRIPTORS = 512


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a confined process may use."""

    paths: Paths
    file_bytes: int = 1 << 30
    """Largest file that it may write."""
    memory_bytes: int | None = None
    """Limit of the address space; None: none, for drivers that map a GPU's memory."""
    opened: Mapping[str, str] = field(default_factory=dict)
    """Layers that are weaker than they could be, and why; told with the result."""


def confine(allowance: Allowance, *, parent: int) -> dict[str, str]:
    """Put on every layer that can be had, for good.

    Args:
        allowance: What stays possible.
        parent: Process whose death ends this one.

    Returns:
        Layer to ``live``, or to why it is not.
    """
    if sys.platform != "linux":
        reason = f"needs Linux; this is {sys.platform}"
        return {
            **dict.fromkeys(lockdown.LAYERS, reason),
            "rlimits": _limit(allowance),
            **allowance.opened,
        }
    libc = ctypes.CDLL(None, use_errno=True)
    steps: dict[str, Callable[[], str | dict[str, str]]] = {
        "single_thread": lockdown._one_thread,  # the next ones bind a thread
        "capabilities": lambda: lockdown._drop_capabilities(libc),
        "parent_death": lambda: lockdown._die_with(libc, parent),
        "not_dumpable": lambda: lockdown._prctl(libc, _PR_SET_DUMPABLE, 0),
        "no_new_privs": lambda: lockdown._prctl(libc, _PR_SET_NO_NEW_PRIVS, 1),
        "landlock_files": lambda: confine_files.restrict(libc, allowance.paths),
        "rlimits": lambda: _limit(allowance),
        "seccomp": lambda: confine_calls.install(libc),
    }
    found: dict[str, str] = {}
    for name, step in steps.items():
        result = lockdown._attempt(step)
        if isinstance(result, dict):
            found.update(result)
        else:
            found[name] = result
    return {**found, **_weaker(found, allowance.opened)}


def _weaker(found: Mapping[str, str], opened: Mapping[str, str]) -> dict[str, str]:
    """Return what was opened, of layers that are there at all."""
    return {name: why for name, why in opened.items() if found.get(name, LIVE) == LIVE}


def _limit(allowance: Allowance) -> str:
    unlimited = resource.RLIM_INFINITY
    memory = allowance.memory_bytes
    limits = {
        resource.RLIMIT_AS: unlimited if memory is None else memory,
        resource.RLIMIT_FSIZE: allowance.file_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
    }
    for number, wanted in limits.items():
        _, hard = resource.getrlimit(number)
        value = wanted if hard == unlimited else min(wanted, hard)
        value = hard if wanted == unlimited else value
        resource.setrlimit(number, (value, value))
    return LIVE


def physical_memory() -> int:
    """Return the machine's memory in bytes.

    Example:
        >>> physical_memory() > 1 << 28
        True
    """
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def libraries() -> tuple[Path, ...]:
    """Return what Python programs read: the interpreter, packages, and the system's files.

    Folders of modules that are loaded count, too: an editable install is not on
    ``sys.path``.
    """
    loaded = [
        getattr(module, "__file__", None) for module in tuple(sys.modules.values())
    ]
    named = [
        sys.prefix,
        sys.base_prefix,
        *(entry or os.getcwd() for entry in sys.path),
        *(os.path.dirname(path) for path in loaded if path),
        *_SYSTEM,
    ]
    return outermost(Path(name).resolve() for name in named if name)


_SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/opt",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/passwd", "/etc/nsswitch.conf",
    "/etc/mime.types", "/etc/fonts", "/etc/os-release",
    "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/self",
    "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/cap_last_cap",
    "/sys/devices/system", "/sys/fs/cgroup",
    "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip
"""Read by libraries everywhere; nothing here is secret, for passwords are elsewhere."""


def outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the paths that lie in no other one, in order.

    Example:
        >>> [str(p) for p in outermost(map(Path, ("/a/b", "/a", "/a/c/d", "/ab")))]
        ['/a', '/ab']
    """
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return tuple(kept)


def missing_layers(layers: Mapping[str, str]) -> str:
    """Return the layers that are not live, each with the reason.

    Example:
        >>> missing_layers({"seccomp": "live", "landlock_files": "no Landlock"})
        'landlock_files (no Landlock)'
    """
    return "; ".join(f"{name} ({why})" for name, why in layers.items() if why != LIVE)
