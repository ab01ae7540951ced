"""Combiners in environments: names and objects, learning and evaluation, saved states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import reward_synth
from reward_synth.combine import (
    COMBINERS,
    Anneal,
    Blend,
    DynamicPotential,
    Lagrange,
    OutcomeGate,
    Schedule,
    Uncertain,
    Weighted,
    load_state,
    save_state,
    shared_of,
    with_shared,
)
from reward_synth.envs.gridworld import GridEnv, VectorGrid
from reward_synth.errors import UsageError
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import NonFiniteRewardWarning

RIGHT, UP = 1, 0
TASK = TaskSpec(
    "Line",
    "go",
    (Field("position", (2,), source="obs[0:2]"),),
    Field("action", dtype="int"),
    gamma=0.9,
)
PROGRAM = """def compute_reward(position):
    return {"far": position[1], "edge": -position[0] - 1.0}


def compute_potential(position):
    return position[1]
"""
LINE = ["S....G"]


def one(combine: Any, **options: Any) -> Any:
    return reward_synth.wrap(GridEnv(rows=LINE), PROGRAM, combine, task=TASK, **options)


def many(combine: Any, **options: Any) -> Any:
    envs = VectorGrid(2, rows=LINE, max_episode_steps=4)
    return reward_synth.wrap(envs, PROGRAM, combine, task=TASK, **options)


def played(env: Any, actions: list[Any]) -> list[Any]:
    env.reset(seed=0)
    return [env.step(action)[1] for action in actions]


def test_objects_are_used_as_they_are() -> None:
    """After one and two steps far is 1 and 2, edge -1: 3 x far - edge, then mean less
    variance: (0 - 1) and (0.5 - 2.25)."""
    weighted = Blend(Weighted({"far": 3.0, "edge": -1.0}))
    assert played(one(weighted), [RIGHT, RIGHT]) == [4.0, 7.0]
    assert played(one(Blend(Uncertain())), [RIGHT, RIGHT]) == [-1.0, -1.75]


@pytest.mark.parametrize(
    "name", [n for n, x in COMBINERS.items() if x.make and x.acts_on != "group"]
)
def test_one_environment_and_a_vector_pay_alike(name: str) -> None:
    """The same steps are paid the same, by every name that environments serve; what
    learns from all lanes sees the same lane twice."""
    right = [RIGHT] * 3
    alone = played(one(name), right)
    together = played(many(name), [np.array([a, a]) for a in right])
    for single, pair in zip(alone, together, strict=True):
        np.testing.assert_allclose(pair, single, atol=1e-12)


@pytest.mark.parametrize("make", [one, many])
@pytest.mark.parametrize("name", ["group_normalised", "group_summed", "stratified"])
def test_what_needs_groups_is_refused_by_name(make: Any, name: str) -> None:
    """An environment has steps and episodes, and no groups."""
    with pytest.raises(UsageError, match="acts on group, and an environment has only"):
        make(name)


@pytest.mark.parametrize("make", [one, many])
def test_what_needs_advantages_is_refused(make: Any) -> None:
    """Advantages are known after the critic."""
    with pytest.raises(UsageError, match="acts on advantage"):
        make(Lagrange({"far": 1.0, "edge": 0.0}, acts_on="advantage"))


def test_an_episode_is_paid_at_its_end() -> None:
    """Four steps with far cut to 1 and edge -1: p is 0 at first (1 - 1), then 1, 1, 1;
    the vector truncates without success: 3 - 4 = -1, then a step that resets pays 0."""
    envs = many(OutcomeGate())
    paid = played(envs, [np.array([RIGHT, UP])] * 5)
    assert [x[0] for x in paid] == [0.0, 0.0, 0.0, -1.0, 0.0]
    assert [x[1] for x in paid] == [0.0, 0.0, 0.0, -4.0, 0.0]


@pytest.mark.parametrize("make", [one, many])
def test_schedules_go_on_over_episodes(make: Any) -> None:
    """Steps are counted over resets; far is 1 after each first step."""
    lanes = 1 if make is one else 2
    env = make(Anneal(Schedule(1.0, 0.0, 4 * lanes)))
    action = RIGHT if make is one else np.array([RIGHT, RIGHT])
    paid = [np.mean(played(env, [action, action])[1]) for _ in range(3)]
    np.testing.assert_allclose(paid, [0.75, 0.25, 0.0])  # far + edge is 1


def test_a_potential_that_fades_still_telescopes() -> None:
    """phi is the column: at gamma 1 three steps pay w_3 x 3 - w_0 x 0 in all."""
    schedule = Schedule(1.0, 0.0, 10)
    env = one(DynamicPotential(1.0, schedule), gamma=1.0)
    assert sum(played(env, [RIGHT] * 3)) == pytest.approx(schedule(3) * 3)


@pytest.mark.parametrize("make", [one, many])
def test_in_evaluation_the_state_is_frozen_and_it_can_be_carried(make: Any) -> None:
    """What was learned is told, does not change with training off, and gives another
    wrapper the same rewards."""
    action = RIGHT if make is one else np.array([RIGHT, UP])
    env = make("z_score")
    played(env, [action] * 3)
    holder = env if make is one else env.rewards
    learned = holder.combiner_state
    assert learned["count"] == (3 if make is one else 6)
    holder.training = False
    frozen = played(env, [action] * 3)
    assert holder.combiner_state == learned
    twin = make("z_score")
    twin_holder = twin if make is one else twin.rewards
    twin_holder.combiner_state = learned
    twin_holder.training = False
    np.testing.assert_array_equal(played(twin, [action] * 3), frozen)


def test_states_are_kept_in_files(tmp_path: Path) -> None:
    """Multipliers come back as they were; another combiner's state is refused."""
    mix = Lagrange({"far": 1.0, "edge": 0.0})
    state = mix.learn(mix.init({}), {"far": 0.0, "edge": 5.0})
    save_state(tmp_path / "state.json", state)
    again = load_state(tmp_path / "state.json", mix.init({}))
    assert shared_of(again) == shared_of(state)
    np.testing.assert_array_equal(mix.shares(again), mix.shares(state))
    fade = Anneal(Schedule(1.0, 0.0, 2))
    with pytest.raises(UsageError, match="keeps \\['steps'\\]"):
        load_state(tmp_path / "state.json", fade.init({}))
    with pytest.raises(UsageError, match="Cannot read"):
        load_state(tmp_path / "gone.json", fade.init({}))
    with pytest.raises(UsageError, match="keeps \\[\\]"):
        with_shared(None, {"steps": 1})


