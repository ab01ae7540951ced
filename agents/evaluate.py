"""Measures a policy by the task's own success rule and the environment's own reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.wrappers.sparse import ENV_REWARD, IS_SUCCESS


def evaluate(
    model: Any, env: gym.Env[Any, Any], seeds: Sequence[int]
) -> dict[str, Any]:
    """Run one deterministic episode a seed.

    Args:
        model: Has Stable-Baselines3's ``predict``.
        env: Publishes ``is_success`` and ``env_reward`` (see ``SuccessInfo``).
        seeds: Reset seeds; others than those that chose the reward.

    Returns:
        ``success_any`` and ``success_last`` (share of episodes whose rule held after any
        step, after the last step), ``env_return`` and ``length`` (means).
    """
    rows = [_episode(model, env, seed) for seed in seeds]
    return {
        "success_any": float(np.mean([row["any"] for row in rows])),
        "success_last": float(np.mean([row["last"] for row in rows])),
        "env_return": float(np.mean([row["env_return"] for row in rows])),
        "length": float(np.mean([row["length"] for row in rows])),
    }


def _episode(model: Any, env: gym.Env[Any, Any], seed: int) -> dict[str, Any]:
    obs, _ = env.reset(seed=seed)
    successes: list[bool] = []
    env_return, ended = 0.0, False
    while not ended:
        action, _ = model.predict(obs, deterministic=True)
        obs, _, terminated, truncated, info = env.step(action)
        successes.append(bool(info[IS_SUCCESS]))
        env_return += float(info[ENV_REWARD])
        ended = terminated or truncated
    return {
        "any": any(successes),
        "last": successes[-1],
        "env_return": env_return,
        "length": len(successes),
    }
