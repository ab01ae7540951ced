"""What PPO collects, and the environments that it collects it from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from reward_synth.errors import UsageError
from reward_synth.intrinsic.models import Seen
from reward_synth.wrappers.bonus import BONUS
from reward_synth.wrappers.vector import _autoreset, _final

Table = npt.NDArray[np.float64]
Vector = gym.vector.VectorEnv[Any, Any, Any]
_SEEDS = 1_000_000
"""Evaluations use seeds from here on."""


@dataclass(slots=True)
class Rollout:
    """T steps of N environments."""

    rows: npt.NDArray[np.float32]
    """What the network saw, shape ``(T, N, width)``."""
    actions: npt.NDArray[Any]
    chances: Table
    """Logarithm of each action's probability when it was taken."""
    values: Table
    """Of the states, shape ``(T, N, 2)``."""
    next_values: Table
    """Of the states that the steps led to, shape ``(T, N, 2)``."""
    begin_values: Table
    """The same, but of the next episode's first state where one ended."""
    rewards: Table
    """What the environment paid."""
    bonus: Table
    """What an exploration bonus paid."""
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    begins: npt.NDArray[np.bool_]
    """Whether the state is the first of an episode."""
    memory: torch.Tensor
    """Of the network, before the first state."""
    captions: list[str] = field(default_factory=list)
    """What each step led to, T times N of them; empty if nothing reads them."""
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), int))
    """How often each caption was met in its episode."""
    obs: list[Any] = field(default_factory=list)
    """The observations that steps led to, where a reward model reads them."""

    @property
    def seen(self) -> Seen:
        """What the steps led to, in the order of time, then environment."""
        return Seen(self.captions, joined(self.obs) if self.obs else None)


def blank(steps: int, lanes: int, width: int, actions: Any, memory: Any) -> Rollout:
    """Return a rollout to be filled.

    Example:
        >>> blank(2, 3, 4, np.zeros(3, int), torch.zeros(3, 0)).actions.shape
        (2, 3)
    """
    size = steps, lanes
    return Rollout(
        rows=np.zeros((*size, width), np.float32),
        actions=np.zeros((steps, *np.shape(actions)), np.asarray(actions).dtype),
        chances=np.zeros(size),
        values=np.zeros((*size, 2)),
        next_values=np.zeros((*size, 2)),
        begin_values=np.zeros((*size, 2)),
        rewards=np.zeros(size),
        bonus=np.zeros(size),
        terminated=np.zeros(size, np.bool_),
        truncated=np.zeros(size, np.bool_),
        begins=np.zeros(size, np.bool_),
        memory=memory,
        counts=np.ones(size, np.int64),
    )


@dataclass(frozen=True, slots=True)
class Episode:
    """How an episode went."""

    step: int
    """Of all environments, at its end."""
    paid: float
    """The sum of what the environment paid."""
    length: int
    success: bool | None
    """What the environment says of it; None: nothing."""


class Lanes:
    """Steps a vector of environments, and keeps the accounts of episodes.

    Args:
        envs: Resets in the same step; see :func:`make_envs`.

    Raises:
        UsageError: It resets at another time.
    """

    def __init__(self, envs: Vector) -> None:
        if _autoreset(envs) is not AutoresetMode.SAME_STEP:
            raise UsageError(
                "PPO needs environments that reset in the same step, so that no step is "
                "lost. Make them with make_envs, or with "
                "autoreset_mode=AutoresetMode.SAME_STEP."
            )
        self.envs = envs
        self.size = envs.num_envs
        self.steps = 0
        self.episodes: list[Episode] = []
        self._paid = np.zeros(self.size)
        self._length = np.zeros(self.size, np.int64)

    def reset(self, seed: int) -> Any:
        """Reset all environments, with seeds that those of another seed do not share."""
        drawn = np.random.default_rng(seed).integers(_SEEDS, size=self.size)
        return self.envs.reset(seed=drawn.tolist())[0]

    def step(self, actions: Any) -> tuple[Any, Any, Table, Table, Any, Any]:
        """Step all environments.

        Returns:
            Observations after resets; observations that the steps led to; what was paid;
            bonuses; terminated; truncated.
        """
        obs, paid, terminated, truncated, infos = self.envs.step(actions)
        ended = terminated | truncated
        led = _final(obs, infos, ended)[0] if ended.any() else obs
        rewards = np.asarray(paid, np.float64)
        bonus = np.asarray(infos.get(BONUS, np.zeros(self.size)), np.float64)
        self.steps += self.size
        self._count(rewards, ended, infos)
        return obs, led, rewards, bonus, terminated, truncated

    def _count(self, rewards: Table, ended: Any, infos: Mapping[str, Any]) -> None:
        self._paid += rewards
        self._length += 1
        for lane in np.flatnonzero(ended):
            success = _success(infos, int(lane))
            paid, length = float(self._paid[lane]), int(self._length[lane])
            self.episodes.append(Episode(self.steps, paid, length, success))
        self._paid[ended] = 0.0
        self._length[ended] = 0


def make_envs(makers: Sequence[Callable[[], gym.Env[Any, Any]]]) -> SyncVectorEnv:
    """Return environments in this process, as :class:`PPO` needs them.

    Observations are not copied: what PPO keeps of them it copies itself.

    Example:
        >>> make_envs([lambda: gym.make("CartPole-v1")] * 2).num_envs
        2
    """
    mode = AutoresetMode.SAME_STEP
    return SyncVectorEnv(list(makers), copy=False, autoreset_mode=mode)


def joined(batches: Sequence[Any]) -> Any:
    """Return batches of observations one after another.

    Example:
        >>> joined([{"x": np.zeros((2, 1))}, {"x": np.ones((2, 1))}])["x"].shape
        (4, 1)
    """
    if isinstance(batches[0], Mapping):
        return {name: joined([one[name] for one in batches]) for name in batches[0]}
    return np.concatenate(batches)


def copied(obs: Any) -> Any:
    """Return a copy of batched observations.

    Example:
        >>> copied({"x": np.zeros(1)})
        {'x': array([0.])}
    """
    if isinstance(obs, Mapping):
        return {name: copied(value) for name, value in obs.items()}
    return np.array(obs)


def _success(infos: Mapping[str, Any], lane: int) -> bool | None:
    last = infos.get("final_info", {})
    for name in ("success", "is_success"):
        if name in last and last.get(f"_{name}", np.ones(lane + 1))[lane]:
            return bool(last[name][lane])
    return None
