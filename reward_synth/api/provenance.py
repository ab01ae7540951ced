"""What made a run: the command, the versions, the machine."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reward_synth.store import RunStore

_PACKAGES = (
    "reward-synth",
    "gymnasium",
    "stable-baselines3",
    "torch",
    "numpy",
    "numba",
    "mujoco",
    "mani_skill",
    "metaworld",
    "gymnasium-robotics",
)


def record_start(store: RunStore) -> None:
    """Keep what started a run; a run that goes on keeps its first start."""
    kept = {item.kind for item in store.events()}  # a kill may have left a part
    facts: dict[str, Callable[[], str]] = {
        "command": command_line,
        "versions": lambda: json.dumps(versions()),
        "machine": lambda: json.dumps(machine()),
    }
    for kind, tell in facts.items():
        if kind not in kept:
            store.record_event(kind, tell())


def command_line() -> str:
    """Return the command that runs, as it can be typed again.

    Example:
        >>> bool(command_line())
        True
    """
    program = Path(sys.argv[0])
    if program.name in ("reward_synth", "__main__.py"):
        return shlex.join(["reward_synth", *sys.argv[1:]])
    return shlex.join(["python", program.name, *sys.argv[1:]])


def versions() -> dict[str, str]:
    """Return the versions that figures depend on.

    Example:
        >>> "python" in versions()
        True
    """
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Return what is known of this machine, without its name.

    Example:
        >>> sorted(machine())
        ['cores', 'processor', 'system']
    """
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    match = re.search(r"model name\s*:\s*(.+)", text)
    return match[1] if match else platform.processor()
