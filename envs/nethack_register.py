"""Importing this module registers NetHack's tasks, ours and MiniHack's included."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.resources import files
from types import ModuleType
from typing import Any

import gymnasium as gym

from reward_synth.envs.nethack_tasks import ONI

_ABANDONED = "pkg_resources"
_CROSSINGS = ("MiniGrid-LavaCrossingS19N13-v0", "MiniGrid-LavaCrossingS19N17-v0")
"""MiniHack's own ids."""


def import_minihack() -> None:
    """Import MiniHack, whose last release needs a package that setuptools dropped.

    MiniHack 1.0.2 asks ``pkg_resources`` for paths of its files and for nothing else, so
    a stand-in with that one function takes its place during the import.
    """
    if "minihack" in sys.modules:
        return
    before = sys.modules.get(_ABANDONED)
    stand_in = ModuleType(_ABANDONED)
    stand_in.__dict__["resource_filename"] = resource_filename
    sys.modules[_ABANDONED] = stand_in
    try:
        importlib.import_module("minihack")
    finally:
        del sys.modules[_ABANDONED]
        if before is not None:
            sys.modules[_ABANDONED] = before


def resource_filename(package: str, name: str) -> str:
    """Return the path of a package's file.

    Example:
        >>> resource_filename("reward_synth", "py.typed").endswith("py.typed")
        True
    """
    return str(files(package) / name)


def crossing(size: int, num_crossings: int, **_: Any) -> gym.Env[Any, Any]:
    """Make the grid that LavaCrossing is drawn from.

    MiniHack gives it a width and a height as well, which MiniGrid 2 and later refuse.
    """
    made: gym.Env[Any, Any] = importlib.import_module("minigrid.envs").CrossingEnv(
        size=size, num_crossings=num_crossings
    )
    return made


def _register() -> None:
    for task, kind in ONI.items():
        if task not in gym.registry:
            gym.register(
                task, "reward_synth.envs.nethack:make_oni", kwargs={"kind": kind}
            )
    importlib.import_module("nle")
    if importlib.util.find_spec("minihack") is not None:
        import_minihack()
        for name in _CROSSINGS:
            gym.registry[name].entry_point = f"{__name__}:crossing"


_register()
