"""Where a field is read: every row of the table of sources, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.errors import FieldMismatchError, TaskSpecError
from reward_synth.task import Source, as_array

OBS = np.array([10.0, 11.0, 12.0, 13.0, 14.0])
TREE = {"achieved_goal": OBS, "extra": {"tcp pose": OBS}}
INFO = {"x_position": 7.0, "forces": {"left": [1.0, 2.0]}}


class Simulator:
    """Stands for an environment whose ``unwrapped`` has attributes and a method."""

    def __init__(self) -> None:
        self.cube = SimpleNamespace(pose=SimpleNamespace(p=OBS[:3]), weight=2.0)
        self.agent = SimpleNamespace(is_grasping=lambda cube: cube.weight > 1.0)
        self.unwrapped = self

    def get_gap(self, first: Any, second: Any) -> float:
        return float(first.weight + second.pose.p[0])

    def get_clock(self) -> float:
        return 0.25


ROWS: dict[str, tuple[Any, Any]] = {
    "obs": (OBS, OBS),
    "obs[4]": (OBS, 14.0),
    "obs[0:3]": (OBS, [10.0, 11.0, 12.0]),
    "obs.achieved_goal[0:2]": (TREE, [10.0, 11.0]),
    "obs.extra.tcp pose[1]": (TREE, 11.0),
    "sim.cube.pose.p": (None, [10.0, 11.0, 12.0]),
    "sim.cube.pose.p[2]": (None, 12.0),
    "sim.agent.is_grasping(cube)": (None, True),
    "sim.get_gap(cube, cube)": (None, 12.0),
    "sim.get_clock()": (None, 0.25),
    "info.x_position": (None, 7.0),
    "info.forces.left[1]": (None, 2.0),
}


@pytest.mark.parametrize(
    ("text", "obs", "value"), [(t, *row) for t, row in ROWS.items()]
)
def test_every_form_of_the_table_reads_its_place(
    text: str, obs: Any, value: Any
) -> None:
    """A source gives the entry that its text names, and nothing around it."""
    found = Source.parse(text).bind(Simulator())(obs, INFO)
    np.testing.assert_array_equal(found, value)


def test_mujoco_data_is_read_by_name() -> None:
    """body, site and joint read MuJoCo's data, here the hinge of Hopper's thigh."""
    pytest.importorskip("mujoco")
    env = gym.make("Hopper-v5")
    env.reset(seed=0)
    base: Any = env.unwrapped
    found = Source.parse("joint.thigh_joint.qpos[0]").bind(env)(None, {})
    assert float(found) == base.data.qpos[3]  # rootx, rootz, rooty, thigh
    torso = Source.parse("body.torso.xpos").bind(env)(None, {})
    np.testing.assert_array_equal(torso, base.data.body("torso").xpos)
    for text in ("body.tail.xpos", "body.torso.colour"):
        with pytest.raises(FieldMismatchError, match="cannot be read"):
            Source.parse(text).bind(env)(None, {})
    env.close()  # type: ignore[no-untyped-call]  # Gymnasium does not annotate it


def test_the_batch_axis_of_a_batched_simulator_is_no_entry() -> None:
    """An index counts entries of the one state in an array of shape (1, n)."""
    read = Source.parse("obs[1:3]").bind(Simulator())
    np.testing.assert_array_equal(read(OBS[None], {}), [11.0, 12.0])


MALFORMED = {
    "": "not a place",
    "nowhere": "not a place",
    "Obs": "not a place",
    "obs.": "not a place",
    "obs..x": "not a place",
    "obs[0:3": "not a place",
    "obs[0]x": "not a place",
    "obs[-1]": "the index must look like",
    "obs[]": "the index must look like",
    "obs[1:]": "the index must look like",
    "obs[0:4:2]": "the index must look like",
    "obs[a]": "the index must look like",
    "obs.read(cube)": "only methods of 'sim'",
    "sim.f(__import__('os'))": "not a place",
    "sim.close()": "begin with is_, has_, get_",
    "sim.agent.reset(cube)": "calls 'reset'",
    "sim.__dict__.x": "'__dict__': attributes that begin with two underscores",
    "sim.cube.__class__": "belong to Python",
    "sim.is_near(cube.__class__)": "'__class__'",
    "body.torso.__dict__": "'__dict__'",
    "body.torso": "needs a name and an attribute",
    "joint.a.b.c": "needs a name and an attribute",
    "sim": "names no attribute or key",
    "info": "names no attribute or key",
}


@pytest.mark.parametrize(("text", "reason"), MALFORMED.items())
def test_a_malformed_source_says_what_is_wrong(text: str, reason: str) -> None:
    """Whatever is not in the table is refused when the task is described."""
    with pytest.raises(TaskSpecError, match=reason):
        Source.parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("obs.desired_goal", r"no key 'desired_goal'.*achieved_goal"),
        ("obs.extra.pose", "no key 'pose'"),
        ("obs.achieved_goal.x", "no key 'x'"),
        ("obs.achieved_goal[9]", r"'obs.achieved_goal\[9\]' cannot be read"),
        ("info.y_position", r"no key 'y_position'.*x_position"),
        ("sim.ball.pose", "Simulator has no attribute 'ball'"),
        ("sim.get_gap(cube, ball)", "no attribute 'ball'"),
    ],
)
def test_a_place_that_is_not_there_is_named(text: str, reason: str) -> None:
    """Reading what the environment lacks names the source and the missing part."""
    with pytest.raises(FieldMismatchError, match=reason):
        Source.parse(text).bind(Simulator())(TREE, INFO)


def test_only_pythons_own_attributes_are_refused() -> None:
    """A key, a body's name or an attribute may begin with an underscore."""
    assert Source.parse("obs._x").path == ("_x",)
    assert Source.parse("info._x").path == ("_x",)
    assert Source.parse("sim._base_size").path == ("_base_size",)
    assert Source.parse("body._floor.xpos").path == ("_floor", "xpos")


def test_torch_tensors_become_arrays() -> None:
    """A tensor, also one with a gradient, is read as a NumPy array."""
    torch = pytest.importorskip("torch")
    array = as_array(torch.tensor([1.0, 2.0], requires_grad=True))
    assert type(array) is np.ndarray
    assert array.tolist() == [1.0, 2.0]
