"""Intervals that need no resampling: of a mean of few runs, and of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reward_synth.errors import UsageError
from reward_synth.statistics.arrays import check_confidence, finite, special

Bounds = tuple[float, float]
"""The least and the greatest value that a score can have."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it.

    Example:
        >>> Interval(0.5, 0.25, 1.0).width
        0.75
    """

    value: float
    low: float
    """NaN where the runs say nothing about the spread."""
    high: float

    @property
    def known(self) -> bool:
        """True if both ends are numbers."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def width(self) -> float:
        """The distance of the ends."""
        return self.high - self.low

    def excludes(self, value: float) -> bool:
        """Return whether the interval is known and ``value`` lies outside."""
        return self.known and not self.low <= value <= self.high


def unknown(value: float) -> Interval:
    """Return an estimate whose spread cannot be told.

    Example:
        >>> unknown(0.5)
        Interval(value=0.5, low=nan, high=nan)
    """
    return Interval(value, math.nan, math.nan)


def rate_interval(successes: float, trials: int, confidence: float = 0.95) -> Interval:
    """Return a share with Wilson's score interval.

    For the episodes of *one* agent. Episodes of several agents are no independent
    trials; for these see :func:`mean_interval`.

    Args:
        successes: From 0 to ``trials``; a fraction is allowed.
        trials: At least 1.
        confidence: The level.

    Raises:
        UsageError: If the counts contradict each other.
        MissingExtraError: If SciPy is not installed.

    Source:
        Wilson 1927; recommended for few trials by Brown, Cai and DasGupta 2001.

    Example:
        >>> found = rate_interval(20, 20)
        >>> round(found.low, 3), found.high
        (0.839, 1.0)
    """
    check_confidence(confidence)
    if trials < 1 or not 0 <= successes <= trials:
        raise UsageError(
            f"{successes} successes of {trials} trials cannot be; expected at least one "
            "trial, and from 0 to as many successes as trials."
        )
    z = float(special().ndtri(0.5 + confidence / 2))
    share = successes / trials
    center = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    half = z * spread / (1 + z * z / trials)
    low = 0.0 if successes == 0 else center - half
    return Interval(share, low, 1.0 if successes == trials else center + half)


def mean_interval(
    runs: ArrayLike, confidence: float = 0.95, *, bounds: Bounds | None = None
) -> Interval:
    """Return the mean of one task's runs with Student's t interval.

    With ``bounds`` the ends are cut there; and where all runs are equal, so that their
    spread cannot be estimated, Wilson's interval is given with each *run* as one trial.
    It is wide (five runs at 100 % give 57 % to 100 %), since a run that fails is as
    likely to be absent from five as that says.

    Args:
        runs: Shape ``(runs,)``.
        confidence: The level.
        bounds: The least and greatest possible score, such as ``(0, 1)`` for success.

    Returns:
        For one run the ends are NaN. All runs equal, and no bounds: zero width.

    Raises:
        UsageError: If a run is not finite or out of bounds.
        MissingExtraError: If SciPy is not installed.

    Example:
        >>> found = mean_interval([0.8, 0.9, 1.0], bounds=(0, 1))
        >>> round(found.value, 3), round(found.low, 3), found.high
        (0.9, 0.652, 1.0)
        >>> round(mean_interval([1.0] * 5, bounds=(0, 1)).low, 3)
        0.566
    """
    check_confidence(confidence)
    array = finite(runs, "runs").ravel()
    check_bounds(array.min(), array.max(), bounds)
    value, number = float(array.mean()), array.size
    if number == 1:
        return unknown(value)
    if np.ptp(array) == 0.0:
        return equal_runs(float(array[0]), number, confidence, bounds)
    quantile = special().stdtrit(number - 1, 0.5 + confidence / 2)
    half = float(quantile * array.std(ddof=1) / math.sqrt(number))
    return cut(Interval(value, value - half, value + half), bounds)


def equal_runs(
    value: float, number: int, confidence: float, bounds: Bounds | None
) -> Interval:
    """Return the interval of a mean where all ``number`` runs gave ``value``.

    Example:
        >>> equal_runs(3.0, 5, 0.95, None)
        Interval(value=3.0, low=3.0, high=3.0)
    """
    if number == 1:
        return unknown(value)
    if bounds is None:
        return Interval(value, value, value)
    low, high = bounds
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    found = rate_interval(share * number, number, confidence)
    ends = (low + end * (high - low) for end in (found.low, found.high))
    return Interval(value, *ends)


def combine_means(
    value: float, parts: Sequence[Interval], weights: Sequence[float] | None = None
) -> Interval:
    """Return the interval of a weighted mean of independent estimates from theirs.

    The distances from the estimates to their ends are added as squares, each side alone
    (MOVER: method of variance estimates recovery).

    Args:
        value: The estimate to give; usually the mean of the parts.
        parts: At least one.
        weights: As many, of any scale; equal by default.

    Source:
        Zou and Donner, Statistics in Medicine 27, 2008.

    Example:
        >>> combine_means(0.5, [Interval(0.0, 0.0, 0.5), Interval(1.0, 0.5, 1.0)])
        Interval(value=0.5, low=0.25, high=0.75)
    """
    counts = np.ones(len(parts)) if weights is None else np.asarray(weights, float)
    shares = counts / counts.sum()
    below = [part.value - part.low for part in parts]
    above = [part.high - part.value for part in parts]
    low = value - float(np.hypot.reduce(shares * below))
    return Interval(value, low, value + float(np.hypot.reduce(shares * above)))


def cut(found: Interval, bounds: Bounds | None) -> Interval:
    """Return the interval with its ends moved into the bounds.

    Example:
        >>> cut(Interval(0.5, -0.5, 2.0), (0, 1))
        Interval(value=0.5, low=0.0, high=1.0)
    """
    if bounds is None:
        return found
    low, high = float(bounds[0]), float(bounds[1])
    return Interval(found.value, max(found.low, low), min(found.high, high))


def check_bounds(least: float, greatest: float, bounds: Bounds | None) -> None:
    """Refuse scores that their bounds exclude.

    Raises:
        UsageError: If a score lies outside, or the bounds are not in order.

    Example:
        >>> check_bounds(0.0, 0.5, (0, 1))
    """
    if bounds is None:
        return
    if not bounds[0] < bounds[1]:
        raise UsageError(f"bounds are {bounds}; expected the lower one first.")
    if least < bounds[0] or greatest > bounds[1]:
        raise UsageError(
            f"Scores from {least} to {greatest} leave the bounds {bounds}; "
            "give shares instead of percentages, or leave bounds out."
        )
