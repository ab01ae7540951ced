"""Intervals over several tasks, by resampling the runs within each task."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.statistics.aggregates import Statistic, iqm
from reward_synth.statistics.arrays import (
    Array,
    Scores,
    check_confidence,
    runs_of,
    special,
)
from reward_synth.statistics.interval import (
    Bounds,
    Interval,
    check_bounds,
    combine_means,
    cut,
    equal_runs,
    unknown,
)


def stratified_bootstrap(
    scores: Scores,
    statistic: Statistic,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
    *,
    bounds: Bounds | None = None,
) -> Interval:
    """Return a statistic of all runs of all tasks with a bootstrap interval.

    Runs are drawn with replacement within each task, so tasks count as fixed: the
    interval says what other *seeds* would give on the same tasks. The ends are expanded
    percentiles, see :func:`expanded_percentiles`; the plain ones are too close with few
    runs.

    Args:
        scores: The runs of each task, shape ``(runs,)``; the numbers may differ.
        statistic: Reduces an axis of the scores of all tasks, put one after the other;
            :func:`iqm`, ``np.mean`` …
        rng: What is drawn from.
        confidence: The level.
        resamples: How often to draw.
        bounds: The least and greatest possible score; the ends are cut there. Where no
            run differs from the others of its task, the interval is made from Wilson's
            of each task, see :func:`mean_interval`.

    Returns:
        Where a task has one run, the ends are NaN: its spread is not known. Where no run
        differs from the others of its task, and no bounds are given: zero width.

    Raises:
        UsageError: If scores are missing, not finite or out of bounds, or the statistic
            does not reduce the axis that it is given.
        MissingExtraError: If SciPy is not installed.

    Source:
        Agarwal et al. 2021 (stratified bootstrap); Hesterberg 2015 (expansion).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> scores = {"reach": [0.7, 0.8, 0.9, 0.8], "push": [0.1, 0.3, 0.2, 0.2]}
        >>> found = stratified_bootstrap(scores, np.mean, rng)
        >>> round(found.value, 2), 0.4 < found.low < 0.5 < found.high < 0.6
        (0.5, True)
    """
    check_confidence(confidence)
    sample = Sample(scores, statistic, "scores", bounds)
    if sample.unknown:
        return unknown(sample.value)
    if sample.constant:
        return sample.constant_interval(confidence, bounds)
    found = expanded_percentiles(
        sample.value,
        sample.draw(rng, resamples),
        sample.variances(),
        sample.sizes,
        confidence,
    )
    return cut(found, bounds)


def difference(
    a: Scores,
    b: Scores,
    rng: np.random.Generator,
    statistic: Statistic = iqm,
    confidence: float = 0.95,
    resamples: int = 2000,
    *,
    bounds: Bounds | None = None,
) -> Interval:
    """Return ``statistic(a) - statistic(b)`` with a bootstrap interval.

    The runs of both designs are drawn independently, also where their seeds are equal:
    agents that are rewarded differently soon have nothing else in common.

    Args:
        a: The runs of each task, shape ``(runs,)``.
        b: The same tasks under the other design.
        rng: What is drawn from.
        statistic: As for :func:`stratified_bootstrap`.
        confidence: The level.
        resamples: How often to draw.
        bounds: As for :func:`stratified_bootstrap`.

    Returns:
        NaN for the ends where a task has one run.

    Raises:
        UsageError: If the tasks differ, or as for :func:`stratified_bootstrap`.
        MissingExtraError: If SciPy is not installed.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> good, bad = {"reach": [0.9, 0.8, 1.0]}, {"reach": [0.1, 0.3, 0.2]}
        >>> found = difference(good, bad, rng)
        >>> round(found.value, 2), found.excludes(0.0)
        (0.7, True)
    """
    check_confidence(confidence)
    check_same_tasks(a, b)
    left = Sample(a, statistic, "a", bounds)
    right = Sample({task: b[task] for task in a}, statistic, "b", bounds)
    value = left.value - right.value
    span = bounds and (bounds[0] - bounds[1], bounds[1] - bounds[0])
    if left.unknown or right.unknown:
        return unknown(value)
    if left.constant and right.constant:
        first = left.constant_interval(confidence, bounds)
        second = right.constant_interval(confidence, bounds)
        below = math.hypot(first.value - first.low, second.high - second.value)
        above = math.hypot(first.high - first.value, second.value - second.low)
        return cut(Interval(value, value - below, value + above), span)
    found = expanded_percentiles(
        value,
        left.draw(rng, resamples) - right.draw(rng, resamples),
        np.concatenate([left.variances(), right.variances()]),
        [*left.sizes, *right.sizes],
        confidence,
    )
    return cut(found, span)


def check_same_tasks(a: Scores, b: Scores) -> None:
    """Refuse designs that were measured on different tasks.

    Raises:
        UsageError: Names the tasks that only one has.

    Example:
        >>> check_same_tasks({"reach": [1.0]}, {"reach": [0.0]})
    """
    only = sorted(a.keys() ^ b.keys())
    if only:
        raise UsageError(
            f"Only one of both designs has {', '.join(map(repr, only))}; "
            "compare designs on tasks that both have."
        )


def expanded_percentiles(
    value: float,
    draws: Array,
    variances: Array,
    sizes: Sequence[int],
    confidence: float,
) -> Interval:
    """Return percentiles of the draws, further out the fewer the runs.

    Drawing n of n runs gives ``(n - 1) / n`` of the variance, and a normal quantile
    takes the variance for known. Both are set right by another percentile,
    ``Phi(-t * sqrt(V / V'))``: V is the sum of the strata's variances, V' what the
    draws have of it, and t Student's quantile with Satterthwaite's degrees of freedom,
    ``V**2 / sum(v**2 / (n - 1))``.

    With three runs of one task that percentile lies beyond the outermost draw, and no
    mean of drawn runs can leave their range. Then ``t * sqrt(V / V')`` standard
    deviations of the draws are given to both sides.

    Args:
        value: The estimate; the interval holds it.
        draws: Shape ``(resamples,)``.
        variances: Of the estimate, from each stratum; shape ``(strata,)``. Only their
            ratios matter.
        sizes: Runs of each stratum, at least 2.
        confidence: The level.

    Raises:
        MissingExtraError: If SciPy is not installed.

    Source:
        Hesterberg, "What Teachers Should Know About the Bootstrap", The American
        Statistician 69, 2015; Satterthwaite 1946. The extension to strata is ours.

    Example:
        >>> draws = np.linspace(0.0, 1.0, 1001)
        >>> found = expanded_percentiles(0.5, draws, np.ones(1), [1000], 0.9)
        >>> round(found.low, 3), round(found.high, 3)
        (0.05, 0.95)
    """
    share = variances if variances.sum() > 0.0 else np.ones(len(sizes))
    freedom = np.asarray(sizes, dtype=np.float64) - 1.0
    degrees = share.sum() ** 2 / (share**2 / freedom).sum()
    ratio = share.sum() / (share * freedom / (freedom + 1.0)).sum()
    quantile = special().stdtrit(degrees, 0.5 + confidence / 2)
    distance = float(quantile * math.sqrt(ratio))
    level = float(special().ndtr(-distance))
    if level * draws.size < 1.0:
        half = distance * float(draws.std())
        return Interval(value, value - half, value + half)
    low, high = np.quantile(draws, [level, 1.0 - level])
    return Interval(value, min(float(low), value), max(float(high), value))


class Sample:
    """The runs of one design, for drawing from.

    Args:
        scores: The runs of each task, shape ``(runs,)``.
        statistic: Reduces an axis.
        name: Of the scores, for messages.
        bounds: What each score must keep to, or None.

    Raises:
        UsageError: If scores are missing, not finite or out of bounds.

    Example:
        >>> Sample({"reach": [1.0, 0.0]}, np.mean, "scores").value
        0.5
    """

    def __init__(
        self,
        scores: Scores,
        statistic: Statistic,
        name: str,
        bounds: Bounds | None = None,
    ) -> None:
        self._runs = list(runs_of(scores, name).values())
        self._statistic = statistic
        pooled = np.concatenate(self._runs)
        check_bounds(pooled.min(), pooled.max(), bounds)
        self.value = float(self._reduce(pooled[None])[0])
        self.sizes = [len(runs) for runs in self._runs]
        self.unknown = min(self.sizes) == 1
        self.constant = all(np.ptp(runs) == 0.0 for runs in self._runs)

    def constant_interval(self, confidence: float, bounds: Bounds | None) -> Interval:
        """Return the interval for the case that no task's runs differ."""
        parts = [
            equal_runs(float(runs[0]), len(runs), confidence, bounds)
            for runs in self._runs
        ]
        return cut(combine_means(self.value, parts), bounds)

    def draw(self, rng: np.random.Generator, resamples: int) -> Array:
        """Return the statistic of ``resamples`` draws; shape ``(resamples,)``."""
        if resamples < 1:
            raise UsageError(f"resamples is {resamples}; expected at least 1.")
        drawn = [
            runs[rng.integers(0, len(runs), (resamples, len(runs)))]
            for runs in self._runs
        ]
        return self._reduce(np.concatenate(drawn, axis=1))

    def variances(self) -> Array:
        """Return each task's part of the variance, by the jackknife; ``(tasks,)``."""
        pooled = np.concatenate(self._runs)
        others = ~np.eye(len(pooled), dtype=bool)
        without = self._reduce(
            np.broadcast_to(pooled, others.shape)[others].reshape(len(pooled), -1)
        )
        parts = np.split(without, np.cumsum(self.sizes)[:-1])
        return np.array([np.var(part) * (len(part) - 1.0) for part in parts])

    def _reduce(self, rows: Array) -> Array:
        found = np.asarray(self._statistic(rows, axis=-1), dtype=np.float64)
        if found.shape != rows.shape[:1]:
            raise UsageError(
                f"The statistic turned scores of shape {rows.shape} into shape "
                f"{found.shape}; expected {rows.shape[:1]}. It must reduce the axis that "
                "it is given, as np.mean does."
            )
        return found
