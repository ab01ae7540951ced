"""With and without a renderer, and without noise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.envs.maniskill_render import (
    PHYSICS_ONLY,
    Rendering,
    rendering,
)

_PLAY = """
from reward_synth.envs.maniskill import make
from reward_synth.errors import NotAvailableError
env = make("PullCube-v1")
env.reset(seed=0)
env.step(env.action_space.sample())
env.close()
try:
    make("PullCube-v1", render_mode="rgb_array")
except NotAvailableError as problem:
    raise SystemExit(str(problem))
"""
_IMPORT = """
import sys
import reward_synth.envs.maniskill
heavy = {"mani_skill", "sapien", "torch", "mplib", "toppra", "scipy"} & set(sys.modules)
raise SystemExit(sorted(heavy) or None)
"""
_UNDO = """
import warnings
warnings.simplefilter("ignore")
import sapien.render
from sapien.wrapper.actor_builder import ActorBuilder
from reward_synth.envs.maniskill_render import leave_looks_out
before = sapien.render.RenderMaterial, ActorBuilder.add_box_visual
undo = leave_looks_out()
builder = ActorBuilder()
material = sapien.render.RenderMaterial(base_color=[1, 0, 0, 1])
assert material.set_roughness(0.5) is None
assert builder.add_box_visual(half_size=[1, 1, 1], material=material) is builder
assert builder.visual_records == []
undo()
assert before == (sapien.render.RenderMaterial, ActorBuilder.add_box_visual)
"""


_OPENCV = """
from importlib import import_module
from reward_synth.envs.maniskill import make
env = make("PullCube-v1")
env.reset(seed=0)
try:
    twins = import_module("mani_skill.envs.tasks.digital_twins.base_env")
    twins.cv2.imread("picture.png")
except ImportError as problem:
    print(problem)
try:
    import cv2
except ImportError as problem:
    print(problem)
"""
_UNLOADABLE = "raise ImportError('libGL.so.1: cannot open shared object file')"
_LOAD = """
from reward_synth.errors import NotAvailableError
from reward_synth.envs.maniskill_render import Rendering, load_simulator
try:
    load_simulator(Rendering(False, "", ""))
except NotAvailableError as problem:
    raise SystemExit(str(problem))
"""


def _run(code: str, first_on_path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {PHYSICS_ONLY: "1", "PYTHONPATH": first_on_path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_is_light() -> None:
    """Importing the family loads neither the simulator nor torch."""
    assert _run(_IMPORT).stderr == ""


@pytest.mark.maniskill
def test_physics_only_is_silent_and_says_how_to_get_frames() -> None:
    """Forced to physics alone, an episode prints nothing; asking for frames says why
    there are none and what helps."""
    pytest.importorskip("mani_skill")
    done = _run(_PLAY)
    assert done.stdout == ""
    assert done.stderr.strip() == (
        "ManiSkill/PullCube-v1 cannot be made with render_mode 'rgb_array': physics "
        f"only, no frames: {PHYSICS_ONLY} is set; to get frames unset {PHYSICS_ONLY}."
    )


@pytest.mark.maniskill
def test_probe_names_a_device_or_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is either usable, or comes with advice; it is looked up once."""
    pytest.importorskip("sapien")
    monkeypatch.delenv(PHYSICS_ONLY, raising=False)
    found = rendering()
    assert found.why
    assert found.usable == (found.advice == "")
    assert rendering() == found


def test_line_for_people_says_which_is_in_use() -> None:
    """One line says whether there are frames."""
    assert str(Rendering(True, "GPU: llvmpipe")) == "physics and frames: GPU: llvmpipe"
    assert str(Rendering(False, "no device", "do this")) == (
        "physics only, no frames: no device; to get frames do this"
    )


@pytest.mark.maniskill
def test_leaving_looks_out_can_be_undone() -> None:
    """Builders and materials do nothing for a while, and are SAPIEN's own afterwards."""
    pytest.importorskip("sapien")
    done = _run(_UNDO)
    assert done.returncode == 0, done.stderr


@pytest.mark.maniskill
def test_runs_where_opencv_lacks_a_system_library(tmp_path: Path) -> None:
    """ManiSkill runs where OpenCV cannot be loaded; what needs OpenCV says what helps,
    and other packages still find it missing."""
    pytest.importorskip("mani_skill")
    (tmp_path / "cv2.py").write_text(_UNLOADABLE)
    done = _run(_OPENCV, str(tmp_path))
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "cv2.imread is needed, but OpenCV cannot be loaded: libGL.so.1: cannot open "
        "shared object file; install libgl1 (Debian, Ubuntu) or pip install "
        "opencv-python-headless",
        "libGL.so.1: cannot open shared object file",
    ]


@pytest.mark.maniskill
def test_says_which_system_library_the_simulator_lacks(tmp_path: Path) -> None:
    """A simulator that is installed but cannot be loaded is named with its cause."""
    pytest.importorskip("mani_skill")
    (tmp_path / "sapien.py").write_text(_UNLOADABLE)
    assert _run(_LOAD, str(tmp_path)).stderr.strip() == (
        "ManiSkill cannot be loaded: libGL.so.1: cannot open shared object file; "
        "install the package of your system that has this library"
    )
