"""Plays episodes on vector environments and keeps what a learner of blends needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from reward_synth.agents.barfi_blend import Sight, told
from reward_synth.errors import UsageError

Act = Callable[[Tensor], Tensor]
"""Rows of shape ``(N, D)`` to actions."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """One episode of each of N environments, over at most T steps."""

    rows: Tensor
    """What was seen before each action, shape ``(T, N, D)``."""
    actions: Tensor
    """Shape ``(T, N)`` or ``(T, N, A)``."""
    sparse: Tensor
    """What the environment paid, ``(T, N)``; 0 once the episode is over."""
    parts: Tensor
    """The components of the dense reward, ``(T, N, K)``; likewise."""
    alive: Tensor
    """1 on steps of the episode, 0 after it, ``(T, N)``."""
    names: tuple[str, ...]
    """The components' names."""

    @property
    def returns(self) -> Tensor:
        """The environment's own return of each episode, not discounted, ``(N,)``."""
        return self.sparse.sum(0)

    def best(self, count: int) -> Episodes:
        """Return the episodes with the highest returns, the last ones of equals."""
        order = torch.argsort(self.returns.flip(0), descending=True, stable=True)
        return self._taken(self.returns.shape[0] - 1 - order[:count])

    def beside(self, other: Episodes) -> Episodes:
        """Return these episodes and others, the shorter ones filled up with nothing."""
        steps = max(len(self.alive), len(other.alive))

        def both(first: Tensor, second: Tensor) -> Tensor:
            return torch.cat([_longer(first, steps), _longer(second, steps)], 1)

        return Episodes(
            both(self.rows, other.rows),
            both(self.actions, other.actions),
            both(self.sparse, other.sparse),
            both(self.parts, other.parts),
            both(self.alive, other.alive),
            self.names,
        )

    def _taken(self, which: Tensor) -> Episodes:
        return Episodes(
            self.rows[:, which],
            self.actions[:, which],
            self.sparse[:, which],
            self.parts[:, which],
            self.alive[:, which],
            self.names,
        )


def _longer(values: Tensor, steps: int) -> Tensor:
    more = values.new_zeros(steps - len(values), *values.shape[1:])
    return torch.cat([values, more])


def play(
    envs: gym.vector.VectorEnv[Any, Any, Any],
    sight: Sight,
    act: Act,
    *,
    horizon: int,
    seed: int,
) -> Episodes:
    """Play each environment from a reset until its first episode ends.

    Args:
        envs: What :func:`reward_synth.wrap` gave a dense reward.
        sight: Turns observations into rows.
        act: Chooses actions.
        horizon: The most steps.
        seed: Of the resets.

    Raises:
        UsageError: The environments tell no components.
    """
    obs, _ = envs.reset(seed=seed)
    alive = np.ones(envs.num_envs)
    kept: list[tuple[Any, ...]] = []
    names: tuple[str, ...] = ()
    while len(kept) < horizon and alive.any():
        rows = torch.as_tensor(sight.rows(obs), dtype=torch.float32)
        actions = act(rows)
        obs, _, terminated, truncated, infos = envs.step(_given(envs, actions))
        sparse, parts = told(infos)
        names = tuple(parts)
        table = np.stack([*parts.values()], 1) if parts else np.zeros((len(alive), 0))
        kept.append(
            (rows, actions, np.asarray(sparse) * alive, table * alive[:, None], alive)
        )
        alive = alive * ~(np.asarray(terminated) | np.asarray(truncated))
    first, second, *rest = zip(*kept, strict=True)
    paid, tables, lives = (torch.as_tensor(np.stack(x)).float() for x in rest)
    return Episodes(torch.stack(first), torch.stack(second), paid, tables, lives, names)


def _given(envs: gym.vector.VectorEnv[Any, Any, Any], actions: Tensor) -> Any:
    space: Any = envs.single_action_space
    found = actions.numpy()
    if isinstance(space, gym.spaces.Box):
        shaped = found.reshape(envs.num_envs, *space.shape)
        return np.clip(shaped, space.low, space.high).astype(space.dtype)
    return found + space.start


def sight_of(
    envs: gym.vector.VectorEnv[Any, Any, Any], seed: int, steps: int = 50
) -> Sight:
    """Return how observations of these environments are seen.

    Numbers are brought to about unit size by what random actions meet.

    Args:
        envs: The environments.
        seed: Of the resets and actions.
        steps: How many random steps are looked at.

    Raises:
        UsageError: Observations are neither numbers nor choices.

    Example:
        >>> envs = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
        >>> sight_of(envs, seed=0).rows(np.zeros((2, 4))).shape
        (2, 4)
    """
    space: Any = envs.single_observation_space
    if isinstance(space, gym.spaces.Discrete):
        return Sight(choices=int(space.n))
    if not isinstance(space, gym.spaces.Box):
        raise UsageError(
            f"BARFI sees Box and Discrete observations; received {space}. Flatten them, "
            "for example with gymnasium.wrappers.FlattenObservation."
        )
    envs.action_space.seed(seed)
    obs, _ = envs.reset(seed=seed)
    met = [np.asarray(obs, np.float64).reshape(envs.num_envs, -1)]
    for _ in range(steps):
        obs, *_ = envs.step(envs.action_space.sample())
        met.append(np.asarray(obs, np.float64).reshape(envs.num_envs, -1))
    table = np.concatenate(met)
    spread = table.std(0)
    return Sight(0, table.mean(0), np.where(spread > 1e-6, spread, 1.0))  # noqa: PLR2004 - constant
