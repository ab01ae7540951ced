"""Features of states that values are linear in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Values: TypeAlias = npt.NDArray[np.float64]
Basis: TypeAlias = Callable[[Values], Values]
"""Rows ``(N, D)`` to features ``(N, F)``."""
_MOST = 2000


class Features(Protocol):
    """Makes a basis for rows like those that it is shown."""

    def fit(self, rows: Values) -> Basis:
        """Return the features of rows; ``rows`` has the shape ``(N, D)``."""


@dataclass(frozen=True, slots=True)
class Fourier:
    """A constant, the numbers themselves, and random cosines of them.

    Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", NeurIPS 2007.
    Columns are brought to mean 0 and deviation 1 first.

    Example:
        >>> basis = Fourier(count=8).fit(np.arange(6.0)[:, None])
        >>> basis(np.zeros((2, 1))).shape
        (2, 10)
    """

    count: int = 128
    """Number of cosines."""
    width: float = 1.0
    """Distance over which values may differ, in deviations times the root of D."""
    seed: int = 0

    def fit(self, rows: Values) -> Basis:
        """Draw cosines for rows of this scale."""
        rng = np.random.default_rng(self.seed)
        mean, spread = rows.mean(0), rows.std(0)
        scale = np.where(spread > 0, spread, 1.0)
        size = rows.shape[1]
        turns = rng.normal(size=(size, self.count)) / (
            self.width * np.sqrt(max(size, 1))
        )
        phase = rng.uniform(0, 2 * np.pi, self.count)
        factor = np.sqrt(2.0 / max(self.count, 1))

        def basis(given: Values) -> Values:
            plain = (given - mean) / scale
            # float32 cosines take a fifth of the time, and 1e-7 is enough of a feature
            angles = (plain @ turns + phase).astype(np.float32)
            waves = factor * np.cos(angles).astype(np.float64)
            return np.concatenate([np.ones((len(given), 1)), plain, waves], 1)

        return basis


@dataclass(frozen=True, slots=True)
class OneHot:
    """One feature for each different row: exact where there are few.

    Raises:
        UsageError: On fitting, if there are more than 2,000.

    Example:
        >>> basis = OneHot().fit(np.array([[1.0], [5.0], [1.0]]))
        >>> basis(np.array([[5.0], [2.0]])).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """

    def fit(self, rows: Values) -> Basis:
        """Find the different rows; others than these have no feature."""
        known = np.unique(rows, axis=0)
        if len(known) > _MOST:
            raise UsageError(
                f"OneHot takes at most {_MOST} different states, the transitions hold "
                f"{len(known)}. Use Fourier()."
            )
        place = {row.tobytes(): number for number, row in enumerate(known)}

        def basis(given: Values) -> Values:
            found = np.zeros((len(given), len(known)))
            different, back = np.unique(given, axis=0, return_inverse=True)
            numbers = np.array([place.get(row.tobytes(), -1) for row in different])
            number = numbers[back.reshape(-1)]
            seen = number >= 0
            found[np.flatnonzero(seen), number[seen]] = 1.0
            return found

        return basis
