"""DenseReward: what it pays, what it publishes, and what it never lets through."""

from __future__ import annotations

import math
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import reward_synth
from reward_synth.errors import (
    FieldMismatchError,
    ProgramError,
    ProgramMismatchError,
    UsageError,
)
from reward_synth.program import RewardProgram
from reward_synth.reward import Transition
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import DenseReward, NonFiniteRewardWarning

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
TASK = TaskSpec(
    "MountainCarContinuous-v0",
    "Drive up the hill.",
    (Field("position", source="obs[0]"), Field("velocity", source="obs[1]")),
    Field("action", (1,)),
    gamma=0.9,
)


def car() -> gym.Env[Any, Any]:
    return gym.make("MountainCarContinuous-v0")


def dense(**options: Any) -> DenseReward:
    return DenseReward(car(), PROGRAM, TASK, **options)


class Line(gym.Env[Any, Any]):
    """Walks along a line; reuses one observation buffer, as NLE does."""

    observation_space = gym.spaces.Box(-100.0, 100.0, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(
        self, end: int = 3, rewards: float = 0.0, *, truncate: bool = False
    ) -> None:
        self.buffer = np.zeros(1)
        self.end, self.rewards, self.truncate = end, rewards, truncate
        self.count = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        self.buffer[:] = 1.0
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.count += 1
        self.buffer += 1.0
        over = self.count >= self.end
        ends = (False, over) if self.truncate else (over, False)
        return self.buffer, self.rewards, *ends, {}


LINE = TaskSpec(
    "Line", "walk", (Field("x", source="obs[0]"),), Field("action", dtype="int")
)


def test_add_pays_the_environment_and_every_component() -> None:
    """Under add the reward is the environment's plus the sum of the components."""
    env = dense()
    before, _ = env.reset(seed=3)
    start = before.copy()
    action = np.array([0.5], np.float32)
    after, reward, _, _, info = env.step(action)
    expected = {
        "moved": float(after[0]) - float(start[0]),
        "speed": 0.5 * abs(float(after[1])),
        "effort": -0.1 * 0.25,
    }
    assert info["reward_components"] == pytest.approx(expected)
    assert info["sparse_reward"] == pytest.approx(-0.1 * 0.25)  # the car's action cost
    assert reward == pytest.approx(sum(expected.values()) + info["sparse_reward"])
    assert type(reward) is float


def test_replace_pays_the_components_alone() -> None:
    """Under replace the environment's reward is published but not paid."""
    env = dense(combine="replace")
    env.reset(seed=3)
    _, reward, _, _, info = env.step(np.array([1.0], np.float32))
    assert reward == pytest.approx(sum(info["reward_components"].values()))
    assert info["sparse_reward"] == pytest.approx(-0.1)


@settings(max_examples=25, deadline=None)
@given(
    gamma=st.floats(0.5, 1.0),
    steps=st.integers(1, 8),
    weight=st.floats(-2.0, 2.0),
)
def test_discounted_shaping_telescopes(gamma: float, steps: int, weight: float) -> None:
    """sum gamma^t F_t = gamma^T phi(s_T) - phi(s_0) on a truncated episode."""
    source = "def compute_potential(x):\n    return x * x"
    env = DenseReward(
        Line(steps, truncate=True), source + "\n", LINE, "potential", gamma, weight
    )
    env.reset()
    rewards = [env.step(0)[1] for _ in range(steps)]
    shaped = sum(gamma**t * float(r) for t, r in enumerate(rewards))
    last = 1.0 + steps
    assert shaped == pytest.approx(weight * (gamma**steps * last**2 - 1.0))


def test_a_terminal_state_has_no_potential_a_truncated_one_keeps_it() -> None:
    """phi(s') counts as 0 where the task ended, and stays where the clock did."""
    source = "def compute_potential(x):\n    return x\n"
    for truncate, expected in ((False, -3.0), (True, 0.5 * 4.0 - 3.0)):
        env = DenseReward(Line(3, truncate=truncate), source, LINE, "potential", 0.5)
        env.reset()
        rewards = [env.step(0)[1] for _ in range(3)]
        assert rewards[-1] == pytest.approx(expected)


def test_reused_buffers_do_not_change_what_was_before() -> None:
    """prev_x is the value before the step, also where the environment overwrites it."""
    env = DenseReward(
        Line(), "def compute_reward(x, prev_x):\n    return {'d': x - prev_x}\n", LINE
    )
    env.reset()
    assert env.step(0)[1] == 1.0
    assert env.step(0)[1] == 1.0


def test_the_last_step_sums_up_the_episode() -> None:
    """info['reward_synth'] holds sparse and dense return and each component's sum."""
    env = DenseReward(
        Line(3, rewards=0.25), "def compute_reward(x):\n    return {'x': x}\n", LINE
    )
    for _ in range(2):  # sums begin anew with every episode
        env.reset()
        infos = [env.step(0)[4] for _ in range(3)]
        assert "reward_synth" not in infos[0]
        assert infos[-1]["reward_synth"] == {
            "sparse_return": 0.75,
            "dense_return": 0.75 + 2 + 3 + 4,
            "components": {"x": 9.0},
            "faults": 0,
        }


@pytest.mark.parametrize(
    ("combine", "expected"), [("add", 0.25), ("replace", 0.0), ("potential", 0.25)]
)
def test_no_nan_reaches_a_learner(combine: str, expected: float) -> None:
    """A step whose dense part is not finite earns the environment's reward alone."""
    source = (
        "def compute_reward(x):\n    return {'bad': 1.0 / (x - 3.0)}\n\n\n"
        "def compute_potential(x):\n    return 1.0 / (x - 3.0)\n"
    )
    env = DenseReward(Line(9, rewards=0.25), source, LINE, combine)
    env.reset()
    env.step(0)
    with pytest.warns(NonFiniteRewardWarning, match="not finite"):
        _, reward, _, _, info = env.step(0)  # x = 3
    assert reward == expected
    assert all(math.isfinite(value) for value in info["reward_components"].values())
    for _ in range(3):
        assert math.isfinite(float(env.step(0)[1]))


def test_a_nan_of_the_environment_is_not_passed_on() -> None:
    """The environment's own NaN is counted and paid as 0."""
    env = DenseReward(Line(1, rewards=math.nan), lambda t: 1.0, LINE)
    env.reset()
    with pytest.warns(NonFiniteRewardWarning, match="environment"):
        _, reward, _, _, info = env.step(0)
    assert reward == 1.0
    assert info["reward_synth"]["faults"] == 1


def test_a_function_sees_one_transition() -> None:
    """A user's function gets fields without the batch axis, action and flags."""
    seen: list[Transition] = []

    def reward(transition: Transition) -> dict[str, float]:
        seen.append(transition)
        return {"x": float(transition.after["x"])}

    env = DenseReward(Line(1), reward, LINE)
    env.reset()
    _, paid, _, _, info = env.step(1)
    assert paid == 2.0
    assert info["reward_components"] == {"x": 2.0}
    (only,) = seen
    assert (float(only.before["x"]), int(only.action), only.terminated) == (
        1.0,
        1,
        True,
    )


def test_gymnasium_accepts_the_wrapped_environment() -> None:
    """Gymnasium's own checker passes: determinism, spaces, seeding."""
    check_env(dense(), skip_render_check=True)


def test_stable_baselines_accepts_the_wrapped_environment() -> None:
    """Stable-Baselines3's checker passes; it insists on a Python float."""
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    sb3.check_env(dense())


def test_a_wrapped_environment_is_made_again_from_its_spec() -> None:
    """gym.make(env.spec) gives the same rewards, also through JSON."""
    env = dense(weight=0.5)
    assert env.spec is not None
    text = env.spec.to_json()
    again = gym.make(gym.envs.registration.EnvSpec.from_json(text))
    rewards = []
    for item in (env, again):
        item.reset(seed=7)
        rewards.append(
            [float(item.step(np.array([a], np.float32))[1]) for a in (1, -1, 0)]
        )
    assert rewards[0] == rewards[1]


def test_a_wrapped_environment_pickles() -> None:
    """Pickling keeps program, task and state; kernels are compiled anew."""
    env = dense()
    env.reset(seed=1)
    copy = pickle.loads(pickle.dumps(env))
    action = np.array([0.3], np.float32)
    assert copy.step(action)[1] == env.step(action)[1]


def test_worker_processes_can_have_it() -> None:
    """AsyncVectorEnv runs wrapped environments in other processes."""
    envs = gym.vector.AsyncVectorEnv([dense, dense])
    try:
        envs.reset(seed=0)
        _, rewards, _, _, infos = envs.step(np.zeros((2, 1), np.float32))
        np.testing.assert_allclose(
            rewards - infos["sparse_reward"],
            sum(
                infos["reward_components"][name]
                for name in ("moved", "speed", "effort")
            ),
        )
        assert infos["sparse_reward"].shape == (2,)
    finally:
        envs.close()


def test_sb3_helpers_take_wrap_as_a_wrapper_class() -> None:
    """make_vec_env(wrapper_class=reward_synth.wrap) works, also with subprocesses."""
    util = pytest.importorskip("stable_baselines3.common.env_util")
    vec = pytest.importorskip("stable_baselines3.common.vec_env")
    envs = util.make_vec_env(
        "MountainCarContinuous-v0",
        n_envs=2,
        seed=0,
        wrapper_class=reward_synth.wrap,
        wrapper_kwargs={"reward": PROGRAM},
        vec_env_cls=vec.SubprocVecEnv,
    )
    try:
        envs.reset()
        _, rewards, _, infos = envs.step(np.zeros((2, 1)))
        for reward, info in zip(rewards, infos, strict=True):
            total = sum(info["reward_components"].values()) + info["sparse_reward"]
            assert reward == pytest.approx(total, rel=1e-6)
    finally:
        envs.close()


def test_stepping_before_reset_is_refused() -> None:
    """step needs a reset first, as everywhere in Gymnasium."""
    with pytest.raises(gym.error.ResetNeeded):
        DenseReward(Line(), lambda t: 0.0, LINE).step(0)


def test_wrong_arguments_are_named() -> None:
    """Every wrong argument gives one error that says what fits."""
    with pytest.raises(UsageError, match="Did you mean 'add'"):
        dense(combine="ad")
    with pytest.raises(UsageError, match=r"gamma must lie in \(0, 1\], received 1.5"):
        dense(gamma=1.5)
    with pytest.raises(UsageError, match="weight must be finite"):
        dense(weight=math.nan)
    with pytest.raises(UsageError, match="gamma must be a number, received"):
        dense(gamma="0.9")
    with pytest.raises(UsageError, match="weight must be a number, received None"):
        dense(weight=None)
    with pytest.raises(UsageError, match="The reward is an empty text"):
        DenseReward(car(), "", TASK)
    with pytest.raises(UsageError, match="received 3"):
        DenseReward(car(), 3, TASK)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match=r"Cannot read .*missing\.py"):
        DenseReward(car(), "missing.py", TASK)
    with pytest.raises(UsageError, match="no potential"):
        DenseReward(car(), lambda t: 0.0, TASK, combine="potential")
    with pytest.raises(ProgramError, match="needs compute_potential"):
        DenseReward(
            Line(), "def compute_reward(x):\n    return {'x': x}\n", LINE, "potential"
        )
    with pytest.raises(UsageError, match="a VecEnv of Stable-Baselines3; received str"):
        reward_synth.wrap("MountainCarContinuous-v0", PROGRAM)


