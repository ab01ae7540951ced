"""The loops that NumPy is too slow for, as machine code; numba loads on first use.

Measured by benchmarks/combiners.py. Exponentials and logarithms are faster in NumPy, whose
loops use vector instructions; what pays are many cheap operations on the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from reward_synth.combine.protocol import Mask, Values

_FEW = 64
"""Below so many numbers, calling and first compiling a loop costs more than NumPy."""
_LARGE = 1e100
"""Squares of more are beyond floats."""
_FAR = 700.0
"""exp of more is beyond floats."""
_Loop = Callable[..., None]
_APART = 300.0
"""References further apart do not share an exponential."""


def relative_sigmoid(values: Values, references: Values, k: float) -> Values:
    """Return the mean over references of sigmoid(k (value - reference)).

    Example:
        >>> relative_sigmoid(np.array([0.0, 900.0]), np.array([0.0]), 1.0)
        array([0.5, 1. ])
    """
    middle = float(np.median(references))
    if np.abs(k * (references - middle)).max() > _APART:
        return _one_by_one(values, references, k)
    # exp(-k (v - m)) is shared: only a factor is left for each reference.
    scales = np.exp(k * (references - middle))
    flat = values.reshape(-1)
    shared = np.exp(np.clip(-k * (flat - middle), -_FAR, _FAR))
    if len(scales) == 1:
        result = 1 / (1 + shared)
    elif flat.size < _FEW:
        result = (1 / (1 + shared[:, None] * scales)).mean(1)
    else:
        result = np.zeros(flat.size)
        _loops()[0](shared, scales, result)
    return np.asarray(result.reshape(values.shape))


def _one_by_one(values: Values, references: Values, k: float) -> Values:
    result = np.zeros_like(values)
    with np.errstate(over="ignore"):
        for reference in references:
            result += 1 / (1 + np.exp(-k * (values - reference)))
    return result / len(references)


def group_scores(table: Values, valid: Mask, group: Any, eps: float) -> Values:
    """Return z-scores of each row within groups (``ddof=1``).

    Args:
        table: Shape ``(K, N)``; what is not finite does not count, and gives 0.
        valid: What counts, shape ``(N,)``.
        group: Numbers of groups from 0, shape ``(N,)``.
        eps: Added to the deviation.

    Example:
        >>> values = np.array([[1.0, 3.0, np.nan]])
        >>> group_scores(values, values[0] != 9, np.zeros(3, np.int64), 0.0).round(3)
        array([[-0.707,  0.707,  0.   ]])
    """
    sums = np.zeros((3, int(group.max(initial=0)) + 1, len(table)))
    good = np.isfinite(table) & valid
    known = table if good.all() else np.where(good, table, 0.0)
    most = np.abs(known).max(1, initial=0.0)
    scale = 1.0 / np.where(most > _LARGE, most, 1.0)
    result = np.empty(table.shape)
    _loops()[1](known, good, group, eps, scale, sums, result)
    return result


def group_places(values: Values, group: Any) -> Values:
    """Return where each value lies between its group's least and greatest, ½ if equal.

    NaN counts as not there, and gives ½.

    Example:
        >>> group_places(np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1]))
        array([0. , 1. , 0.5])
    """
    count = int(group.max(initial=0)) + 1
    table = np.empty((2, count))
    result = np.empty(len(values))
    _loops()[2](values, group, table, result)
    return result


@lru_cache(maxsize=1)
def _loops() -> tuple[_Loop, _Loop, _Loop]:
    import numba  # noqa: PLC0415 - takes seconds to import

    flags: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
    made = [numba.njit(**flags)(x) for x in (_sigmoids, _scores, _places)]
    return made[0], made[1], made[2]


def _sigmoids(shared: Any, scales: Any, result: Any) -> None:
    share = 1.0 / len(scales)
    for scale in scales:
        for i in range(len(shared)):
            result[i] += share / (1.0 + shared[i] * scale)


def _scores(
    table: Any, good: Any, group: Any, eps: float, scale: Any, sums: Any, result: Any
) -> None:
    # Rewards are the inner loop: their sums do not wait for each other.
    size, mean, square = sums
    rows, count = table.shape
    for i in range(count):
        g = group[i]
        for k in range(rows):
            size[g, k] += good[k, i]
            mean[g, k] += table[k, i] * scale[k]
    for g in range(len(size)):
        for k in range(rows):
            mean[g, k] /= max(size[g, k], 1.0)
    for i in range(count):
        g = group[i]
        for k in range(rows):
            apart = (table[k, i] * scale[k] - mean[g, k]) * good[k, i]
            square[g, k] += apart * apart
            result[k, i] = apart + 0.0  # 0 and not -0
    for g in range(len(size)):  # from here on one over deviation + eps
        for k in range(rows):
            spread = np.sqrt(square[g, k] / max(size[g, k] - 1.0, 1.0))
            real = spread > 1e-12 * abs(mean[g, k])  # less is rounding
            square[g, k] = 1.0 / (spread + eps * scale[k]) if real else 0.0
    for i in range(count):
        g = group[i]
        for k in range(rows):
            result[k, i] *= square[g, k]


def _places(values: Any, group: Any, table: Any, result: Any) -> None:
    least, most = table
    least[:] = np.inf
    most[:] = -np.inf
    for i in range(len(values)):
        if not np.isnan(values[i]):
            least[group[i]] = min(least[group[i]], values[i])
            most[group[i]] = max(most[group[i]], values[i])
    for i in range(len(values)):
        width = most[group[i]] - least[group[i]]
        part = (values[i] - least[group[i]]) / width
        good = not np.isnan(values[i]) and width > 0.0 and np.isfinite(part)
        result[i] = part if good else 0.5
