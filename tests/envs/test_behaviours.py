"""Motions of Hopper and Ant: their success rules hold where the motion is done."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from reward_synth.envs import resolve
from reward_synth.envs.behaviours_tasks import TASKS
from reward_synth.language import SuccessTest
from reward_synth.task import FieldReader, TaskSpec

pytest.importorskip("mujoco")
UPRIGHT = (1.0, 0.0, 0.0, 0.0)
REST = (0.0, 0.52, 0.0, -0.52, 0.0, -0.52, 0.0, 0.52)
"""Joints of the resting Ant: ankles at their limits."""


def turned(axis: Sequence[float], angle: float) -> tuple[float, ...]:
    """Return the quaternion of a turn, w first."""
    half = np.sin(angle / 2) * np.asarray(axis)
    return (float(np.cos(angle / 2)), *half.tolist())


X, Y, Z = np.eye(3).tolist()


class Posed:
    """An environment in states made by hand."""

    def __init__(self, name: str) -> None:
        ref = resolve(f"Behaviours/{name}", {})
        self.task: TaskSpec = ref.describe(seed=0)
        self.env: Any = ref.make()
        self.env.reset(seed=0)
        self.test = SuccessTest(self.task)
        self.reader = FieldReader(self.task, self.env, self.test.names)

    def done(self, qpos: Sequence[float], qvel: Sequence[float] | None = None) -> bool:
        base = self.env.unwrapped
        speed = np.zeros(base.model.nv) if qvel is None else np.asarray(qvel)
        base.set_state(np.asarray(qpos, np.float64), speed)
        return self.now()

    def now(self) -> bool:
        base = self.env.unwrapped
        return bool(self.test(self.reader.read(base._get_obs(), {}), {}, 0.0))


@lru_cache
def posed_in(name: str) -> Posed:
    """Describing takes a second: once for each motion."""
    return Posed(name)


def ant(
    height: float, turn: Sequence[float] = UPRIGHT, joints: Sequence[float] = REST
) -> list[float]:
    return [0.0, 0.0, height, *turn, *joints]


def hopper(angle: float, height: float = 1.25) -> list[float]:
    return [0.0, height, angle, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("name", "sign"), [("FrontFlip", 1), ("BackFlip", -1)])
def test_a_somersault(name: str, sign: int) -> None:
    """A whole turn to the one side, upright again: not half of it, not lying, not to the
    other side. The torso's top leans to +x where the angle is positive."""
    posed = posed_in(f"Hopper{name}-v0")
    turn = sign * 2 * np.pi
    assert posed.done(hopper(turn))
    assert not posed.done(hopper(turn / 2))
    assert not posed.done(hopper(turn, height=0.4))
    assert not posed.done(hopper(-turn))
    assert not posed.done(hopper(0.0))
    assert not posed.done(hopper(turn + sign * np.pi / 2))
    posed.done(hopper(0.5))
    torso = posed.env.unwrapped.data.body("torso").xmat.reshape(3, 3)
    assert torso[0, 2] == pytest.approx(np.sin(0.5))


def test_the_forward_tasks_are_gymnasiums_own() -> None:
    """2 m and 12 m ahead of the start; an episode ends where the robot falls."""
    near = posed_in("HopperForward-v0")
    assert near.done([2.1, *hopper(0.0)[1:]])
    assert not near.done([1.9, *hopper(0.0)[1:]])
    assert near.env.unwrapped._terminate_when_unhealthy
    far = posed_in("AntForward-v0")
    assert far.done([12.1, *ant(0.5)[1:]])
    assert not far.done([11.9, *ant(0.5)[1:]])


CASES: dict[str, tuple[str, list[float], bool]] = {
    "lies": ("LieDown", ant(0.37), True),
    "stands": ("LieDown", ant(0.6), False),
    "lies on its back": ("LieDown", ant(0.37, turned(X, np.pi)), False),
    "on its back": ("RollOver", ant(0.4, turned(X, np.pi)), True),
    "on its side": ("RollOver", ant(0.4, turned(X, np.pi / 2)), False),
    "upright": ("RollOver", ant(0.4), False),
    "faces back": ("TurnBack", ant(0.4, turned(Z, np.pi)), True),
    "faces left": ("TurnBack", ant(0.4, turned(Z, np.pi / 2)), False),
    "lies backwards": ("TurnBack", ant(0.4, turned(Y, np.pi)), False),
    "nose up": ("Sit", ant(0.5, turned(Y, -np.pi / 6)), True),
    "nose down": ("Sit", ant(0.5, turned(Y, np.pi / 6)), False),
    "level": ("Sit", ant(0.5), False),
    # ankles of the other legs straight down hold the torso up
    "a foot lifted": (
        "LiftPaw",
        ant(0.66, joints=(0, 0.52, 0, -1.2, 0, -1.2, 0, 1.2)),
        True,
    ),
    "all feet lifted": ("LiftPaw", ant(1.2), False),
    "all feet down": ("LiftPaw", ant(0.37), False),
}


@pytest.mark.parametrize(("name", "qpos", "done"), CASES.values(), ids=CASES)
def test_postures(name: str, qpos: list[float], done: bool) -> None:
    """Each rule holds in its posture, and not in those that are near it; a posture that
    is passed through at speed is none where the rule asks for stillness."""
    posed = posed_in(f"Ant{name}-v0")
    assert posed.done(qpos) is done
    if name != "TurnBack":
        assert not posed.done(qpos, [1.0, 0, 0, 0, 0, 0, *[0.0] * 8])


def test_waving_counts_swings_of_the_lifted_leg() -> None:
    """The hip from side to side and back four times; with the foot on the ground, or all
    feet in the air, nothing counts; a reset begins anew."""
    posed = posed_in("AntWaveLeg-v0")
    base = posed.env.unwrapped

    def sweep(height: float, ankle: float) -> int:
        posed.env.reset(seed=0)
        for side in (1, -1, 1, -1, 1):
            joints = (0.4 * side, ankle, 0, -1.2, 0, -1.2, 0, 1.2)
            posed.done(ant(height, joints=joints))
            base._look()
        return int(base.get_swings())

    assert sweep(0.66, 0.52) == 4
    assert posed.now()
    assert sweep(0.66, 1.2) == 0  # on the ground
    assert not posed.now()
    assert sweep(1.5, 0.52) == 0  # in the air


def test_all_are_listed_and_described() -> None:
    """Each has an instruction, a rule, and its share of luck; steps can be made."""
    for name, item in TASKS.items():
        posed = posed_in(name)
        assert posed.task.success is not None
        assert posed.task.instruction == item.notes.instruction
        posed.env.step(posed.env.action_space.sample())
        assert not posed.now()
