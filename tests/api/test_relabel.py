"""relabel: stored transitions score as the wrapped environment scores them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import reward_synth
from reward_synth.errors import FieldMismatchError, ProgramError, UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import Array
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import NonFiniteRewardWarning

sb3 = pytest.importorskip("stable_baselines3")

CAR = TaskSpec(
    "MountainCarContinuous-v0",
    "Drive up the hill.",
    (Field("position", source="obs[0]"), Field("velocity", source="obs[1]")),
    Field("action", (1,)),
    gamma=0.9,
)
PROGRAM = """import numpy as np


def compute_reward(position, velocity, prev_position, action):
    return {
        "moved": position - prev_position,
        "speed": 0.5 * np.abs(velocity),
        "effort": -0.1 * np.sum(action**2),
    }


def compute_potential(position):
    return 2.0 * position
"""
PENDULUM = TaskSpec(
    "Pendulum-v1",
    "Swing up.",
    (Field("tip", (2,), source="obs[0:2]"), Field("speed", source="obs[2]")),
    Field("action", (1,)),
)
SWING = """import numpy as np


def compute_reward(tip, speed, prev_speed, action):
    return {"up": tip[0], "calm": -0.01 * speed**2, "push": 0.1 * action[0],
            "slower": np.abs(prev_speed) - np.abs(speed)}
"""
EARLY = "def compute_reward(prev_position, action):\n    return {'a': prev_position}"
LATE = "def compute_reward(position):\n    return {'a': position}"


@dataclass
class Walk:
    """Transitions of a real environment, as numbers."""

    before: list[Any] = field(default_factory=list)
    after: list[Any] = field(default_factory=list)
    actions: list[Array] = field(default_factory=list)
    paid: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    terminated: list[bool] = field(default_factory=list)
    truncated: list[bool] = field(default_factory=list)


def walk(env: gym.Env[Any, Any], steps: int, seed: int = 0) -> Walk:
    """Step a wrapped environment with random actions, over several episodes."""
    made = Walk()
    env.action_space.seed(seed)
    obs, _ = env.reset(seed=seed)
    for _ in range(steps):
        action = env.action_space.sample()
        after, reward, terminated, truncated, info = env.step(action)
        made.before.append(obs)
        made.after.append(after)
        made.actions.append(action)
        made.rewards.append(float(reward))
        made.paid.append(info["sparse_reward"])
        made.parts.append(info["reward_components"])
        made.terminated.append(terminated)
        made.truncated.append(truncated)
        obs = env.reset()[0] if terminated or truncated else after
    return made


def scaled(env: gym.Env[Any, Any], action: Array) -> Array:
    """What SB3's off-policy learners store of an action (``policy.scale_action``)."""
    assert isinstance(env.action_space, gym.spaces.Box)
    low, high = env.action_space.low, env.action_space.high
    stored: Array = 2.0 * ((action - low) / (high - low)) - 1.0
    return stored


def replay(env: gym.Env[Any, Any], made: Walk, size: int = 0, **options: Any) -> Any:
    from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer

    keyed = isinstance(made.before[0], dict)
    kind: Any = DictReplayBuffer if keyed else ReplayBuffer
    buffer = kind(
        size or len(made.paid), env.observation_space, env.action_space, **options
    )
    for t, paid in enumerate(made.paid):
        over = made.terminated[t] or made.truncated[t]
        buffer.add(
            lifted(made.before[t]),
            lifted(made.after[t]),
            scaled(env, made.actions[t])[None],
            np.array([paid]),
            np.array([over]),
            [{"TimeLimit.truncated": made.truncated[t]}],
        )
    return buffer


def lifted(obs: Any) -> Any:
    if isinstance(obs, dict):
        return {key: value[None] for key, value in obs.items()}
    return obs[None]


def car(combine: str) -> gym.Env[Any, Any]:
    env = gym.make("MountainCarContinuous-v0", max_episode_steps=40)
    wrapped: gym.Env[Any, Any] = reward_synth.wrap(
        env, PROGRAM, combine, task=CAR, weight=0.5
    )
    return wrapped


