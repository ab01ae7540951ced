"""The sparse arm: success as information and as the only reward."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym

from reward_synth.language import SuccessTest
from reward_synth.task import FieldReader, TaskSpec, as_number

ENV_REWARD = "env_reward"
IS_SUCCESS = "is_success"


def as_task(task: TaskSpec | Mapping[str, Any] | str | Path) -> TaskSpec:
    """Return a task given as such, as its JSON data, or as a file."""
    if isinstance(task, (str, Path)):
        return TaskSpec.load(task)
    return task if isinstance(task, TaskSpec) else TaskSpec.from_dict(task)


class SuccessInfo(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Publishes the task's success rule as ``info["is_success"]``.

    Also keeps what the environment itself paid as ``info["env_reward"]``. The reward
    is passed on as a Python float and otherwise unchanged.

    Args:
        env: The environment.
        task: A task with a success rule, or its JSON data.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("x", source="obs[0]"),),
        ...                 Field("action", dtype="int")).with_success("abs(x) < 2.4")
        >>> env = SuccessInfo(gym.make("CartPole-v1"), task)
        >>> _ = env.reset(seed=0)
        >>> env.step(0)[4]["is_success"]
        True
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        task: TaskSpec | Mapping[str, Any],
    ) -> None:
        spec = as_task(task)
        gym.utils.RecordConstructorArgs.__init__(self, task=spec.to_dict())
        gym.Wrapper.__init__(self, env)
        self.task = spec
        self._test = SuccessTest(spec)
        self._reader = FieldReader(spec, env, self._test.names)

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step, and tell whether the success rule holds now."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        paid = as_number(reward)
        after = self._reader.read(obs, info)
        info[ENV_REWARD] = paid
        info[IS_SUCCESS] = self._test(after, info, paid)
        return obs, paid, bool(terminated), bool(truncated), info


class SparseReward(SuccessInfo):
    """Makes the sparse arm of any environment: 1 where the task's rule holds, else 0.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("x", source="obs[0]"),),
        ...                 Field("action", dtype="int")).with_success("abs(x) > 2.4")
        >>> env = SparseReward(gym.make("CartPole-v1"), task)
        >>> _ = env.reset(seed=0)
        >>> _, reward, _, _, info = env.step(0)
        >>> reward, info["env_reward"]
        (0.0, 1.0)
    """

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step, and pay 1 for success alone."""
        obs, _, terminated, truncated, info = super().step(action)
        return obs, float(info[IS_SUCCESS]), terminated, truncated, info
