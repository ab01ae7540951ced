"""With and without a renderer, and without noise."""

from __future__ import annotations

import os
import subprocess
import sys

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


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {PHYSICS_ONLY: "1"},
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
