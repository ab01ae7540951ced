"""Dense rewards for one environment that is a batch in itself, as ManiSkill's on a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.combine import Combiner
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction, Step
from reward_synth.task import TaskSpec, as_array, lanes_of
from reward_synth.wrappers.guard import Guard
from reward_synth.wrappers.lanes import LaneRewards
from reward_synth.wrappers.publish import PublishFields
from reward_synth.wrappers.sparse import as_task
from reward_synth.wrappers.vector import CHOSEN, like, numbered
from reward_synth.wrappers.words import COMPONENTS, EPISODE, SPARSE_REWARD


class BatchedDenseReward(gym.Wrapper[Any, Any, Any, Any]):
    """Gives each environment of a batched simulator a dense reward.

    Such an environment steps ``num_envs`` scenes at once, gives arrays or tensors, and
    resets nothing by itself: ``reset(options={"env_idx": numbers})`` resets some.
    Simulator fields are read before anything is reset. ``info`` holds what
    :class:`DenseReward` tells, as arrays. :func:`reward_synth.wrap` fills in ``task``.

    Args:
        env: The environment.
        reward: As for :class:`DenseReward`.
        task: The task of each scene, or its JSON data.
        combine: As for :class:`DenseReward`.
        gamma: The agent's discount, for ``potential``; the task's by default.
        weight: Factor of the dense part under ``add`` and ``potential``.
        guard: What is done about rewards that no learner survives; see
            :class:`Guard`.

    Raises:
        UsageError: The environment steps one scene alone, or an argument does not fit.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        reward: RewardProgram | RewardFunction | str | Path,
        task: TaskSpec | Mapping[str, Any],
        combine: str | Combiner = "add",
        gamma: float | None = None,
        weight: float = 1.0,
        guard: Guard | None = None,
    ) -> None:
        lanes = lanes_of(env)
        if lanes < 2:  # noqa: PLR2004 - a batch
            raise UsageError(
                "BatchedDenseReward is for environments that step several scenes at "
                "once; use DenseReward for one."
            )
        spec = as_task(task)
        super().__init__(PublishFields(env, spec))
        self.rewards = LaneRewards(reward, spec, combine, gamma, weight, lanes, guard)
        self._lanes = lanes

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all scenes, or those of ``options["env_idx"]``."""
        chosen = (options or {}).get(CHOSEN)
        obs, info = self.env.reset(seed=seed, options=options)
        if chosen is None:
            self.rewards.begin(obs, info)
        else:
            mask = numbered(chosen, self._lanes)
            self.rewards.begin(obs, info, mask)
            self.rewards.finish(mask)
        return obs, info

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step all scenes and score their steps."""
        given = np.array(as_array(action))
        obs, paid, terminated, truncated, info = self.env.step(action)
        step = Step(
            {},
            given,
            {},
            self.rewards.finite(as_array(paid)),
            self._flags(terminated),
            self._flags(truncated),
            np.ones(self._lanes, np.bool_),
        )
        reward, components = self.rewards.score(obs, info, step)
        self.rewards.keep(obs, info)
        info[SPARSE_REWARD], info[COMPONENTS] = step.sparse, components
        ended = step.terminated | step.truncated
        if ended.any():
            info[EPISODE], info[f"_{EPISODE}"] = self.rewards.finish(ended), ended
        scored: Any = like(reward, paid)
        return obs, scored, terminated, truncated, info

    def _flags(self, value: Any) -> Any:
        """One truth value may stand for all scenes."""
        flags = as_array(value).astype(np.bool_).reshape(-1)
        return np.broadcast_to(flags, self._lanes).copy()
