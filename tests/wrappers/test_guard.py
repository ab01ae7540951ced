"""The guard: bad rewards are counted, left out, and end the training in time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from reward_synth.errors import RewardFaultError, UsageError
from reward_synth.reward import Transition
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import (
    DenseReward,
    Guard,
    NonFiniteRewardWarning,
    RewardFaultWarning,
    VectorDenseReward,
)
from reward_synth.wrappers.bonus import BonusReward, VectorBonusReward

TASK = TaskSpec(
    "Steady", "stay", (Field("time", source="obs[0]"),), Field("action", dtype="int")
)
pytestmark = pytest.mark.filterwarnings(
    "ignore::reward_synth.wrappers.RewardFaultWarning"
)


class Steady(gym.Env[Any, Any]):
    """Pays ``paid`` a step; its observation counts the steps from ``start`` on."""

    def __init__(self, start: float = 0.0, paid: float = 0.25) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = gym.spaces.Discrete(2)
        self.start, self.paid, self.time = start, paid, 0.0

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        self.time = self.start
        return np.array([self.time]), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.time += 1.0
        return np.array([self.time]), self.paid, False, self.time >= 1000, {}


def bad_at(times: Callable[[float], bool], fault: Callable[[], float]) -> Any:
    """Return a reward of 1 a step, but for the steps that lead to ``times``."""

    def reward(t: Transition) -> float:
        return fault() if times(float(t.after["time"])) else 1.0

    return reward


def boom() -> float:
    raise ZeroDivisionError("x / 0")


FAULTS: dict[str, tuple[Callable[[], float], str]] = {
    "nan": (lambda: math.nan, "not finite"),
    "inf": (lambda: math.inf, "not finite"),
    "-inf": (lambda: -math.inf, "not finite"),
    "1e300": (lambda: 1e300, "too large"),
    "huge integer": (lambda: 10**400, "raised"),
    "raise": (boom, "raised"),
}


@pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(("combine", "plain"), [("add", 0.25), ("replace", 0.0)])
def test_a_bad_step_earns_the_base_reward(
    fault: Callable[[], float], kind: str, combine: str, plain: float
) -> None:
    """Steps 1 and 3 fall back, step 2 has its dense reward; the record says why."""
    env = DenseReward(Steady(), bad_at(lambda t: t != 2.0, fault), TASK, combine)
    env.reset(seed=0)
    assert [env.step(0)[1] for _ in range(3)] == [plain, plain + 1.0, plain]
    record = env.faults.record()
    assert (record["faults"], record["kinds"]) == (2, {kind: 2})
    assert record["first"]


@pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS)
def test_a_bad_lane_leaves_the_others_alone(
    fault: Callable[[], float], kind: str
) -> None:
    """In a batch one environment's fault is its own, also where the function raises."""
    envs = SyncVectorEnv([lambda: Steady(0.0), lambda: Steady(100.0)])
    dense = VectorDenseReward(envs, bad_at(lambda t: t < 50.0, fault), TASK)
    dense.reset(seed=0)
    for _ in range(2):
        rewards = dense.step(np.zeros(2, np.int64))[1]
        np.testing.assert_array_equal(rewards, [0.25, 1.25])
    assert dense.rewards.faults.record()["kinds"] == {kind: 2}


def test_episodes_tell_their_faults() -> None:
    """``info["reward_synth"]["faults"]`` counts the episode's, whatever their kind."""
    env = DenseReward(Steady(997.0), bad_at(lambda t: t != 999.0, boom), TASK)
    env.reset(seed=0)
    infos = [env.step(0)[4] for _ in range(3)]
    assert infos[-1]["reward_synth"]["faults"] == 2
    # 0.25 of the environment thrice, 1 of the one good step
    assert infos[-1]["reward_synth"]["dense_return"] == 1.75


@pytest.mark.parametrize("vector", [False, True])
def test_too_many_faults_stop_with_a_reason(vector: bool) -> None:
    """After ``stop_after`` faults comes an error with counts, the first, and the fix."""
    reward, guard = bad_at(lambda t: True, boom), Guard(stop_after=4)
    env: Any
    if vector:
        envs = SyncVectorEnv([Steady, Steady])
        env, steps = VectorDenseReward(envs, reward, TASK, guard=guard), 2
    else:
        env, steps = DenseReward(Steady(), reward, TASK, guard=guard), 4
    env.reset(seed=0)
    action = np.zeros(2, np.int64) if vector else 0
    for _ in range(steps):
        env.step(action)
    with pytest.raises(RewardFaultError) as caught:
        env.step(action)
    text = str(caught.value)
    assert "more than 4 steps" in text
    assert "ZeroDivisionError: x / 0" in text
    assert "stop_after=None" in text
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_without_a_limit_it_never_stops() -> None:
    """``stop_after=None`` goes on with the environment's reward for ever."""
    guard = Guard(stop_after=None)
    env = DenseReward(Steady(-2000.0), bad_at(lambda t: True, boom), TASK, guard=guard)
    env.reset(seed=0)
    assert {env.step(0)[1] for _ in range(1500)} == {0.25}


def test_what_is_too_large_is_the_users_choice() -> None:
    """The dense part counts, not what the environment pays itself."""
    for limit, expected in ((2.0, 1.0e9 + 1.5), (1.0, 1.0e9)):
        env = DenseReward(
            Steady(paid=1.0e9), lambda t: 1.5, TASK, guard=Guard(limit=limit)
        )
        env.reset(seed=0)
        assert env.step(0)[1] == expected


