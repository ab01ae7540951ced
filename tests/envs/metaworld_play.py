"""Plays Meta-World's scripted policies."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import gymnasium as gym
import numpy as np


def close(env: gym.Env[Any, Any]) -> None:
    env.close()  # type: ignore[no-untyped-call]


def base_of(env: gym.Env[Any, Any]) -> Any:
    return env.unwrapped


def scripted(name: str) -> Any:
    return import_module("metaworld.policies").ENV_POLICY_MAP[name]()


def play(
    env: gym.Env[Any, Any], name: str, seed: int, steps: int = 200
) -> Iterator[tuple[Any, ...]]:
    """Yield what the steps of the scripted policy return, 3 of them after success."""
    policy, left = scripted(name), steps
    obs, _ = env.reset(seed=seed)
    while left:
        action = np.clip(policy.get_action(obs), -1, 1).astype(np.float32)
        step = env.step(action)
        yield step
        obs = step[0]
        left = min(left - 1, 3) if step[4]["success"] else left - 1
