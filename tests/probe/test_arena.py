"""What is played is judged over the whole episode, from the state that was asked for."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.envs.gridworld import GridEnv
from reward_synth.probe import Arena, CrossEntropy, Start, best_actions
from reward_synth.probe.arena import Placed
from reward_synth.task import Field, TaskSpec

CART = TaskSpec(
    "CartPole-v1",
    "Move to the right.",
    (Field("speed", source="obs[1]"),),
    Field("action", dtype="int"),
).with_success("speed > 0.1")
ROW = TaskSpec(
    "Row",
    "Walk to the goal.",
    (Field("column", source="obs[1]"), Field("goal", source="obs[3]")),
    Field("action", dtype="int"),
).with_success("column == goal")


def test_a_success_counts_although_it_passes() -> None:
    """Pushed to the right and then to the left, the cart was once fast enough."""
    arena = Arena(gym.make("CartPole-v1"), CART, lambda t: 0.0)
    assert arena.play(np.array([1, 0, 0]), seed=0).succeeded
    assert not arena.play(np.array([0, 0, 0]), seed=0).succeeded
    arena.close()


def test_an_episode_begins_in_the_state_that_is_asked_for() -> None:
    """Positions and velocities of the simulation are those given, and so is what is
    observed."""
    pytest.importorskip("mujoco")
    env = Placed(gym.make("Reacher-v5"))
    start = Start(np.array([0.3, -0.2, 0.1, 0.1]), np.array([2.0, 0.0, 0.0, 0.0]))
    obs, _ = env.reset(seed=0, options={"probe_start": start})
    base = env.unwrapped
    assert base.data.qpos.tolist() == start.qpos.tolist()  # type: ignore[attr-defined]
    assert obs[6] == 2.0
    plain, _ = env.reset(seed=0)
    assert plain[6] != 2.0


def test_the_search_leaves_out_what_succeeds() -> None:
    """Paid by the column, 16 for that of the goal and 1 beside it, the best episode without
    success stops beside the goal: 1 a step after the first one, by hand."""
    env = GridEnv(rows=["S.G"])
    arena = Arena(env, ROW, lambda t: float(t.after["column"]) ** 4, combine="replace")
    found = best_actions(arena, 4, 0, CrossEntropy(population=64, knots=4))
    assert found is not None
    assert not found.succeeded
    assert found.paid.tolist() == [1.0, 1.0, 1.0, 1.0]
