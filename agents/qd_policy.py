"""Policies that are one vector of numbers each; many are played at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.agents.ppo_sight import FlatSight
from reward_synth.errors import UsageError

Table = npt.NDArray[np.float64]
_BOUND = 10.0
"""Stands for a bound of actions that is infinite."""


class VectorPolicy:
    """A small network with tanh units, whose weights are given as a vector.

    Args:
        observed: Of one environment: what :class:`FlatSight` sees.
        acted: Discrete or Box.
        hidden: Units of each layer between.

    Raises:
        UsageError: It cannot act so.

    Example:
        >>> box = gym.spaces.Box(-1.0, 1.0, (2,))
        >>> policy = VectorPolicy(box, gym.spaces.Discrete(3), hidden=(4,))
        >>> policy.size == (2 + 1) * 4 + (4 + 1) * 3
        True
        >>> policy(np.zeros((5, policy.size)), np.zeros((5, 2))).tolist()
        [0, 0, 0, 0, 0]
    """

    def __init__(
        self,
        observed: gym.Space[Any],
        acted: gym.Space[Any],
        hidden: tuple[int, ...] = (8,),
    ) -> None:
        self.sight = FlatSight(observed)
        self.acted = acted
        sizes = (self.sight.width, *hidden, _width(acted))
        self.shapes = [(before + 1, after) for before, after in pairwise(sizes)]

    @property
    def size(self) -> int:
        """Numbers of a policy."""
        return sum(before * after for before, after in self.shapes)

    def __call__(self, params: Table, obs: Any) -> Any:
        """Return each policy's action for its own observation, one a row."""
        rows: Table = np.asarray(self.sight(obs), np.float64)
        place = 0
        for before, after in self.shapes:
            end = place + before * after
            weights = params[:, place:end].reshape(-1, before, after)
            # Rows of all policies at once: each has weights of its own.
            rows = np.einsum("ni,nio->no", rows, weights[:, 1:]) + weights[:, 0]
            place = end
            if place < self.size:
                rows = np.tanh(rows)
        return self._action(rows)

    def _action(self, rows: Table) -> Any:
        if isinstance(self.acted, gym.spaces.Discrete):
            return rows.argmax(1) + int(self.acted.start)
        space: Any = self.acted
        low = np.maximum(space.low.ravel(), -_BOUND)
        high = np.minimum(space.high.ravel(), _BOUND)
        values = low + (np.tanh(rows) + 1.0) / 2.0 * (high - low)
        return values.reshape(len(rows), *space.shape).astype(space.dtype)


def _width(space: gym.Space[Any]) -> int:
    if isinstance(space, gym.spaces.Discrete):
        return int(space.n)
    if isinstance(space, gym.spaces.Box):
        return int(np.prod(space.shape))
    raise UsageError(f"A policy acts in Discrete or Box; received {space}.")
