"""Tells what the observation does not hold, so that batches and buffers have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium as gym

from reward_synth.reward import Array
from reward_synth.task import (
    PUBLISHED,
    FieldReader,
    Roots,
    TaskSpec,
    is_batch,
    lanes_of,
)
from reward_synth.wrappers.sparse import as_task


class PublishFields(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Publishes fields that are not observed as ``info["reward_fields"]``.

    Vector environments cannot look into the simulators of their environments, which may
    live in other processes and may have been reset already. So each environment tells.
    Simulators that are a batch in themselves (ManiSkill on a GPU) are read at once.

    Args:
        env: The environment.
        task: Its task, or the task's JSON data.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("f", source="sim.force_mag"),),
        ...                 Field("action", dtype="int"))
        >>> env = PublishFields(gym.make("CartPole-v1"), task)
        >>> float(env.reset(seed=0)[1]["reward_fields"]["f"])
        10.0
    """

    def __init__(
        self, env: gym.Env[Any, Any], task: TaskSpec | Mapping[str, Any]
    ) -> None:
        spec = as_task(task)
        gym.utils.RecordConstructorArgs.__init__(self, task=spec.to_dict())
        gym.Wrapper.__init__(self, env)
        self.task = spec
        hidden = [item for item in spec.fields if not item.source.startswith("obs")]
        self._lanes, self._batch = lanes_of(env), is_batch(env)
        self._proof: FieldReader | None = None
        if self._lanes == 1:
            self._proof = FieldReader(spec, env, [item.name for item in hidden])
        self._start = Roots([item for item in hidden if item.at_reset], env)
        self._all = Roots(hidden, env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset, and tell the fields that are known now."""
        obs, info = self.env.reset(seed=seed, options=options)
        if self._proof is not None:
            self._proof.read(obs, info, reset=True)
        info[PUBLISHED] = self._fields(self._start, obs, info)
        return obs, info

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step, and tell all fields."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if self._proof is not None:
            self._proof.read(obs, info)
            self._proof = None
        info[PUBLISHED] = self._fields(self._all, obs, info)
        return obs, reward, terminated, truncated, info

    def _fields(
        self, roots: Roots, obs: Any, info: Mapping[str, Any]
    ) -> dict[str, Array]:
        values = roots.fields(roots.read(obs, info), self._lanes)
        if self._batch:
            return dict(values)
        return {name: value[0] for name, value in values.items()}
