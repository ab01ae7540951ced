"""Descriptions of Gymnasium's own environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.agents.trial import TrialSpec
from reward_synth.envs import collect, collect_many, describe_env, families, resolve
from reward_synth.envs.doctable import observation_tables
from reward_synth.envs.families import CLASSIC, MUJOCO
from reward_synth.envs.notes import TaskNotes
from reward_synth.errors import UsageError
from reward_synth.task import FieldReader, TaskSpec

TASKS = (*CLASSIC.tasks, *MUJOCO.tasks)


def _describe(name: str, **kwargs: object) -> TaskSpec:
    return resolve(name, kwargs).describe(rollouts=1, max_steps=30)


def _sources(task: TaskSpec) -> list[str]:
    return [item.source for item in task.fields]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_read_and_explained(name: str) -> None:
    """Each task is instructed, each field has a meaning, and another env delivers it."""
    task = _describe(name)
    assert task.instruction
    assert all(item.meaning for item in task.fields)
    assert not [note for note in task.notes if "cannot be used" in note]
    env = gym.make(name)
    obs, info = env.reset(seed=9)
    assert FieldReader(task, env).read(obs, info, reset=True).keys() == {
        item.name for item in task.fields
    }


@pytest.mark.parametrize("name", TASKS)
def test_fields_hold_the_whole_observation(name: str) -> None:
    """No entry of the observation is lost or read twice."""
    task = _describe(name)
    env = gym.make(name)
    obs, info = env.reset(seed=1)
    values = FieldReader(task, env).read(obs, info, reset=True)
    own = [item.name for item in task.fields if item.source.startswith("obs")]
    joined = np.concatenate([values[name].reshape(-1) for name in own])
    np.testing.assert_array_equal(joined, np.asarray(obs, np.float64).reshape(-1))


def test_mountain_car() -> None:
    """The car's fields are named, bounded and given units; its reward is not sparse."""
    task = _describe("MountainCarContinuous-v0")
    position, velocity = task.fields
    assert (position.name, position.unit) == ("position", "m")
    assert (position.low, position.high) == ((-1.2,), (0.6,))
    assert (velocity.low, velocity.high) == ((-0.07,), (0.07,))
    assert not task.sparse
    assert task.ends_on_success
    assert (task.action.low, task.action.high) == ((-1,), (1,))


def test_bodies_are_read_from_the_simulator() -> None:
    """MuJoCo tasks give the torso's world position, which no observation holds."""
    task = _describe("Hopper-v5")
    torso = task.field("torso_pos")
    assert (torso.source, torso.shape) == ("body.torso.xpos", (3,))
    assert torso.train_only
    assert task.field("torso_quat").shape == (4,)
    env = gym.make("Hopper-v5")
    obs, info = env.reset(seed=2)
    values = FieldReader(task, env).read(obs, info, reset=True)
    assert values["torso_pos"][0, 0] == pytest.approx(info["x_position"])


def test_excluded_coordinate_comes_in_front() -> None:
    """With its option off, the excluded x-coordinate is entry 0 and all others move."""
    task = _describe("Hopper-v5", exclude_current_positions_from_observation=False)
    assert [item.name for item in task.fields[:2]] == ["torso_x", "torso_z"]
    assert task.fields[0].check == "joint.rootx.qpos"
    usual = _describe("Hopper-v5")
    assert _sources(task)[1:12] == [f"obs[{i + 1}]" for i in range(11)]
    assert [f.name for f in task.fields[1:12]] == [f.name for f in usual.fields[:11]]


def test_named_parts_stay_whole() -> None:
    """Ant's 78 contact forces are one field behind the 27 documented entries."""
    task = _describe("Ant-v5")
    forces = task.field("cfrc_ext")
    assert (forces.source, forces.shape) == ("obs[27:105]", (78,))
    without = _describe("Ant-v5", include_cfrc_ext_in_observation=False)
    assert "cfrc_ext" not in [item.name for item in without.fields]
    assert without.field("torso_velocity").source == "obs[13:16]"


def test_notes_are_dropped_where_they_do_not_fit() -> None:
    """Our notes name entries by number, so another observation does without them."""
    task = _describe("Ant-v5", exclude_current_positions_from_observation=False)
    assert "torso_velocity" not in [item.name for item in task.fields]
    assert "written for another observation" in " ".join(task.notes)
    assert task.field("torso_x_velocity").source == "obs[15]"


def test_undocumented_version_stays_whole() -> None:
    """Version 4 documents nothing, so its observation is one field."""
    task = describe_env(gym.make("Hopper-v4"), rollouts=1, max_steps=9)
    assert task.fields[0].signature == "observation: float[11]"
    assert task.fields[0].source == "obs"
    assert task.field("torso_pos").source == "body.torso.xpos"


def test_table_that_contradicts_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that calls an entry by another joint's name is found out."""
    kind = type(gym.make("Hopper-v5").unwrapped)
    doc = kind.__doc__ or ""
    swapped = doc.replace("| rootz  ", "| foot_joint  ")
    assert swapped != doc
    monkeypatch.setattr(kind, "__doc__", swapped)
    task = _describe("Hopper-v5")
    assert task.fields[0].signature == "observation: float[11]"
    assert "table is not used" in " ".join(task.notes)


