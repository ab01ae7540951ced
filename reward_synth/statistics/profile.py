"""Performance profiles: the share of runs above each threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reward_synth.errors import UsageError
from reward_synth.statistics.arrays import (
    Array,
    Scores,
    check_confidence,
    finite,
    runs_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The share of runs above each threshold; all of shape ``(thresholds,)``.

    Example:
        >>> half = np.array([0.5])
        >>> Profile(np.array([0.0]), half, half, half).value
        array([0.5])
    """

    thresholds: Array
    value: Array
    low: Array
    """Lower end of the pointwise band; NaN where a task has one run."""
    high: Array


def performance_profile(
    scores: Scores,
    thresholds: ArrayLike,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Profile:
    """Return which share of runs scores more than each threshold.

    The share is taken within each task, then averaged, so every task counts the same.
    The bands are percentiles of a bootstrap within tasks that draws one run less than
    there are, which gives the variance its right size (Rao and Wu 1988). They hold for
    each threshold alone, not for the whole curve, and have no width where no task's
    runs lie on both sides.

    Args:
        scores: The runs of each task, shape ``(runs,)``.
        thresholds: Shape ``(thresholds,)``, rising.
        rng: What is drawn from.
        confidence: The level.
        resamples: How often to draw.

    Raises:
        UsageError: If scores or thresholds are missing, not finite, or not rising.

    Source:
        Agarwal et al. 2021, section 4.2.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> performance_profile({"reach": [0.2, 0.8]}, [0.0, 0.5, 1.0], rng).value
        array([1. , 0.5, 0. ])
    """
    check_confidence(confidence)
    levels = finite(thresholds, "thresholds")
    if levels.ndim != 1 or (np.diff(levels) <= 0.0).any():
        raise UsageError(
            f"thresholds are {levels.tolist()}; expected numbers that rise, one axis."
        )
    # (runs, thresholds) for each task
    above = [
        (runs[:, None] > levels).astype(np.float64) for runs in runs_of(scores).values()
    ]
    value = np.mean([rows.mean(axis=0) for rows in above], axis=0)
    if min(len(rows) for rows in above) == 1:
        nothing = np.full_like(value, np.nan)
        return Profile(levels, value, nothing, nothing)
    draws = np.mean([_draw(rows, rng, resamples) for rows in above], axis=0)
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    return Profile(levels, value, np.minimum(low, value), np.maximum(high, value))


def _draw(above: Array, rng: np.random.Generator, resamples: int) -> Array:
    """Return shares of redrawn runs; shape ``(resamples, thresholds)``."""
    number = len(above)
    weights = rng.multinomial(number - 1, np.full(number, 1 / number), resamples)
    shares: Array = weights @ above / (number - 1)
    return shares
