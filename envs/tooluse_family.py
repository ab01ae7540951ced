"""The family of tool use: how its environments are made, with a dense reward or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import WrapperSpec

import reward_synth.envs.tooluse_register  # noqa: F401 - the ids
from reward_synth.envs.describe import describe_env
from reward_synth.envs.rollouts import Env
from reward_synth.reward import Rollout
from reward_synth.task import TaskSpec

SPARSE = "sparse"
_WRAPPER = "reward_synth.wrappers.tool_reward:DenseToolReward"
_SETTINGS = ("reward", "weight", "gamma")


@dataclass(frozen=True, slots=True)
class ToolUseAdapter:
    """Makes and describes the environments of tool use."""

    def make(self, task: str, **kwargs: Any) -> Env:
        """Make the environment; ``reward`` puts a ``DenseToolReward`` around it.

        Args:
            task: The id.
            kwargs: Of the environment, and ``reward``, ``weight`` and ``gamma`` of the
                wrapper; ``reward="sparse"`` means none.

        Example:
            >>> ToolUseAdapter().make("ToolChoiceShop-v0", reward="graded").reward
            'graded'
        """
        given = {name: kwargs.pop(name) for name in _SETTINGS if name in kwargs}
        if given.get("reward", SPARSE) == SPARSE:
            return gym.make(task, **kwargs)
        known = gym.spec(task)
        wrapper = WrapperSpec("DenseToolReward", _WRAPPER, given)
        wrappers = (*known.additional_wrappers, wrapper)
        return gym.make(replace(known, additional_wrappers=wrappers), **kwargs)

    def describe(self, env: Env, **options: Any) -> TaskSpec:
        """Describe it from what it says itself."""
        return describe_env(env, **options)

    def expert(self, task: str) -> Mapping[str, Any] | None:  # noqa: ARG002 - the protocol's
        """Return the keywords of its own dense reward."""
        return {"reward": "graded"}

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:  # noqa: ARG002
        """Return none."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included.

        Example:
            >>> print(ToolUseAdapter().code("ToolChoiceShop-v0", {"reward": "graded"}))
            from reward_synth.envs.tooluse_family import FAMILY
            env = FAMILY.make('ToolChoiceShop-v0', reward='graded')
        """
        given = "".join(f", {name}={value!r}" for name, value in kwargs.items())
        return (
            "from reward_synth.envs.tooluse_family import FAMILY\n"
            f"env = FAMILY.make({task!r}{given})"
        )


FAMILY = ToolUseAdapter()
