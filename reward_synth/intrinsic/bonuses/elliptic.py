"""E3B: novelty within an episode, by an ellipsoid of what was seen.

M. Henaff, R. Raileanu, M. Jiang and T. Rocktäschel, "Exploration via Elliptical Episodic
Bonuses", arXiv 2210.05805.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Feature, Mask, State, Values, whole
from reward_synth.kernels.rank_one import ellipse_bonus


class E3B:
    """Pays b = φ(s')ᵀ C⁻¹ φ(s'), with C = λI + the sum of φφᵀ over the episode so far.

    The episode's first state counts as seen and pays nothing. C begins anew with each
    episode, in each lane by itself.

    Args:
        lanes: How many environments.
        feature: φ; for example the encoder of an :class:`ICM`, as in the paper.
        ridge: λ.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> e3b, yes = E3B(1), np.array([True])
        >>> e3b.begin(np.array([[0.0, 0.0]]), yes)
        >>> step = np.array([[1.0, 0.0]])
        >>> for _ in range(2):
        ...     print(e3b.score(None, None, step, yes, learning=True).round(6))
        [10.]
        [0.909091]
    """

    def __init__(
        self, lanes: int, feature: Feature = whole, ridge: float = 0.1
    ) -> None:
        if lanes < 1 or not ridge > 0:
            raise UsageError(
                "E3B needs at least one lane and a ridge above 0; received "
                f"{lanes} and {ridge}."
            )
        self.lanes = lanes
        self.feature = feature
        self.ridge = ridge
        self._inverse = np.zeros((lanes, 0, 0))

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Begin episodes of the marked lanes."""
        rows = self._rows(obs)
        size = rows.shape[1]
        if self._inverse.shape[1] != size:
            self._inverse = np.zeros((self.lanes, size, size))
        self._inverse[lanes] = np.eye(size) / self.ridge
        ellipse_bonus(self._inverse, rows, lanes)

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the bonus of each step."""
        del obs, action, learning  # an episode's memory works in evaluation too
        return ellipse_bonus(self._inverse, self._rows(next_obs), valid)

    def state(self) -> State:
        """Return nothing: no episode lasts."""
        return {}

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take nothing over."""

    def _rows(self, obs: Any) -> npt.NDArray[np.float64]:
        return np.ascontiguousarray(self.feature(obs), np.float64)