def test_a_program_for_another_task_is_refused_with_its_fields() -> None:
    """The error lists each field that is missing or has another shape."""
    program = RewardProgram.of(PROGRAM, TASK)
    with pytest.raises(ProgramMismatchError, match="'position: float' is missing"):
        DenseReward(Line(), program, LINE)


def test_a_field_that_reads_the_wrong_place_is_refused() -> None:
    """A description whose second place disagrees is refused when it is read."""
    wrong = TaskSpec(
        "MountainCarContinuous-v0",
        "",
        (Field("position", source="obs[1]", check="obs[0]"),),
        Field("action", (1,)),
    )
    env = DenseReward(
        car(), "def compute_reward(position):\n    return {'p': position}\n", wrong
    )
    with pytest.raises(FieldMismatchError, match="reads the wrong place"):
        env.reset(seed=0)


def test_wrap_describes_the_environment_itself(tmp_path: Any) -> None:
    """wrap(env, file) needs nothing but the environment and the file."""
    path = tmp_path / "reward.py"
    RewardProgram.of(PROGRAM, TASK).save(path)
    env = reward_synth.wrap(car(), path)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.array([0.0], np.float32))
    assert reward == pytest.approx(
        sum(info["reward_components"].values()) + info["sparse_reward"]
    )


def test_a_gap_in_a_potential_pays_nothing_twice() -> None:
    """Where phi is NaN for a while, the sum is still phi(s_T) - phi(s_0) for gamma 1."""
    source = (
        "import numpy as np\n\n\ndef compute_potential(x):\n"
        "    return np.where(x < 2.5, np.nan, 5.0 + x) if x > 1.5 else 5.0 + x\n"
    )
    env = DenseReward(Line(9, truncate=True), source, LINE, "potential", 1.0)
    env.reset()  # x = 1, phi = 6; x = 2 has none; x = 10 ends with phi = 15
    with pytest.warns(NonFiniteRewardWarning):
        rewards = [float(env.step(0)[1]) for _ in range(9)]
    assert sum(rewards) == pytest.approx(15.0 - 6.0)
    assert rewards[0] == 0.0


def test_an_episode_may_begin_without_a_potential() -> None:
    """phi of the first state counts as 0 where it is not finite."""
    source = "def compute_potential(x):\n    return 1.0 / (x - 1.0)\n"
    env = DenseReward(Line(2, truncate=True), source, LINE, "potential", 1.0)
    with pytest.warns(NonFiniteRewardWarning, match="first state"):
        env.reset()
    assert env.step(0)[1] == 1.0  # phi(2) - 0
