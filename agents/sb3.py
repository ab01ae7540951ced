"""The door to Stable-Baselines3: builds and trains agents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.policies import BasePolicy

from reward_synth.agents import schedule
from reward_synth.agents.callbacks import (
    ProgressCallback,
    RewardComponentsCallback,
    WeightsCallback,
)
from reward_synth.agents.progress import CURVES, WEIGHTS
from reward_synth.agents.weights import write_weights
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.agents.trainer import Tell
    from reward_synth.agents.trial_spec import TrialSpec

_CLASSES: dict[str, type[BaseAlgorithm]] = {"sac": SAC, "ppo": PPO}


def train(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Train an agent on one arm; its weights are in ``folder / "weights"`` then.

    Args:
        spec: The trial.
        folder: Takes logs and weights.
        tell: Is told the progress.
    """
    torch.set_num_threads(1)  # trials run beside each other
    env: Monitor[Any, Any] = Monitor(spec.build())
    learn(spec, make_agent(spec, env), folder, tell)
    env.close()


def learn(spec: TrialSpec, model: BaseAlgorithm, folder: Path, tell: Tell) -> None:
    """Let an untrained agent learn; keep logs, and weights when they are measured."""
    model.set_logger(configure(str(folder), ["tensorboard"]))
    every = schedule.every(spec.steps, spec.evaluations)
    callbacks = CallbackList(
        [
            RewardComponentsCallback(folder / CURVES),
            ProgressCallback(tell),
            WeightsCallback(every, folder / WEIGHTS),
        ]
    )
    model.learn(spec.steps, callback=callbacks)
    name = schedule.weights_file(schedule.FINAL)
    write_weights(model.policy.state_dict(), folder / WEIGHTS / name)
    model.logger.close()


def make_agent(spec: TrialSpec, env: gym.Env[Any, Any]) -> BaseAlgorithm:
    """Return an untrained agent for ``env``."""
    make = _sac if algorithm(spec, env) == "sac" else _ppo
    return make(spec, env)


def make_policy(spec: TrialSpec, env: gym.Env[Any, Any]) -> BasePolicy:
    """Return an untrained policy, as the agent of ``spec`` has it.

    Args:
        spec: The trial.
        env: Of the same spaces as the one that is trained in.
    """
    agent = _CLASSES[algorithm(spec, env)]
    # Stable-Baselines3 may turn the axes of pictures.
    spaces = agent._wrap_env(env, verbose=0, monitor_wrapper=True)
    policy: BasePolicy = agent.policy_aliases[policy_for(env)](
        spaces.observation_space,
        spaces.action_space,
        lambda _: spec.agent.learning_rate,
        net_arch=spec.agent.layers(_size(env)),
    )
    return policy


def evaluation_points(spec: TrialSpec, env: gym.Env[Any, Any]) -> list[int]:
    """Return the environment steps at which the agent of ``spec`` is measured."""
    sac = algorithm(spec, env) == "sac"
    block = spec.agent.steps_an_update(_size(env)) if sac else schedule.ROLLOUT
    return schedule.points(spec.steps, spec.evaluations, block)


def algorithm(spec: TrialSpec, env: gym.Env[Any, Any]) -> str:
    """Return the name of the algorithm that learns in ``env``.

    Raises:
        UsageError: It cannot learn there.
    """
    continuous = isinstance(env.action_space, gym.spaces.Box)
    chosen = spec.agent.algorithm
    if chosen == "auto":
        return "sac" if continuous else "ppo"
    if chosen == "sac" and not continuous:
        raise UsageError(
            f"SAC needs continuous actions, but {spec.env.name} has "
            f"{env.action_space}. Use --algorithm ppo."
        )
    return chosen


def policy_for(env: gym.Env[Any, Any]) -> str:
    """Return Stable-Baselines3's policy name for the observation space."""
    is_dict = isinstance(env.observation_space, gym.spaces.Dict)
    return "MultiInputPolicy" if is_dict else "MlpPolicy"


def _size(env: gym.Env[Any, Any]) -> int:
    return int(gym.spaces.flatdim(env.observation_space))


def _sac(spec: TrialSpec, env: gym.Env[Any, Any]) -> BaseAlgorithm:
    agent = spec.agent
    return SAC(
        policy_for(env),
        env,
        gamma=spec.gamma,
        learning_rate=agent.learning_rate,
        batch_size=agent.batch_size,
        learning_starts=min(agent.learning_starts, max(1, spec.steps // 2)),
        train_freq=agent.steps_an_update(_size(env)),
        gradient_steps=1,
        ent_coef=agent.ent_coef,
        buffer_size=min(agent.buffer_size, spec.steps),
        policy_kwargs={"net_arch": agent.layers(_size(env))},
        seed=spec.seed,
        device="cpu",
    )


def _ppo(spec: TrialSpec, env: gym.Env[Any, Any]) -> BaseAlgorithm:
    agent = spec.agent
    return PPO(
        policy_for(env),
        env,
        n_steps=schedule.ROLLOUT,
        gamma=spec.gamma,
        learning_rate=agent.learning_rate,
        policy_kwargs={"net_arch": agent.layers(_size(env))},
        seed=spec.seed,
        device="cpu",
    )