@pytest.mark.parametrize("combine", ["replace", "add", "potential"])
def test_a_replay_buffer_scores_as_the_wrapped_environment(combine: str) -> None:
    """Each stored transition gets what the wrapper paid for it, in order.

    float32 holds 24 bits: rewards up to 100 agree within 1e-5 relative, and a
    potential of order 1, scaled by it, within 1e-6.
    """
    env = car(combine)
    made = walk(env, 100)
    buffer = replay(env, made)
    before = buffer.rewards.copy()
    result = reward_synth.relabel(
        buffer, PROGRAM, task=CAR, combine=combine, weight=0.5, components=True
    )
    assert result[0].shape == buffer.rewards.shape
    assert result[0].dtype == np.float32
    np.testing.assert_allclose(result[0][:, 0], made.rewards, 1e-5, 1e-6)
    for name in made.parts[0]:
        expected = [part[name] for part in made.parts]
        np.testing.assert_allclose(
            result.components[0][name][:, 0], expected, 1e-5, 1e-6
        )
    assert result.known.all()
    np.testing.assert_array_equal(buffer.rewards, before)


def test_only_the_filled_part_is_read_and_a_full_ring_entirely() -> None:
    """Results have one row a stored step; a ring that went round keeps its places."""
    env = car("replace")
    made = walk(env, 30)
    part = reward_synth.relabel(replay(env, made, 50), PROGRAM, task=CAR)
    assert part[0].shape == (30, 1)
    ring = reward_synth.relabel(replay(env, made, 20), PROGRAM, task=CAR)
    newest = np.roll(made.rewards[10:], 10)  # 30 steps in 20 places: the next is 10
    np.testing.assert_allclose(ring[0][:, 0], newest, 1e-5, 1e-6)


def test_potential_is_zero_at_terminated_states_alone() -> None:
    """phi = position, gamma 0.5: 0.5 * 4 - 2 = 0 goes on, is cut off, or ends at -2."""
    buffer = SimpleNamespace(
        observations=np.full((3, 1, 1), 2.0),
        next_observations=np.full((3, 1, 1), 4.0),
        actions=np.zeros((3, 1, 1)),
        rewards=np.ones((3, 1)),
        dones=np.array([[0.0], [1.0], [1.0]]),
        timeouts=np.array([[0.0], [1.0], [0.0]]),
        pos=0,
        full=True,
    )
    program = "def compute_potential(position):\n    return position"
    task = replace(CAR, fields=(Field("position", source="obs[0]"),))
    new = reward_synth.relabel(
        buffer, program, task=task, combine="potential", gamma=0.5
    )
    np.testing.assert_array_equal(new[0][:, 0], [1.0, 1.0, -1.0])


def test_scaled_actions_are_turned_back() -> None:
    """Pendulum's torque lies in [-2, 2]; learners store half of it."""
    env = reward_synth.wrap(gym.make("Pendulum-v1"), SWING, "replace", task=PENDULUM)
    made = walk(env, 50)
    buffer = replay(env, made)
    result = reward_synth.relabel(buffer, SWING, task=PENDULUM)
    np.testing.assert_allclose(result[0][:, 0], made.rewards, 1e-4, 1e-5)
    buffer.actions[:, 0] = made.actions
    own = reward_synth.relabel(buffer, SWING, task=PENDULUM, actions="env")
    np.testing.assert_allclose(own[0], result[0], 1e-5, 1e-6)
    with pytest.raises(UsageError, match="actions='env'"):
        reward_synth.relabel(buffer, SWING, task=PENDULUM)


