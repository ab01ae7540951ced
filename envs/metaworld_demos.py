"""Demonstrations: Meta-World's scripted policies, recorded as rollouts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.envs.metaworld_make import NAMESPACE, make
from reward_synth.envs.policies import Policy
from reward_synth.envs.rollouts import collect
from reward_synth.reward import Rollout
from reward_synth.task import TaskSpec

POLICY = "demonstration"
PERTURBED = "perturbed"
_MOST_STEPS = 250
"""Longest demonstration; scripted policies succeed after 20 to 190 steps."""
_AFTER = 10
"""Steps that are played on after the first success."""


class _StopAfter(gym.Wrapper[Any, Any, Any, Any]):
    """Truncates an episode some steps after its first success."""

    left = _AFTER

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self.left = _AFTER
        return self.env.reset(**given)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and count once success was reached."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if info["success"] or self.left < _AFTER:
            self.left -= 1
        return obs, reward, terminated, truncated or self.left == 0, info


def demonstrations(
    task: TaskSpec, seeds: Iterable[int], *, noise: float = 0.0
) -> Iterator[Rollout]:
    """Yield an episode of the scripted policy for each seed.

    Plain episodes are given where they succeed; with ``noise`` failures are given too:
    near misses, which tell rewards apart better than random play. Every episode ends 10
    steps after its first success.

    Args:
        task: One of Meta-World's, as :func:`reward_synth.envs.metaworld.task_spec`
            describes it.
        seeds: One episode each, with the goal that agents see for that seed.
        noise: Standard deviation of what is added to the actions.
    """
    name = task.id.removeprefix(NAMESPACE)
    env = _StopAfter(make(name))
    try:
        for seed in seeds:
            policy = _policy(name, noise, seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # policies ask for more than they may
                rollout = collect(
                    env, task, policy=policy, seed=seed, max_steps=_MOST_STEPS
                )
            if noise or rollout.succeeded:
                yield replace(rollout, policy=PERTURBED if noise else POLICY)
    finally:
        env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types


def _policy(name: str, noise: float, seed: int) -> Policy:
    scripted = import_module("metaworld.policies").ENV_POLICY_MAP[name]()
    rng = np.random.default_rng(seed)

    def act(obs: Any) -> Any:
        wanted = np.asarray(scripted.get_action(obs), np.float64)
        shaken = np.clip(wanted, -1.0, 1.0) + noise * rng.normal(size=wanted.shape)
        return np.clip(shaken, -1.0, 1.0).astype(np.float32)

    return act
