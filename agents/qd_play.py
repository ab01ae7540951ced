"""Plays policies, and tells what each was paid and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from gymnasium.vector import AutoresetMode

from reward_synth.agents.qd_policy import Table, VectorPolicy
from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses import whole
from reward_synth.task import FieldReader, TaskSpec
from reward_synth.wrappers.vector import _autoreset, _final


class Look(Protocol):
    """What of the last observations behaviour is told by."""

    def __call__(self, obs: Any, /) -> Table:
        """Return it for a batch of observations, shape ``(n, width)``."""


class FieldLook:
    """Sees fields of a task, such as the place that a policy came to.

    Args:
        task: The task.
        env: One of its environments.
        names: The fields, which are read from observations.

    Raises:
        TaskSpecError: The task has no field of a name.
        UsageError: No field is named, or one is not read from observations.

    Example:
        >>> import gymnasium as gym
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("T", "go", (Field("x", source="obs[0]"),), Field("action"))
        >>> FieldLook(task, gym.make("CartPole-v1"), ["x"])(np.array([[1.0, 0, 0, 0], [2.0, 0, 0, 0]]))
        array([[1.],
               [2.]])
    """

    def __init__(self, task: TaskSpec, env: Any, names: list[str]) -> None:
        if not names:
            raise UsageError("Name at least one field that tells behaviours apart.")
        self.fields = [task.field(name) for name in names]
        for one in self.fields:
            if not one.source.startswith("obs"):
                raise UsageError(
                    f"The field {one.name!r} is read from {one.source!r}; behaviours are "
                    "told by fields of observations."
                )
        # A second place to compare with is that of one environment, not of those played.
        bare = tuple(replace(one, check="") for one in self.fields)
        self._reader = FieldReader(replace(task, fields=bare), env, names)

    def __call__(self, obs: Any, /) -> Table:
        """Return the fields side by side."""
        lanes = range(len(whole(obs)))
        return np.stack([self._one(taken(obs, lane)) for lane in lanes])

    def _one(self, obs: Any) -> Table:
        found = self._reader.read(obs, {})
        parts = [np.asarray(found[one.name], np.float64) for one in self.fields]
        return np.concatenate([part.ravel() for part in parts])


@dataclass(frozen=True, slots=True)
class Played:
    """What some policies did, one a row."""

    params: Table
    """Shape ``(n, size)``."""
    looks: Table
    """What the look saw at the end, shape ``(n, width)``."""
    rewards: Table
    """What the environment paid in the episode, shape ``(n,)``."""

    def __len__(self) -> int:
        return len(self.params)


class Player:
    """Plays each policy for one episode, all from the same seed.

    Args:
        envs: A Gymnasium vector; as many policies are played at once.
        policy: Acts.
        look: What of the last observation is kept; by default all of it.
        seed: Of every environment's reset.
        horizon: Steps after which an episode counts as over.

    Raises:
        UsageError: ``horizon`` is below 1.

    Example:
        >>> import gymnasium as gym
        >>> envs = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
        >>> policy = VectorPolicy(
        ...     envs.single_observation_space, envs.single_action_space, (2,))
        >>> played = Player(envs, policy)(np.zeros((3, policy.size)))
        >>> played.looks.shape, bool(np.ptp(played.rewards) == 0)
        ((3, 4), True)
    """

    def __init__(
        self,
        envs: Any,
        policy: VectorPolicy,
        look: Look | None = None,
        *,
        seed: int = 0,
        horizon: int = 1000,
    ) -> None:
        if horizon < 1:
            raise UsageError(f"horizon must be at least 1; received {horizon}.")
        self.envs = envs
        self.policy = policy
        self.look: Look = look or _everything
        self.seed = seed
        self.horizon = horizon
        self.steps = 0
        """Of all environments so far, idle ones aside."""
        self._same = _autoreset(envs) is AutoresetMode.SAME_STEP

    def __call__(self, params: Table) -> Played:
        """Play policies, shape ``(n, size)``."""
        lanes = self.envs.num_envs
        parts = [
            self._play(params[n : n + lanes]) for n in range(0, len(params), lanes)
        ]
        looks, rewards = (np.concatenate(side) for side in zip(*parts, strict=True))
        return Played(np.array(params, np.float64), looks, rewards)

    def _play(self, params: Table) -> tuple[Table, Table]:
        """Play at most as many as there are environments; idle ones repeat the first."""
        count, lanes = len(params), self.envs.num_envs
        acting = np.concatenate([params, np.repeat(params[:1], lanes - count, 0)])
        over = np.arange(lanes) >= count
        obs, _ = self.envs.reset(seed=[self.seed] * lanes)
        looks: dict[int, Table] = {}
        led, rewards = obs, np.zeros(lanes)
        for _ in range(self.horizon):
            actions = self.policy(acting, obs)
            obs, paid, terminated, truncated, infos = self.envs.step(actions)
            ended = np.asarray(terminated) | np.asarray(truncated)
            led = _final(obs, infos, ended)[0] if self._same and ended.any() else obs
            playing = ~over
            self.steps += int(playing.sum())
            rewards[playing] += np.asarray(paid, np.float64)[playing]
            self._see(looks, led, playing & ended)
            over |= ended
            if over.all():
                break
        self._see(looks, led, ~over)
        return np.stack([looks[lane] for lane in range(count)]), rewards[:count]

    def _see(self, looks: dict[int, Table], led: Any, lanes: Any) -> None:
        """Look at the last observations of some environments."""
        numbers = np.flatnonzero(lanes)
        if len(numbers):
            seen = self.look(taken(led, numbers))
            looks |= dict(zip(numbers.tolist(), seen, strict=True))


def taken(obs: Any, rows: Any) -> Any:
    """Return some of batched observations, or one.

    Example:
        >>> taken({"x": np.arange(3)}, [0, 2])
        {'x': array([0, 2])}
    """
    if isinstance(obs, Mapping):
        return {name: taken(value, rows) for name, value in obs.items()}
    return np.asarray(obs)[rows]


def _everything(obs: Any) -> Table:
    return np.asarray(whole(obs), np.float64)