class _Keyed(gym.ObservationWrapper[Any, Any, Any]):
    """Splits an observation into two keys."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        box = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)
        self.observation_space = gym.spaces.Dict({"place": box, "motion": box})

    def observation(self, observation: Any) -> Any:
        return {"place": observation[:1], "motion": observation[1:]}


KEYED = replace(
    CAR,
    fields=(
        Field("position", source="obs.place[0]"),
        Field("velocity", source="sim.state", check="obs.motion[0]"),
    ),
)


def test_dict_buffers_are_read_by_key_and_by_the_second_place() -> None:
    """``obs.key`` reads a key; ``check`` names a place that holds the same value."""
    keyed = replace(
        KEYED, fields=(KEYED.fields[0], Field("velocity", source="obs.motion[0]"))
    )
    env = reward_synth.wrap(
        _Keyed(gym.make("MountainCarContinuous-v0")), PROGRAM, "add", task=keyed
    )
    made = walk(env, 40)
    result = reward_synth.relabel(replay(env, made), PROGRAM, task=KEYED, combine="add")
    np.testing.assert_allclose(result[0][:, 0], made.rewards, 1e-5, 1e-6)


def rollout(env: gym.Env[Any, Any], made: Walk) -> Any:
    import torch
    from stable_baselines3.common.buffers import RolloutBuffer

    buffer = RolloutBuffer(len(made.paid), env.observation_space, env.action_space)
    start = True
    for t, paid in enumerate(made.paid):
        beyond = np.where(made.actions[t] > 0.5, 3.0, made.actions[t])
        buffer.add(
            made.before[t][None],
            beyond[None],
            np.array([paid]),
            np.array([start]),
            torch.zeros(1),
            torch.zeros(1),
        )
        start = made.terminated[t] or made.truncated[t]
    return buffer


class _Bold(gym.ActionWrapper[Any, Any, Any]):
    """Full power for every action above one half."""

    def action(self, action: Any) -> Any:
        return np.where(action > 0.5, np.float32(1.0), action)


def test_rollout_buffers_keep_the_reward_where_the_next_state_is_missing() -> None:
    """The last step of each episode and of the buffer keeps its reward; others do not.

    The stored actions go beyond the bounds, as a Gaussian's do; the environment
    received them clipped, that is 1 for every 3.
    """
    env = gym.make("MountainCarContinuous-v0", max_episode_steps=40)
    wrapped = reward_synth.wrap(env, PROGRAM, "replace", task=CAR)
    made = walk(_Bold(wrapped), 100)
    buffer = rollout(env, made)
    with pytest.raises(UsageError, match="3 of 100 stored steps"):
        reward_synth.relabel(buffer, PROGRAM, task=CAR)
    result = reward_synth.relabel(buffer, PROGRAM, task=CAR, missing="keep")
    lost = [39, 79, 99]
    assert np.flatnonzero(~result.known[:, 0]).tolist() == lost
    expected = np.array(made.rewards)
    expected[lost] = np.array(made.paid)[lost]
    np.testing.assert_allclose(result[0][:, 0], expected, 1e-5, 1e-6)


def test_programs_of_earlier_fields_need_no_next_state() -> None:
    """``prev_`` fields and the action are stored for every step of a rollout."""
    env = car("replace")
    made = walk(env, 50)
    result = reward_synth.relabel(rollout(env, made), EARLY, task=CAR)
    np.testing.assert_array_equal(result[0][:, 0], [obs[0] for obs in made.before])
    assert result.known.all()


def test_a_rollout_buffer_in_use_is_refused() -> None:
    """Sampling reorders a rollout buffer, after which time cannot be told."""
    env = car("replace")
    buffer = rollout(env, walk(env, 20))
    next(buffer.get(5))
    with pytest.raises(UsageError, match="generator_ready"):
        reward_synth.relabel(buffer, EARLY, task=CAR)


def test_the_memory_saving_variant_misses_the_ends_of_episodes() -> None:
    """It writes the next episode over the last state of each; the rest is right."""
    env = car("replace")
    made = walk(env, 100)
    saving = {"optimize_memory_usage": True, "handle_timeout_termination": False}
    buffer = replay(env, made, 200, **saving)
    with pytest.raises(UsageError, match="2 of 100 stored steps"):
        reward_synth.relabel(buffer, PROGRAM, task=CAR)
    result = reward_synth.relabel(buffer, PROGRAM, task=CAR, missing="keep")
    known = result.known[:, 0]
    assert np.flatnonzero(~known).tolist() == [39, 79]
    expected = np.where(known, made.rewards, made.paid)
    np.testing.assert_allclose(result[0][:, 0], expected, 1e-5, 1e-6)


def test_inplace_writes_one_program_into_the_buffer() -> None:
    """The filled part changes, its type and the rest do not."""
    env = car("replace")
    buffer = replay(env, walk(env, 30), 50)
    result = reward_synth.relabel(buffer, PROGRAM, task=CAR, inplace=True)
    np.testing.assert_array_equal(buffer.rewards[:30], result[0])
    assert not buffer.rewards[30:].any()
    assert buffer.rewards.dtype == np.float32
    with pytest.raises(UsageError, match="one program, received 2"):
        reward_synth.relabel(buffer, [PROGRAM, LATE], task=CAR, inplace=True)
    buffer.goal_selection_strategy = "future"  # as HerReplayBuffer has it
    with pytest.raises(UsageError, match="computes the rewards of relabelled goals"):
        reward_synth.relabel(buffer, PROGRAM, task=CAR, inplace=True)


def test_many_programs_share_one_pass() -> None:
    """One array a program, in the given order."""
    env = car("replace")
    buffer = replay(env, walk(env, 30))
    both = reward_synth.relabel(buffer, [LATE, PROGRAM], task=CAR)
    assert len(both) == 2
    for result, program in zip(both, [LATE, PROGRAM], strict=True):
        alone = reward_synth.relabel(buffer, program, task=CAR)
        np.testing.assert_allclose(result, alone[0], 1e-6)


def test_a_reward_that_is_not_finite_counts_as_nothing() -> None:
    """1 / 0 pays 0 beside the stored reward of that step, with a warning."""
    env = car("replace")
    buffer = replay(env, walk(env, 3))
    buffer.next_observations[1, 0, 0] = 0.0
    program = "def compute_reward(position):\n    return {'a': 1.0 / position}"
    with pytest.warns(NonFiniteRewardWarning, match="1 stored step"):
        new = reward_synth.relabel(buffer, program, task=CAR, combine="add")
    assert new[0][1, 0] == buffer.rewards[1, 0]
    assert np.isfinite(new[0]).all()


def test_the_task_is_described_from_the_programs_name(tmp_path: Path) -> None:
    """Without ``task`` the environment that a program's file names is described."""
    env = car("replace")
    buffer = replay(env, walk(env, 10))
    RewardProgram.of(PROGRAM, CAR).save(tmp_path / "reward.py")
    result = reward_synth.relabel(buffer, tmp_path / "reward.py")
    expected = reward_synth.relabel(buffer, PROGRAM, task=CAR)
    np.testing.assert_array_equal(result[0], expected[0])
    with pytest.raises(UsageError, match=r"Give task=\.\.\."):
        reward_synth.relabel(buffer, PROGRAM)


