"""The arm of a training: success as a reward, and a dense reward on top of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym

from reward_synth.combine import Combiner
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec
from reward_synth.wrappers.dense import DenseReward
from reward_synth.wrappers.sparse import SparseReward, SuccessInfo, as_task


def arm(
    env: gym.Env[Any, Any],
    task: TaskSpec | Mapping[str, Any] | str | Path,
    reward: RewardProgram | RewardFunction | str | Path | None = None,
    combine: str | Combiner = "add",
    gamma: float | None = None,
    weight: float = 1.0,
) -> gym.Env[Any, Any]:
    """Return the environment that trainings of reward_synth learn in.

    It pays 1 for success, or its own reward where that is sparse or no success rule is
    known, and tells ``info["is_success"]``. The dense reward comes on top.

    Args:
        env: The environment.
        task: Its description, as such, as JSON data, or as a file.
        reward: As for :func:`reward_synth.wrap`; None: success alone.
        combine: Likewise.
        gamma: Likewise.
        weight: Likewise.

    Raises:
        UsageError: There is neither a reward nor a success rule.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("x", source="obs[0]"),),
        ...                 Field("action", dtype="int")).with_success("abs(x) > 2.4")
        >>> env = arm(gym.make("CartPole-v1"), task, lambda t: {"there": 0.5})
        >>> _ = env.reset(seed=0)
        >>> env.step(0)[1]
        0.5
    """
    spec = as_task(task)
    if spec.success is not None:
        env = (SuccessInfo if spec.sparse else SparseReward)(env, spec)
    if reward is not None:
        return DenseReward(env, reward, spec, combine, gamma, weight)
    if spec.success is None:
        raise UsageError(
            f"{spec.id} has no success rule, so there is nothing to pay. Give "
            "reward='reward.py', or success='...' over "
            f"{', '.join(item.name for item in spec.fields)}."
        )
    return env
