"""How likely a run of one design beats a run of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reward_synth.statistics.arrays import (
    Array,
    Scores,
    check_confidence,
    runs_of,
    special,
)
from reward_synth.statistics.bootstrap import check_same_tasks, expanded_percentiles
from reward_synth.statistics.interval import Interval, combine_means, cut, unknown

_HALVINGS = 60
"""Of an interval of length 1: exact to the last digit of float64."""


def probability_of_improvement(
    x: Scores,
    y: Scores,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return the probability that a run of ``x`` beats a run of ``y``.

    For each task the share of pairs in which x is greater, ties counting half (the
    Mann-Whitney statistic over the number of pairs); then the mean over tasks.

    The interval of one task is Newcombe's. That of several is a bootstrap, see
    :func:`expanded_percentiles`. Tasks on which every pair ends alike, which a bootstrap
    takes for certain, get Newcombe's interval instead, and both kinds are combined as
    :func:`combine_means` does.

    Args:
        x: The runs of each task, shape ``(runs,)``.
        y: The same tasks under the other design.
        rng: What is drawn from.
        confidence: The level.
        resamples: How often to draw.

    Returns:
        NaN for the ends where a task has one run.

    Raises:
        UsageError: If scores are missing or not finite, or the tasks differ.
        MissingExtraError: If SciPy is not installed.

    Source:
        Agarwal et al. 2021, section 4.3; Newcombe, Statistics in Medicine 25, 2006.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> found = probability_of_improvement({"reach": [3, 2]}, {"reach": [1, 2]}, rng)
        >>> found.value
        0.875
    """
    check_confidence(confidence)
    check_same_tasks(x, y)
    left, right = runs_of(x, "x"), runs_of(y, "y")
    wins = [_wins(left[task], right[task]) for task in left]
    value = float(np.mean([win.mean() for win in wins]))
    if min(min(win.shape) for win in wins) == 1:
        return unknown(value)
    mixed = [win for win in wins if np.ptp(win) > 0.0] if len(wins) > 1 else []
    clear = [win for win in wins if np.ptp(win) == 0.0] if mixed else wins
    parts = [
        newcombe(float(win.mean()), len(win), win.shape[1], confidence) for win in clear
    ]
    weights = [1.0] * len(parts)
    if mixed:
        parts.append(_resampled(mixed, rng, confidence, resamples))
        weights.append(float(len(mixed)))
    return cut(combine_means(value, parts, weights), (0.0, 1.0))


def newcombe(value: float, m: int, n: int, confidence: float = 0.95) -> Interval:
    """Return Newcombe's interval (his method 5) of a share of won pairs.

    The ends are the shares p at which ``|value - p|`` is z standard errors, with
    ``p (1-p) [1 + (N-1) ((1-p)/(2-p) + p/(1+p))] / (m n)`` for the variance and
    ``N = (m + n) / 2``. It is wide enough also at 0 and 1, where the runs show no spread.

    Args:
        value: From 0 to 1.
        m: Runs of the one design.
        n: Runs of the other.
        confidence: The level.

    Raises:
        UsageError: If the confidence is no share.
        MissingExtraError: If SciPy is not installed.

    Source:
        Newcombe, Statistics in Medicine 25, 2006, pages 543-573.

    Example:
        >>> found = newcombe(1.0, 5, 5)
        >>> round(found.low, 2), found.high
        (0.64, 1.0)
    """
    check_confidence(confidence)
    z = float(special().ndtri(0.5 + confidence / 2))
    low = 1.0 - _upper(1.0 - value, m, n, z)
    return Interval(value, min(low, value), max(_upper(value, m, n, z), value))


def _upper(value: float, m: int, n: int, z: float) -> float:
    """Return the greatest p that is not further than z standard errors from value."""
    low, high = value, 1.0
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        spread = 1 + ((m + n) / 2 - 1) * ((1 - p) / (2 - p) + p / (1 + p))
        inside = (p - value) ** 2 <= z * z * p * (1 - p) * spread / (m * n)
        low, high = (p, high) if inside else (low, p)
    return high


def _resampled(
    wins: Sequence[Array], rng: np.random.Generator, confidence: float, resamples: int
) -> Interval:
    """Return the mean over tasks with a bootstrap interval."""
    return expanded_percentiles(
        float(np.mean([win.mean() for win in wins])),
        np.mean([_draw(win, rng, resamples) for win in wins], axis=0),
        np.array([part for win in wins for part in _variances(win)]),
        [size for win in wins for size in win.shape],
        confidence,
    )


def _wins(x: Array, y: Array) -> Array:
    """Return 1, ½ or 0 for each pair; shape ``(runs of x, runs of y)``."""
    return 0.5 * (np.sign(x[:, None] - y[None, :]) + 1.0)


def _variances(wins: Array) -> tuple[float, float]:
    """Return what the runs of x, and of y, add to the variance of the mean (DeLong)."""
    of_x, of_y = wins.mean(axis=1), wins.mean(axis=0)
    return (
        float(of_x.var(ddof=1) / of_x.size),
        float(of_y.var(ddof=1) / of_y.size),
    )


def _draw(wins: Array, rng: np.random.Generator, resamples: int) -> Array:
    """Return the mean of redrawn pairs; shape ``(resamples,)``."""
    m, n = wins.shape
    of_x = rng.multinomial(m, np.full(m, 1 / m), resamples)
    of_y = rng.multinomial(n, np.full(n, 1 / n), resamples)
    found: Array = ((of_x @ wins) * of_y).sum(axis=1) / (m * n)
    return found