def test_what_is_not_stored_is_refused_by_name() -> None:
    """Fields of the simulator and of info are named, with what to do instead."""
    hidden = (
        Field("position", source="sim.state[0]"),
        Field("velocity", source="info.v"),
    )
    env = car("replace")
    buffer = replay(env, walk(env, 5))
    with pytest.raises(
        FieldMismatchError, match=r"position \(sim\.state\[0\]\), velocity \(info\.v\)"
    ):
        reward_synth.relabel(buffer, PROGRAM, task=replace(CAR, fields=hidden))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"combine": "mix"}, UsageError, "combine='mix'"),
        ({"missing": "drop"}, UsageError, "missing='drop'"),
        ({"actions": "raw"}, UsageError, "actions='raw'"),
        ({"gamma": 2.0}, UsageError, "gamma"),
        ({"programs": [lambda t: 1.0]}, UsageError, "is a function"),
        ({"programs": LATE, "combine": "potential"}, ProgramError, "compute_potential"),
        ({"programs": []}, UsageError, "at least one"),
        ({"buffer": {}}, UsageError, "dict cannot be relabelled"),
    ],
)
def test_wrong_arguments_are_named(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    """A wrong argument is refused with its name, before anything is computed."""
    env = car("replace")
    given: dict[str, Any] = {
        "buffer": replay(env, walk(env, 2)),
        "programs": PROGRAM,
        "task": CAR,
    }
    with pytest.raises(error, match=words):
        reward_synth.relabel(**(given | options))


def test_an_empty_buffer_is_refused() -> None:
    """Nothing stored, nothing to score."""
    env = car("replace")
    made = walk(env, 1)
    buffer = replay(env, made, 5)
    buffer.reset()
    with pytest.raises(UsageError, match="empty"):
        reward_synth.relabel(buffer, PROGRAM, task=CAR)


def episode(made: Walk, first: int, last: int) -> SimpleNamespace:
    part = slice(first, last)
    return SimpleNamespace(
        observations=np.array([*made.before[part], made.after[last - 1]]),
        actions=np.array(made.actions[part]),
        rewards=np.array(made.paid[part]),
        terminations=np.array(made.terminated[part]),
        truncations=np.array(made.truncated[part]),
    )


def test_data_sets_score_all_episodes_behind_one_another() -> None:
    """An episode of T steps holds T + 1 observations, so no next state is missing."""
    env = car("add")
    made = walk(env, 100)
    parts = [episode(made, *part) for part in ((0, 40), (40, 80), (80, 100))]
    dataset = SimpleNamespace(iterate_episodes=lambda: iter(parts))
    result = reward_synth.relabel(dataset, PROGRAM, task=CAR, combine="add", weight=0.5)
    np.testing.assert_allclose(result[0], made.rewards, 1e-5, 1e-6)
    with pytest.raises(UsageError, match="cannot be written"):
        reward_synth.relabel(dataset, PROGRAM, task=CAR, inplace=True)
