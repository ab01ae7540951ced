"""Fewer points of a curve, without losing what stands out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reward_synth.errors import UsageError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
_FEWEST = 4
"""The first, the last, the lowest and the highest point."""


def downsample(steps: ArrayLike, values: ArrayLike, most: int) -> tuple[Floats, Floats]:
    """Return at most ``most`` of the points, in their order.

    The first, the last, the lowest and the highest point are among them; in between,
    the lowest and the highest of each stretch of equally many points. NaN is neither
    low nor high.

    Raises:
        UsageError: If ``most`` is below 4, or steps and values differ in number.

    Example:
        >>> steps, values = downsample(range(1000), [0.0] * 500 + [9.0] + [1.0] * 499, 8)
        >>> len(steps) <= 8, float(steps[0]), float(steps[-1]), float(values.max())
        (True, 0.0, 999.0, 9.0)
    """
    x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise UsageError(
            f"steps and values have the shapes {x.shape} and {y.shape}; "
            "give two sequences of one length."
        )
    kept = kept_points(y, most)
    return x[kept], y[kept]


def kept_points(values: ArrayLike, most: int) -> Indices:
    """Return the positions that :func:`downsample` keeps, in ascending order.

    Raises:
        UsageError: If ``most`` is below 4.

    Example:
        >>> kept_points([0, 0, 0, 5, 0, -5, 0, 0], 4).tolist()
        [0, 3, 5, 7]
    """
    if most < _FEWEST:
        raise UsageError(
            f"most is {most}; it must be at least {_FEWEST}, for the first, the last, "
            "the lowest and the highest point."
        )
    y = np.asarray(values, np.float64)
    if len(y) <= most:
        return np.arange(len(y), dtype=np.int64)
    edges = np.linspace(1, len(y) - 1, (most - 2) // 2 + 1).astype(np.int64)
    ends = [np.array([0, len(y) - 1])]
    inner = [_extremes(y, low, high) for low, high in pairwise(edges)]
    return np.unique(np.concatenate([*ends, *inner])).astype(np.int64)


def _extremes(y: Floats, start: int, stop: int) -> Indices:
    """Return where ``y[start:stop]`` is lowest and highest."""
    part = y[start:stop]
    gone = np.isnan(part)
    lowest = np.argmin(np.where(gone, np.inf, part))
    highest = np.argmax(np.where(gone, -np.inf, part))
    return start + np.array([lowest, highest], dtype=np.int64)
