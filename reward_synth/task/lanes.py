"""How many environments an object steps at once."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.vector.utils import batch_space


def lanes_of(env: gym.Env[Any, Any]) -> int:
    """Return how many environments ``env`` steps at once.

    Example:
        >>> lanes_of(gym.make("CartPole-v1"))
        1
    """
    return int(getattr(env.unwrapped, "num_envs", 1) or 1)


def is_batch(env: gym.Env[Any, Any]) -> bool:
    """Tell whether its observations are a batch, be it of one environment.

    Example:
        >>> is_batch(gym.make("CartPole-v1"))
        False
    """
    if lanes_of(env) > 1:
        return True
    single = getattr(env.unwrapped, "single_observation_space", None)
    return single is not None and bool(env.observation_space == batch_space(single, 1))