def test_a_huge_potential_at_the_start_counts_as_none() -> None:
    """Phi of 1e260 in the first state would be paid back in every later step."""
    text = "def compute_potential(time):\n    return np.exp(600.0 - 600.0 * time)\n"
    for env in (
        DenseReward(Steady(), text, TASK, "potential", gamma=1.0),
        VectorDenseReward(SyncVectorEnv([Steady]), text, TASK, "potential", gamma=1.0),
    ):
        env.reset(seed=0)
        action = 0 if isinstance(env, DenseReward) else np.zeros(1, np.int64)
        # phi counts as 0, then is 1, then almost 0: the shaping is 1, then -1
        paid: list[Any] = [env.step(action)[1] for _ in range(2)]
        found = [float(np.sum(item)) for item in paid]
        assert found == pytest.approx([1.25, -0.75])


def test_warnings_tell_the_kinds_apart() -> None:
    """NaN warns as it always did; the other kinds with the class that it belongs to."""
    for fault, kind in ((boom, RewardFaultWarning), (FAULTS["nan"][0], NonFiniteRewardWarning)):  # fmt: skip
        env = DenseReward(Steady(), bad_at(lambda t: True, fault), TASK)
        env.reset(seed=0)
        with pytest.warns(kind) as caught:
            env.step(0)
        assert [item.category for item in caught] == [kind]
        assert caught[0].filename == __file__


def test_misuse_is_not_quarantined() -> None:
    """A reward that returns no number at all is an error at once, as before."""
    env = DenseReward(Steady(), lambda t: "much", TASK)  # type: ignore[arg-type,return-value]
    env.reset(seed=0)
    with pytest.raises(UsageError, match="must return a number"):
        env.step(0)


def test_a_guard_must_guard() -> None:
    """A limit that nothing passes, or none at all, is refused."""
    for options in ({"limit": math.inf}, {"limit": -1.0}, {"stop_after": 0}):
        with pytest.raises(UsageError, match="Guard"):
            Guard(**options)


@pytest.mark.parametrize("learner", ["PPO, VecNormalize", "SAC"])
def test_learners_keep_finite_weights(learner: str) -> None:
    """A NaN ruins an unguarded learner, and leaves a guarded one with a record."""
    pytest.importorskip("stable_baselines3")
    from reward_synth.benchmarks.bad_rewards import train

    rows = [train(learner, "nan", "middle", guarded, 0) for guarded in (True, False)]
    assert [row.finite for row in rows] == [True, False]
    assert (rows[0].ended, rows[0].counted, rows[0].faults) == ("whole", 1, 1)
    assert "nan" in rows[0].said


@pytest.mark.parametrize("learner", ["our PPO", "our PPO, bonus"])
@pytest.mark.parametrize("fault", ["nan", "1e300"])
def test_our_ppo_stops_before_what_nobody_guards(learner: str, fault: str) -> None:
    """Guarded it trains on and counts; unguarded it names the step, its weights finite."""
    pytest.importorskip("stable_baselines3")
    from reward_synth.benchmarks.bad_rewards import train

    kept, left = (
        train(learner, fault, "middle", guarded, 0) for guarded in (True, False)
    )
    assert (kept.ended, kept.counted, kept.faults) == ("whole", 1, 1)
    assert left.ended == "RewardFaultError"
    assert left.finite
    assert "step 31 of this rollout" in left.said  # the 96th call, in rollouts of 64


class Bad:
    """A bonus of 0.5, and of something else in one lane."""

    def __init__(self, value: float) -> None:
        self.value = value

    def begin(self, obs: Any, lanes: Any) -> None:
        """Remember nothing."""

    def score(self, *steps: Any, learning: bool) -> Any:
        del learning
        if self.value == 0.0:
            raise RuntimeError("no bonus today")
        return np.where(np.arange(len(steps[-1])) == 1, self.value, 0.5)

    def state(self) -> dict[str, Any]:
        return {}

    def load(self, state: Any, /) -> None:
        """Take over nothing."""


@pytest.mark.parametrize(
    ("value", "paid", "kind", "count"),
    [
        (math.nan, [1.5, 1.0], "not finite", 1),
        (-1e9, [1.5, 1.0], "too large", 1),
        (0.0, [1.0, 1.0], "raised", 2),
    ],
)
def test_a_bad_bonus_is_left_out_in_its_lane(
    value: float, paid: list[float], kind: str, count: int
) -> None:
    """CartPole pays 1; the other lane keeps its bonus, and the record says what was bad."""
    envs = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    wrapped = VectorBonusReward(envs, Bad(value))
    wrapped.reset(seed=0)
    with pytest.warns(UserWarning, match="bonus"):
        rewards = wrapped.step(np.array([0, 1]))[1]
    assert rewards.tolist() == paid
    assert wrapped.faults.record()["kinds"] == {kind: count}


def test_a_bonus_that_is_always_bad_stops_the_training() -> None:
    """After as many faults as the guard allows an error names the first."""
    env = BonusReward(gym.make("CartPole-v1"), Bad(0.0), guard=Guard(stop_after=2))
    env.reset(seed=0)
    with warnings.catch_warnings(action="ignore"):
        env.step(0)
        env.step(1)
        with pytest.raises(RewardFaultError, match="no bonus today"):
            env.step(0)
