"""RE3: novelty by the distance to what was seen, through a random encoder.

Y. Seo and others, "State Entropy Maximization with Random Encoders for Efficient
Exploration", arXiv 2102.09430.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Feature, Mask, State, Values, whole


class RE3:
    """Pays log(1 + the distance from f(s') to its k-th nearest neighbour).

    f is a fixed random layer, x -> tanh(Wx). Neighbours are the last ``memory`` states
    that steps of all lanes led to; those of one step do not see each other. Until k are
    known it pays 0.

    Args:
        lanes: How many environments.
        feature: What the encoder reads.
        seed: Decides the encoder.
        size: Width of f(s').
        k: Which neighbour.
        memory: States that are remembered.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> bonus, yes = RE3(1, seed=0, k=1), np.array([True])
        >>> seen = [bonus.score(None, None, np.array([[x]]), yes, learning=True).item()
        ...         for x in (0.0, 0.0, 1.0)]
        >>> seen[:2], seen[2] > 0
        ([0.0, 0.0], True)
    """

    def __init__(
        self,
        lanes: int,
        feature: Feature = whole,
        *,
        seed: int,
        size: int = 64,
        k: int = 3,
        memory: int = 10_000,
    ) -> None:
        if lanes < 1 or size < 1 or not 1 <= k <= memory:
            raise UsageError(
                "RE3 needs at least one lane and one feature, and k from 1 to memory; "
                f"received {lanes}, {size}, {k} and {memory}."
            )
        self.lanes = lanes
        self.feature = feature
        self.size = size
        self.k = k
        self._rng = np.random.default_rng(seed)
        self._weights = np.zeros((0, size))
        self._seen = np.zeros((memory, size))
        self._count = 0

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Do nothing: the memory spans episodes."""

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step."""
        del obs, action
        places = self.encode(next_obs)
        paid = np.where(valid, self._distances(places), 0.0)
        if learning:
            self._remember(places[valid])
        return np.log1p(paid)

    def encode(self, obs: Any) -> npt.NDArray[np.float64]:
        """Return f of each environment's observation, shape ``(num_envs, size)``."""
        rows = np.asarray(self.feature(obs), np.float64)
        if not len(self._weights):
            width = rows.shape[1]
            self._weights = self._rng.normal(0.0, width**-0.5, (width, self.size))
        return np.tanh(rows @ self._weights)

    def state(self) -> State:
        """Return encoder and memory."""
        count = np.array([self._count])
        return {"weights": self._weights, "seen": self._seen.copy(), "count": count}

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        self._weights = np.array(state["weights"])
        self._seen = np.array(state["seen"])
        self._count = int(state["count"][0])

    def _distances(self, places: npt.NDArray[np.float64]) -> Values:
        known = min(self._count, len(self._seen))
        if known < self.k:
            return np.zeros(len(places))
        seen = self._seen[:known]
        # |a - b|^2 without a table of differences
        squares = (places**2).sum(1)[:, None] + (seen**2).sum(1)[None]
        squares -= 2.0 * places @ seen.T
        nearest = np.partition(squares, self.k - 1, axis=1)[:, self.k - 1]
        return np.sqrt(np.maximum(nearest, 0.0))

    def _remember(self, places: npt.NDArray[np.float64]) -> None:
        for place in places:
            self._seen[self._count % len(self._seen)] = place
            self._count += 1