def test_allowed_position() -> None:
    """Hopper's x position may be taken from info, and reset delivers it."""
    env = gym.make("Hopper-v5")
    task = describe_env(env, rollouts=1, max_steps=9, allow_info=("x_position",))
    assert task.field("x_position").at_reset


def test_discrete_observation() -> None:
    """A Discrete observation is one int field with the states as its range."""
    task = _describe("FrozenLake-v1")
    state = task.fields[0]
    assert (state.name, state.signature) == ("state", "state: int")
    assert (state.low, state.high) == ((0,), (15,))
    assert task.sparse


def test_other_tables_are_not_observations() -> None:
    """An unknown table under another heading is no observation table."""
    doc = "## Rewards\n| Num | Reward |\n|---|---|\n| 0 | one |\n"
    assert observation_tables(doc) == ()


def _push_along(index: int) -> Callable[[Any], Any]:
    """Push the way it moves, which adds energy at every step."""
    return lambda obs: 2 if obs[index] > 0 else 0


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("MountainCar-v0", _push_along(1)),
        ("MountainCarContinuous-v0", "held"),
        ("Acrobot-v1", _push_along(5)),
    ],
)
def test_success_is_where_the_environment_ends(name: str, policy: Any) -> None:
    """The rule holds exactly at the steps at which the environment terminates."""
    env, task = gym.make(name), _describe(name)
    played = collect_many(env, task, policies=(policy,), episodes=10)
    assert any(rollout.succeeded for rollout in played)
    for rollout in played:
        np.testing.assert_array_equal(rollout.success, rollout.steps.terminated)


def test_pendulum_rule_is_the_angle() -> None:
    """Pendulum's rule holds within acos(0.95) of upright, below 1 rad/s."""
    env, task = gym.make("Pendulum-v1"), _describe("Pendulum-v1")
    for seed in range(10):
        rollout = collect(env, task, policy="held", seed=seed)
        after = rollout.steps.after
        angle = np.arctan2(after["sin_theta"], after["cos_theta"])
        slow = np.abs(after["angular_velocity"]) < 1.0
        near = np.abs(angle) < np.arccos(0.95)
        np.testing.assert_array_equal(rollout.success, near & slow)


def test_reacher_rule_is_the_distance() -> None:
    """Reacher's rule, over the observation, agrees with the bodies' distance."""
    env, task = gym.make("Reacher-v5"), _describe("Reacher-v5")
    for seed in range(10):
        rollout = collect(env, task, policy="held", seed=seed)
        after = rollout.steps.after
        gap = np.linalg.norm(after["fingertip_pos"] - after["target_pos"], axis=1)
        np.testing.assert_array_equal(rollout.success, gap < 0.05)


@pytest.mark.parametrize("name", ["Hopper-v5", "HalfCheetah-v5", "Swimmer-v5"])
def test_luck_is_no_success(name: str) -> None:
    """Random and held actions do not go as far as success asks."""
    env, task = gym.make(name), _describe(name)
    played = collect_many(env, task, episodes=2, seed=1000)
    assert not any(rollout.succeeded for rollout in played)
    assert task.success is not None
    assert task.success.rule.startswith("torso_pos[0] >= ")


def test_unusable_known_rule_is_dropped() -> None:
    """A known rule over fields that are not there is noted and left out."""
    known = TaskNotes(success=describe_env(gym.make("Hopper-v5"), rollouts=1).success)
    task = describe_env(gym.make("CartPole-v1"), notes=known, rollouts=1)
    assert task.success is None
    assert "cannot be used" in " ".join(task.notes)


def test_saved_description_comes_back() -> None:
    """Every description survives JSON unchanged, infinities and all."""
    for family in families()[:2]:
        task = _describe(family.default)
        assert TaskSpec.from_dict(task.to_dict()) == task


@pytest.mark.parametrize("name", ["MountainCar-v0", "Acrobot-v1"])
def test_sparse_classic_tasks_have_no_expert(name: str) -> None:
    """Where the environment's own reward is sparse there is no dense one to compare
    with; the sparse arm takes discrete actions and pays what the environment pays."""
    ref = resolve(name)
    task = ref.describe(rollouts=1, max_steps=20)
    assert task.sparse
    assert task.action.dtype == "int"
    with pytest.raises(UsageError, match="no dense reward"):
        ref.expert()
    env = TrialSpec(ref, task, "sparse", steps=1, seed=0).build()
    env.reset(seed=0)
    _, reward, _, _, info = env.step(env.action_space.sample())
    assert (reward, info["is_success"]) == (-1.0, False)


@pytest.mark.parametrize("name", ["MountainCarContinuous-v0", "Hopper-v5"])
def test_expert_is_the_environments_own_reward(name: str) -> None:
    """A dense task's expert arm is the environment as it is; its sparse arm pays success
    alone."""
    ref = resolve(name)
    assert ref.expert() == ref
    task = ref.describe(rollouts=1, max_steps=20)
    spec = TrialSpec(ref, task, "sparse", steps=1, seed=0)
    _, reward, _, _, info = _one_step(spec.build())
    assert (reward, info["is_success"]) == (0.0, False)
    _, reward, _, _, info = _one_step(replace(spec, arm="expert").build())
    assert reward == info["env_reward"] != 0.0


def _one_step(env: gym.Env[Any, Any]) -> tuple[Any, ...]:
    env.action_space.seed(0)
    env.reset(seed=0)
    return env.step(env.action_space.sample())
