"""Scripted solutions as rollouts."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.envs.maniskill import FAMILY, demonstrations, task_spec
from reward_synth.envs.maniskill_planner import twist_of
from reward_synth.errors import NotAvailableError
from reward_synth.reward import Array, Rollout
from reward_synth.task import ACTION, Field, TaskSpec

pytestmark = [
    pytest.mark.maniskill,
    pytest.mark.usefixtures("_installed"),
]


@pytest.fixture(scope="module")
def _installed() -> None:
    for package in ("mani_skill", "mplib", "toppra"):
        pytest.importorskip(package)


def _one(task: str, seed: int = 0) -> Rollout:
    (rollout,) = demonstrations(task_spec(task), [seed])
    return rollout


def _flat_distance(rollout: Rollout) -> Array:
    after = rollout.steps.after
    offset = after["cube_pos"][:, :2] - after["goal_pos"][:, :2]
    return np.asarray(np.linalg.norm(offset, axis=1))


def test_pick_ends_where_success_says() -> None:
    """The last step, and only that, has the cube within 0.025 m and the arm at rest."""
    rollout = _one("PickCube-v1")
    after = rollout.steps.after
    distance = np.linalg.norm(after["cube_pos"] - after["goal_pos"], axis=1)
    still = np.abs(after["qvel"][:, :7]).max(axis=1) <= 0.2
    expected = (distance <= 0.025) & still
    np.testing.assert_array_equal(rollout.success, expected)
    assert expected.tolist() == [False] * (len(rollout) - 1) + [True]
    assert after["is_grasped"].any()


def test_push_ends_where_success_says() -> None:
    """The cube is first in the goal region, flat on the table, at the last step."""
    rollout = _one("PushCube-v1")
    inside = _flat_distance(rollout) < 0.1
    flat = rollout.steps.after["cube_pos"][:, 2] < 0.025
    np.testing.assert_array_equal(rollout.success, inside & flat)
    assert rollout.success is not None
    assert np.flatnonzero(rollout.success).tolist() == [len(rollout) - 1]


def test_pull_ends_where_success_says() -> None:
    """The cube is first in the goal region at the last step."""
    rollout = _one("PullCube-v1")
    np.testing.assert_array_equal(rollout.success, _flat_distance(rollout) < 0.1)
    assert rollout.succeeded


def test_rollout_is_whole() -> None:
    """Steps follow each other, pay once, end once, and have the agent's action shape."""
    task = task_spec("PullCube-v1")
    (rollout, *_) = FAMILY.demonstrate(task, 3)
    steps, count = rollout.steps, len(rollout)
    assert (rollout.policy, rollout.seed) == ("demonstration", 3)
    assert set(steps.before) == set(steps.after) == {f.name for f in task.fields}
    for name, value in steps.after.items():
        assert value.shape == (count, *task.field(name).shape)
        np.testing.assert_array_equal(steps.before[name][1:], value[:-1])
    assert steps.action.shape == (count, *task.action.shape)
    assert not steps.action.any()
    last = [0.0] * (count - 1) + [1.0]
    assert steps.sparse.tolist() == last
    assert steps.terminated.tolist() == [bool(value) for value in last]
    assert not steps.truncated.any()
    assert steps.valid.all()


def test_seed_repeats_exactly() -> None:
    """A seed gives the same demonstration, whatever was recorded before."""
    alone = _one("PushCube-v1", 2)
    after_another = list(demonstrations(task_spec("PushCube-v1"), [0, 2]))[1]
    for name, value in alone.steps.after.items():
        np.testing.assert_array_equal(value, after_another.steps.after[name])


def test_too_slow_is_left_out() -> None:
    """A solution that does not succeed in time gives nothing, not half an episode."""
    assert list(demonstrations(task_spec("PullCube-v1"), [0], seconds=0.0)) == []


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """A solution without a plan is silent; RollBall's fails with seed 0."""
    assert list(demonstrations(task_spec("RollBall-v1"), [0])) == []
    assert capfd.readouterr() == ("", "")


def test_task_without_solution_is_refused() -> None:
    """There are no demonstrations of a task that nobody wrote a solution for."""
    task = TaskSpec("ManiSkill/PushT-v1", "push", (Field("x"),), Field(ACTION, (3,)))
    with pytest.raises(NotAvailableError, match="no scripted solution of 'PushT-v1'"):
        list(demonstrations(task, [0]))


def test_twist_of_a_turn_about_a_shifted_axis() -> None:
    """Turning by a right angle about z through (1, 0, 0) moves the origin with
    v = -w x c, which is (0, -pi/2, 0) for w = (0, 0, pi/2) and c = (1, 0, 0)."""
    turn = np.array([[0.0, -1, 0, 1], [1, 0, 0, -1], [0, 0, 1, 0], [0, 0, 0, 1]])
    half = np.pi / 2
    np.testing.assert_allclose(twist_of(turn), [0, -half, 0, 0, 0, half], atol=1e-12)
