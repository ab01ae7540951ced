"""What a curve of evaluations says about the training behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reward_synth.errors import UsageError
from reward_synth.statistics.arrays import Array, finite


def area_under_curve(steps: ArrayLike, values: ArrayLike, total: float) -> float:
    """Return the mean height of a learning curve from step 0 to ``total``.

    Straight lines between evaluations (trapezoids). Before the first evaluation the
    value is taken to be the first one, after the last the last one, so the result lies
    between the least and the greatest value.

    Args:
        steps: When evaluated, rising; shape ``(evaluations,)``.
        values: What was measured; same shape.
        total: Length of the training, not less than the last step.

    Raises:
        UsageError: If steps do not rise, leave 0 to ``total``, or shapes differ.

    Example:
        >>> area_under_curve([50, 100], [0.0, 1.0], 100)
        0.25
    """
    at, heights = _curve(steps, values)
    if total <= 0.0 or at[0] < 0.0 or at[-1] > total:
        raise UsageError(
            f"Evaluations from step {at[0]:g} to {at[-1]:g} do not lie within 0 and "
            f"total={total:g}; give the length of the training as total."
        )
    at = np.concatenate([[0.0], at, [total]])
    heights = np.concatenate([heights[:1], heights, heights[-1:]])
    between = (heights[1:] + heights[:-1]) / 2
    area = float((np.diff(at) * between).sum() / total)
    return float(np.clip(area, heights.min(), heights.max()))  # of rounding


def steps_to(steps: ArrayLike, values: ArrayLike, level: float) -> float:
    """Return the first evaluated step whose value is at least ``level``; NaN if none.

    It may fall below the level again afterwards.

    Args:
        steps: When evaluated, rising; shape ``(evaluations,)``.
        values: What was measured; same shape.
        level: What to reach.

    Raises:
        UsageError: If steps do not rise, or shapes differ.

    Example:
        >>> steps_to([10, 20, 30], [0.1, 0.6, 0.4], 0.5)
        20.0
    """
    at, heights = _curve(steps, values)
    reached = np.flatnonzero(heights >= level)
    return float(at[reached[0]]) if reached.size else math.nan


@dataclass(frozen=True, slots=True)
class Reached:
    """How many runs reached a level, and when.

    Example:
        >>> str(Reached(200.0, 3, 5)), str(Reached(math.nan, 1, 5))
        ('200 (3 of 5)', 'never by most (1 of 5)')
    """

    median: float
    """Steps until half of all runs were there; NaN if not more than half ever were."""
    reached: int
    runs: int

    def __str__(self) -> str:
        """Return the median and the counts."""
        when = "never by most" if math.isnan(self.median) else f"{self.median:.0f}"
        return f"{when} ({self.reached} of {self.runs})"


def median_steps(steps: Sequence[float]) -> Reached:
    """Return the median of steps to a level over runs of which some never reached it.

    A run that did not counts as later than every other, so the median is known once
    more than half have reached it, and is not made from the quick ones alone.

    Args:
        steps: One number a run, NaN for never; see :func:`steps_to`.

    Example:
        >>> median_steps([100, 300, math.nan])
        Reached(median=300.0, reached=2, runs=3)
    """
    array = np.asarray(steps, dtype=np.float64)
    there = int(np.isfinite(array).sum())
    if 2 * there <= array.size:
        return Reached(math.nan, there, array.size)
    late = np.where(np.isfinite(array), array, math.inf)
    return Reached(float(np.median(late)), there, array.size)


def hacking_gap(dense: ArrayLike, success: ArrayLike) -> float:
    """Return how far more dense return went without more success, from 0 to 1.

    Of all pairs of evaluations of one training, weighted by the difference of their
    dense returns, the share in which the higher return has the *lower* success; equal
    success counts half, and not at all where it is 1, since no more can be had.

    - 0: a higher return always came with higher success, or with all of it.
    - 1/2: return rose while success stayed, or one says nothing about the other.
    - 1: a higher return always came with lower success.

    It is above 0 whenever the return is greatest at a point whose success is not, and
    does not change if the return is shifted or multiplied by a positive number.

    Args:
        dense: Return of the dense reward; shape ``(evaluations,)``.
        success: Share of successful episodes, 0 to 1; same shape.

    Returns:
        NaN for fewer than two evaluations, or a return that never changes.

    Raises:
        UsageError: If shapes differ or a number is not finite.

    Source:
        Ours; a weighted Goodman-Kruskal count of discordant pairs.

    Example:
        >>> hacking_gap([1, 2, 3], [0.1, 0.5, 0.9])
        0.0
        >>> hacking_gap([1, 2, 3], [0.8, 0.4, 0.0])
        1.0
        >>> hacking_gap([1, 2], [0.0, 0.0])
        0.5
    """
    earned, solved = finite(dense, "dense"), finite(success, "success")
    _check_shapes(earned, solved, "dense", "success")
    more = np.maximum(earned[:, None] - earned[None, :], 0.0)
    if more.sum() == 0.0:
        return math.nan
    change = solved[:, None] - solved[None, :]
    equal = (change == 0.0) & (solved[:, None] < 1.0)
    wrong = np.where(change < 0.0, 1.0, np.where(equal, 0.5, 0.0))
    return float((more * wrong).sum() / more.sum())


def _curve(steps: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
    at, heights = finite(steps, "steps"), finite(values, "values")
    _check_shapes(at, heights, "steps", "values")
    if (np.diff(at) <= 0.0).any():
        raise UsageError(
            f"steps are {at.tolist()}; expected each to be above the last."
        )
    return at, heights


def _check_shapes(a: Array, b: Array, name: str, other: str) -> None:
    if a.ndim != 1 or a.shape != b.shape:
        raise UsageError(
            f"{name} has shape {a.shape} and {other} {b.shape}; "
            "expected one number an evaluation in both."
        )
