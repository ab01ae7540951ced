"""Learners, and reward functions that are bad at one moment, for ``bad_rewards.py``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.agents import AgentConfig, TrialSpec
from reward_synth.agents.ppo import PPO
from reward_synth.agents.ppo_config import PPOConfig
from reward_synth.agents.ppo_rollout import make_envs
from reward_synth.envs import resolve
from reward_synth.reward import Transition
from reward_synth.task import Field, TaskSpec
from reward_synth.wrappers import DenseReward, Guard
from reward_synth.wrappers.bonus import VectorBonusReward

STEPS = 192
_GUARD = Guard(stop_after=100)
_OFF: dict[str, Any] = {
    "learning_starts": 32,
    "train_freq": 4,
    "batch_size": 32,
    "buffer_size": 1000,
}
_ON: dict[str, Any] = {"n_steps": 64, "batch_size": 32, "n_epochs": 2}

CART = TaskSpec(
    "CartPole-v1",
    "Balance.",
    (Field("angle", source="obs[2]"),),
    Field("action", dtype="int"),
).with_success("abs(angle) < 0.1")
PENDULUM = TaskSpec(
    "Pendulum-v1",
    "Swing up.",
    (Field("height", source="obs[0]"),),
    Field("action", (1,)),
).with_success("height > 0.9")


def _raise() -> float:
    raise ZeroDivisionError("a reward that raises")


FAULTS: dict[str, Callable[[], float]] = {
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "1e300": lambda: 1e300,
    "raise": _raise,
}
MOMENTS: dict[str, Callable[[int], bool]] = {
    "first": lambda call: call == 1,
    "middle": lambda call: call == STEPS // 2,
    "last": lambda call: call == STEPS,
    "every": lambda call: call > 0,
}


class BadReward:
    """A reward function that is bad at some of its calls."""

    def __init__(self, fault: str, moment: str) -> None:
        self.value, self.now = FAULTS[fault], MOMENTS[moment]
        self.calls = self.faults = 0

    def __call__(self, _: Transition | None = None) -> float:
        """Return 0.1, or do the bad thing."""
        self.calls += 1
        if not self.now(self.calls):
            return 0.1
        self.faults += 1
        return self.value()


class Unguarded(gym.Wrapper[Any, Any, Any, Any]):
    """Adds a function's value to the reward, whatever it is."""

    def __init__(self, env: gym.Env[Any, Any], reward: BadReward) -> None:
        super().__init__(env)
        self.reward = reward

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and add."""
        obs, paid, terminated, truncated, info = self.env.step(action)
        return obs, float(paid) + self.reward(), terminated, truncated, info


def _env(task: TaskSpec, reward: BadReward, guarded: bool) -> gym.Env[Any, Any]:
    env = gym.make(task.id)
    if guarded:
        return DenseReward(env, reward, task, guard=_GUARD)
    return Unguarded(env, reward)


def _venv(task: TaskSpec, reward: BadReward, guarded: bool) -> Any:
    from stable_baselines3.common.vec_env import DummyVecEnv

    from reward_synth.wrappers.sb3 import VecDenseReward

    if not guarded:
        return DummyVecEnv([lambda: Unguarded(gym.make(task.id), reward)] * 2)
    venv = DummyVecEnv([lambda: gym.make(task.id)] * 2)
    return VecDenseReward(venv, reward, task, guard=_GUARD)


def _normalised(task: TaskSpec, reward: BadReward, guarded: bool) -> Any:
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    return VecNormalize(DummyVecEnv([lambda: _env(task, reward, guarded)]))


def make_learner(name: str, reward: BadReward, guarded: bool, seed: int) -> Any:
    """Return an untrained model of one of LEARNERS."""
    import stable_baselines3 as sb3

    from reward_synth.agents.sb3 import make_agent

    if name.startswith("our PPO"):
        return Own(reward, guarded, seed, bonus=name.endswith("bonus"))
    net = {"net_arch": [16]}
    shared: dict[str, Any] = {"seed": seed, "device": "cpu", "policy_kwargs": net}
    if name == "AgentConfig":  # what trials train with
        agent = AgentConfig("sac", net_arch=(16,), batch_size=32, learning_starts=32)
        ref = resolve("Pendulum-v1")
        spec = TrialSpec(ref, PENDULUM, "sparse", STEPS, seed, agent=agent)
        return make_agent(spec, _env(PENDULUM, reward, guarded))
    if name in ("SAC", "TD3"):
        env = _env(PENDULUM, reward, guarded)
        return getattr(sb3, name)("MlpPolicy", env, **_OFF, **shared)
    if name == "DQN":
        env = _env(CART, reward, guarded)
        return sb3.DQN("MlpPolicy", env, **_OFF, **shared)
    make = {"PPO": _env, "PPO, VecDenseReward": _venv, "PPO, VecNormalize": _normalised}
    return sb3.PPO("MlpPolicy", make[name](CART, reward, guarded), **_ON, **shared)


class BadBonus:
    """A bonus that is bad at some of its calls, in every lane."""

    def __init__(self, reward: BadReward) -> None:
        self.reward = reward

    def begin(self, obs: Any, lanes: Any) -> None:
        """Remember nothing."""

    def score(self, *steps: Any, learning: bool) -> Any:
        """Return 0.1 for each lane, or do the bad thing."""
        del learning
        return np.full(len(steps[-1]), self.reward())

    def state(self) -> dict[str, Any]:
        """Return that nothing lasts."""
        return {}

    def load(self, state: Any, /) -> None:
        """Take over nothing."""


class _Adds(gym.vector.VectorWrapper):
    """Adds a bonus to the intrinsic pay, whatever it is."""

    def __init__(self, env: Any, bonus: BadBonus) -> None:
        super().__init__(env)
        self.bonus = bonus

    def step(self, actions: Any) -> Any:
        """Step, and tell the bonus."""
        *found, infos = self.env.step(actions)
        valid = np.ones(self.num_envs, np.bool_)
        infos["bonus"] = self.bonus.score(None, actions, None, valid, learning=True)
        return *found, infos


class Own:
    """Our PPO, as the campaign uses learners of Stable-Baselines3.

    Args:
        reward: Bad at one moment.
        guarded: Whether by our wrappers.
        seed: Of everything.
        bonus: Whether it is a bonus that is bad, and not the reward.
    """

    def __init__(
        self, reward: BadReward, guarded: bool, seed: int, *, bonus: bool
    ) -> None:

        def one() -> gym.Env[Any, Any]:
            return gym.make(CART.id) if bonus else _env(CART, reward, guarded)

        self.envs: Any = make_envs([one])
        if bonus:
            bad = BadBonus(reward)
            self.envs = (
                VectorBonusReward(self.envs, bad, guard=_GUARD)
                if guarded
                else _Adds(self.envs, bad)
            )
        settings = PPOConfig(rollout=64, batches=2, epochs=2, hidden=(16,))
        self.agent = PPO(self.envs, settings, seed=seed)

    def learn(self, steps: int) -> None:
        """Learn for so many steps."""
        self.agent.learn(steps)

    @property
    def num_timesteps(self) -> int:
        """Steps so far."""
        return self.agent.steps

    @property
    def policy(self) -> Any:
        """The network."""
        return self.agent.network

    def get_env(self) -> Any:
        """Return what keeps the record of faults."""
        if isinstance(self.envs, VectorBonusReward):
            return self.envs
        return self.envs.unwrapped


LEARNERS = (
    "PPO", "SAC", "TD3", "DQN", "PPO, VecNormalize", "PPO, VecDenseReward", "AgentConfig",
    "our PPO", "our PPO, bonus",
)  # fmt: skip
