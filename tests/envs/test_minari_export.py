"""to_minari and from_minari: what was played is what is stored, and comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import reward_synth
from reward_synth.envs import collect, describe_env, from_minari
from reward_synth.errors import FieldMismatchError, UsageError
from reward_synth.export import to_minari
from reward_synth.task import Field, TaskSpec

minari = pytest.importorskip("minari")
PROGRAM = """def compute_reward(position, velocity):
    return {"place": position, "speed": 10.0 * velocity}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


def car(**kwargs: Any) -> tuple[gym.Env[Any, Any], TaskSpec]:
    env = gym.make("MountainCarContinuous-v0", **kwargs)
    return env, describe_env(env, rollouts=1, max_steps=9)


def test_an_environment_is_played() -> None:
    """Observations, actions and the environment's own rewards are stored as they were."""
    env, task = car(max_episode_steps=20)
    to_minari(env, "car/random-v0", task, episodes=2, seed=5)
    loaded = minari.load_dataset("car/random-v0")
    first, second = loaded.iterate_episodes()
    obs, _ = env.reset(seed=5)
    assert np.array_equal(first.observations[0], obs)
    for t, action in enumerate(first.actions):
        obs, reward, *_ = env.step(action)
        assert np.array_equal(first.observations[t + 1], obs)
        assert first.rewards[t] == reward
    assert len(second) == 20
    assert second.truncations[-1]


def test_rewards_are_sparse_and_infos_hold_the_rest() -> None:
    """Of a wrapped environment the sparse reward is stored, and components as infos."""
    env, task = car(max_episode_steps=20)
    dense = reward_synth.wrap(env, PROGRAM)
    to_minari(dense, "car-v0", task, policy="held", episodes=1)
    (episode,) = minari.load_dataset("car-v0").iterate_episodes()
    infos = episode.infos
    parts = infos["reward_components"]
    sums = parts["place"] + parts["speed"]
    assert sums[0] == 0.0
    assert infos["dense_reward"][1:] == pytest.approx(sums[1:] + episode.rewards)
    (rollout,) = from_minari("car-v0", task)
    assert rollout.steps.sparse == pytest.approx(episode.rewards)


def test_the_environment_comes_back_with_its_reward() -> None:
    """Minari recovers the wrapped environment; of a function it keeps none."""
    env, task = car(max_episode_steps=5)
    to_minari(reward_synth.wrap(env, PROGRAM), "car-v0", task, episodes=1)
    twin = minari.load_dataset("car-v0").recover_environment()
    twin.reset(seed=0)
    info = twin.step(twin.action_space.sample())[4]
    assert set(info["reward_components"]) == {"place", "speed"}
    to_minari(reward_synth.wrap(env, lambda t: 1.0), "car-v1", task, episodes=1)
    assert minari.load_dataset("car-v1").env_spec is None


def test_rollouts_come_back() -> None:
    """Rollouts are stored by field and come back equal, those of simulators too."""
    env = gym.make("CartPole-v1")
    fields = (
        Field("angle", source="obs[2]"),
        Field("push", source="sim.force_mag"),
        Field("late", source="obs[1]", at_reset=False),
    )
    task = TaskSpec("CartPole-v1", "balance", fields, Field("action", dtype="int"))
    task = task.with_success("abs(angle) < 0.1")
    played = [collect(env, task, seed=seed, max_steps=6) for seed in range(2)]
    dataset = to_minari(played, "pole-v0", task)
    assert dataset.action_space == gym.spaces.Discrete(2)
    loaded = from_minari("pole-v0", task)
    for one, two in zip(played, loaded, strict=True):
        assert set(two.steps.before) == {"angle", "push"}
        for name in ("angle", "push", "late"):
            np.testing.assert_array_equal(one.steps.after[name], two.steps.after[name])
        np.testing.assert_array_equal(one.steps.action, two.steps.action)
        np.testing.assert_array_equal(one.steps.sparse, two.steps.sparse)
        np.testing.assert_array_equal(one.success, two.success)
    (first, _) = dataset.iterate_episodes()
    assert np.isnan(first.observations["late"][0])


def test_another_task_s_rollouts() -> None:
    """Fields that a data set of rollouts lacks are named."""
    env, task = car()
    to_minari([collect(env, task, max_steps=3)], "car-v0", task)
    other = TaskSpec(
        "Other", "go", (*task.fields, Field("goal", source="obs[1]")), task.action
    )
    with pytest.raises(FieldMismatchError, match="lacks goal"):
        from_minari("car-v0", other)


def test_dictionaries_are_stored() -> None:
    """Observations in a dict are stored by key."""
    pytest.importorskip("gymnasium_robotics")
    env = reward_synth.make("FetchReach-v4")
    task = describe_env(env, rollouts=0)
    to_minari(env, "reach-v0", task, episodes=1, max_steps=3)
    (episode,) = minari.load_dataset("reach-v0").iterate_episodes()
    assert episode.observations["desired_goal"].shape == (4, 3)


def test_no_episodes() -> None:
    """An empty data set is refused."""
    _, task = car()
    with pytest.raises(UsageError, match="at least one"):
        to_minari([], "car-v0", task)
