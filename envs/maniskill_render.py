"""ManiSkill with and without a renderer: detect, and run physics alone if there is none.

SAPIEN, ManiSkill's engine, loads the look of every object even where nothing is drawn,
and stops without a Vulkan device. :func:`load_simulator` leaves the looks out then;
physics stays bit-identical.
"""

# ruff: noqa: PLC0415 - SAPIEN is imported only when used

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from reward_synth.envs.maniskill_opencv import opencv_optional
from reward_synth.errors import MissingExtraError, NotAvailableError

PHYSICS_ONLY = "REWARD_SYNTH_PHYSICS_ONLY"
"""Environment variable: ``1`` runs without frames even where a renderer is usable."""
_ADVICE = (
    "install a Vulkan driver with descriptor indexing, for example Mesa 23 or newer "
    "(mesa-vulkan-drivers)"
)
_FOUND = "RENDERER "
_PROBE = f"""
import os, sys, warnings
warnings.simplefilter("ignore")
import sapien
sapien.render.RenderMaterial()
sys.stdout.write({_FOUND!r} + sapien.render.get_device_summary().splitlines()[0].strip())
sys.stdout.flush()
os._exit(0)
"""
_PROBE_SECONDS = 60.0
_LOADER_WARNINGS = ".*(libvulkan|Vulkan ICD|glvnd ICD).*"
_LOGGERS = ("mani_skill", "mani_skill ")
"""In ManiSkill 3.0.1 the name ends in a blank."""
_VISUALS = (
    "add_plane_visual",
    "add_box_visual",
    "add_capsule_visual",
    "add_cylinder_visual",
    "add_sphere_visual",
    "add_visual_from_file",
)
_RENDER_CLASSES = ("RenderMaterial", "RenderTexture2D")


@dataclass(frozen=True, slots=True)
class Rendering:
    """Whether frames can be drawn on this machine."""

    usable: bool
    why: str
    """What was found: the device, or what SAPIEN said."""
    advice: str = ""
    """What to do to get frames; empty if ``usable``."""

    def __str__(self) -> str:
        """Return one line for people.

        Example:
            >>> str(Rendering(False, "no device", "install a driver"))
            'physics only, no frames: no device; to get frames install a driver'
        """
        if self.usable:
            return f"physics and frames: {self.why}"
        return f"physics only, no frames: {self.why}; to get frames {self.advice}"


def rendering() -> Rendering:
    """Return whether frames can be drawn; asks SAPIEN once, in a child process."""
    if os.environ.get(PHYSICS_ONLY, "") not in ("", "0"):
        return Rendering(False, f"{PHYSICS_ONLY} is set", f"unset {PHYSICS_ONLY}")
    found = _probe()
    if found.usable and _looks_left_out():
        why = "this process began without frames"
        return Rendering(False, why, "start a new one")
    return found


def _looks_left_out() -> bool:
    module = sys.modules.get("sapien.render")
    return getattr(module, _RENDER_CLASSES[0], None) is _NoLooks


@lru_cache(maxsize=1)
def _probe() -> Rendering:
    try:  # in a child: a broken driver may abort the process
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"the render probe did not answer in {_PROBE_SECONDS:g} s"
        return Rendering(False, why, _ADVICE)
    if done.returncode == 0 and _FOUND in done.stdout:
        return Rendering(True, done.stdout.split(_FOUND, 1)[1].strip())
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    why = lines[-1] if lines else f"the render probe ended with {done.returncode}"
    return Rendering(False, why.removeprefix("RuntimeError: "), _ADVICE)


def load_simulator(state: Rendering) -> Any:
    """Import ManiSkill quietly and return its table of tasks.

    Args:
        state: Where it is not usable, all looks are left out from now on, in this whole
            process.

    Raises:
        MissingExtraError: ManiSkill is not installed.
        NotAvailableError: It is, but lacks a library of the system.
    """
    with _quiet(), opencv_optional():
        try:
            import_module("mani_skill.envs")  # registers its tasks
            registration = import_module("mani_skill.utils.registration")
        except ModuleNotFoundError as cause:
            raise MissingExtraError(cause.name or "mani_skill", "maniskill") from cause
        except ImportError as cause:
            msg = f"ManiSkill cannot be loaded: {cause}; install the package of your system that has this library"
            raise NotAvailableError(msg) from cause
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    if not state.usable:
        leave_looks_out()
    return registration.REGISTERED_ENVS


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_LOADER_WARNINGS)
        yield


class _NoLooks:
    """Stands in for a material or a texture: any argument, any method."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


def _skip(builder: Any, *_: Any, **__: Any) -> Any:
    return builder


def leave_looks_out() -> Callable[[], None]:
    """Make SAPIEN's builders ignore everything visual; return what undoes it.

    Environments that exist already keep their looks. While it is in force, only
    ``render_backend="none"`` works.
    """
    import sapien.wrapper.actor_builder as actors

    undo: list[tuple[Any, str, Any]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        old = vars(owner).get(name)
        if old is not None and old is not value:
            undo.append((owner, name, old))
            setattr(owner, name, value)

    for name in _VISUALS:
        put(actors.ActorBuilder, name, _skip)
    for owner in _holders_of_render_classes():
        for name in _RENDER_CLASSES:
            put(owner, name, _NoLooks)
    return lambda: _restore(undo)


def _holders_of_render_classes() -> list[Any]:
    """Return every module that bound a render class when it was imported."""
    import sapien.render
    import sapien.wrapper.urdf_loader as loader

    importers = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(("mani_skill", "sapien.wrapper")) and module is not None
    ]
    return [sapien.render, sapien.pysapien.render, loader, *importers]


def _restore(undo: list[tuple[Any, str, Any]]) -> None:
    for owner, name, old in reversed(undo):
        setattr(owner, name, old)
