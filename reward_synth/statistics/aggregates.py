"""One number for many runs.

Every function takes ``axis`` as NumPy's do, so it can be the ``statistic`` of
:func:`~reward_synth.statistics.stratified_bootstrap`, as ``np.std`` can.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from reward_synth.errors import MissingExtraError
from reward_synth.statistics.arrays import Array, finite


class Statistic(Protocol):
    """Reduces one axis of an array of scores, as ``np.mean`` does."""

    def __call__(self, scores: Array, /, *, axis: int) -> float | Array:
        """Return one number for each row along ``axis``."""
        ...


def iqm(scores: ArrayLike, axis: int | None = None) -> float | Array:
    """Return the interquartile mean: the mean of the middle half.

    The lowest and the highest quarter are left out, each rounded down to whole runs, so
    up to 3 scores it is the mean.

    Args:
        scores: Any shape, such as ``(tasks, runs)``.
        axis: The axis to reduce; all of them by default.

    Raises:
        UsageError: If a score is missing or not finite.
        MissingExtraError: If SciPy is not installed.

    Source:
        Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
        Precipice", NeurIPS 2021.

    Example:
        >>> iqm([0.0, 0.4, 0.6, 1.0])
        0.5
    """
    try:
        from scipy.stats import trim_mean  # noqa: PLC0415 - an extra
    except ImportError as cause:
        raise MissingExtraError("scipy", "report") from cause
    return _plain(trim_mean(finite(scores, "scores"), 0.25, axis=axis))


def mean(scores: ArrayLike, axis: int | None = None) -> float | Array:
    """Return the mean.

    Raises:
        UsageError: If a score is missing or not finite.

    Example:
        >>> mean([0.0, 1.0])
        0.5
    """
    return _plain(finite(scores, "scores").mean(axis=axis))


def median(scores: ArrayLike, axis: int | None = None) -> float | Array:
    """Return the median.

    Raises:
        UsageError: If a score is missing or not finite.

    Example:
        >>> median([0.0, 0.2, 1.0])
        0.2
    """
    return _plain(np.median(finite(scores, "scores"), axis=axis))


def optimality_gap(
    scores: ArrayLike, axis: int | None = None, *, target: float = 1.0
) -> float | Array:
    """Return how far the scores fall short of ``target`` on average; less is better.

    What exceeds the target counts as the target: ``mean(max(target - score, 0))``.

    Raises:
        UsageError: If a score is missing or not finite.

    Source:
        Agarwal et al. 2021, section 4.3.

    Example:
        >>> optimality_gap([0.5, 1.0, 3.0, 1.0])
        0.125
    """
    short = np.maximum(target - finite(scores, "scores"), 0.0)
    return _plain(short.mean(axis=axis))


def _plain(found: float | Array) -> float | Array:
    return found if isinstance(found, np.ndarray) else float(found)