@pytest.mark.parametrize("name", ["mean", "z_score", "clip_delta", "outcome_gate"])
@pytest.mark.parametrize("lanes", [False, True])
def test_a_reward_that_is_not_finite_is_a_fault_and_paid_without(
    name: str, lanes: bool
) -> None:
    """The second step's component is NaN: its pay is finite, a fault is counted, and
    the steps after it go on."""

    def reward(t: Any) -> dict[str, float]:
        column = float(t.after["position"][1])
        return {"far": np.nan if column == 2.0 else column}

    base = (
        VectorGrid(1, rows=LINE, max_episode_steps=4) if lanes else GridEnv(rows=LINE)
    )
    env: Any = reward_synth.wrap(base, reward, name, task=TASK)
    env.reset(seed=0)
    action: Any = np.array([RIGHT]) if lanes else RIGHT
    with pytest.warns(NonFiniteRewardWarning):
        paid = [env.step(action)[1] for _ in range(3)]
    assert np.isfinite(paid).all()
    faults = env.rewards._sums.faults[0] if lanes else env._episode.faults
    assert faults == 1


def test_ids_take_names() -> None:
    """gym.make of an id in our namespace takes any name, and its spec makes it again."""
    text = "def compute_reward(position):\n    return {'speed': position}\n"
    env = gym.make("reward_synth/MountainCarContinuous-v0", reward=text, combine="tanh")
    env.reset(seed=0)
    reward = env.step(np.array([0.5], np.float32))[1]
    assert env.spec is not None
    twin = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    twin.reset(seed=0)
    assert twin.step(np.array([0.5], np.float32))[1] == reward
