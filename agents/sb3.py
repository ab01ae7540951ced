"""The door to Stable-Baselines3: builds and trains agents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor

from reward_synth.agents.callbacks import (
    CurveCallback,
    ProgressCallback,
    RewardComponentsCallback,
)
from reward_synth.agents.progress import CURVES
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.agents.trial import TrialSpec


def train(
    spec: TrialSpec, folder: Path, evaluate: Callable[[Any], dict[str, Any]]
) -> tuple[BaseAlgorithm, list[dict[str, Any]]]:
    """Train an agent on one arm.

    Args:
        spec: The trial.
        folder: Takes logs.
        evaluate: Measures a model; called ``spec.evaluations`` times.

    Returns:
        The model and the evaluations, each with its ``step``.
    """
    torch.set_num_threads(1)  # trials run beside each other
    env: Monitor[Any, Any] = Monitor(spec.build())
    model = make_agent(spec, env)
    model.set_logger(configure(str(folder), ["tensorboard"]))
    curve = CurveCallback(max(1, spec.steps // spec.evaluations), evaluate, folder)
    callbacks = CallbackList(
        [
            RewardComponentsCallback(folder / CURVES),
            ProgressCallback(folder, spec.steps),
            curve,
        ]
    )
    model.learn(spec.steps, callback=callbacks)
    env.close()
    return model, curve.points


def make_agent(spec: TrialSpec, env: gym.Env[Any, Any]) -> BaseAlgorithm:
    """Return an untrained agent for ``env``."""
    algorithm = spec.agent.algorithm
    continuous = isinstance(env.action_space, gym.spaces.Box)
    if algorithm == "auto":
        algorithm = "sac" if continuous else "ppo"
    if algorithm == "sac" and not continuous:
        raise UsageError(
            f"SAC needs continuous actions, but {spec.env.name} has "
            f"{env.action_space}. Use --algorithm ppo."
        )
    return _sac(spec, env) if algorithm == "sac" else _ppo(spec, env)


def policy_for(env: gym.Env[Any, Any]) -> str:
    """Return Stable-Baselines3's policy name for the observation space."""
    is_dict = isinstance(env.observation_space, gym.spaces.Dict)
    return "MultiInputPolicy" if is_dict else "MlpPolicy"


def _size(env: gym.Env[Any, Any]) -> int:
    return int(gym.spaces.flatdim(env.observation_space))


def _sac(spec: TrialSpec, env: gym.Env[Any, Any]) -> SAC:
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


def _ppo(spec: TrialSpec, env: gym.Env[Any, Any]) -> PPO:
    agent = spec.agent
    return PPO(
        policy_for(env),
        env,
        gamma=spec.gamma,
        learning_rate=agent.learning_rate,
        policy_kwargs={"net_arch": agent.layers(_size(env))},
        seed=spec.seed,
        device="cpu",
    )
