"""Scores on a scale between the sparse reward and a human's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reward_synth.statistics.arrays import finite

_CLIP = 3.0


@dataclass(frozen=True, slots=True)
class Normalised:
    """A score where 0 is the sparse reward and 1 the human's.

    Example:
        >>> Normalised(5.0, 3.0).clipped
        3.0
    """

    score: float
    """NaN where sparse and human are equal."""
    clipped: float
    """From 0 to 3; what is averaged over tasks."""


def human_normalised(method: float, sparse: float, human: float) -> Normalised:
    """Return ``(method - sparse) / |human - sparse|``.

    Where the human's reward is worse than the sparse one, 1 still means better than
    sparse by the distance of both; the score says nothing about who beats the human.

    Args:
        method: Score of the design.
        sparse: Score with the sparse reward alone.
        human: Score with the human's reward.

    Returns:
        NaN for both if human and sparse are equal: then there is no scale.

    Raises:
        UsageError: If a score is not finite.

    Source:
        Ma et al., "Eureka", ICLR 2024: averages clip each task to 0 to 3.

    Example:
        >>> human_normalised(0.9, 0.1, 0.5)
        Normalised(score=2.0, clipped=2.0)
        >>> human_normalised(0.9, 0.5, 0.5)
        Normalised(score=nan, clipped=nan)
    """
    finite([method, sparse, human], "method, sparse, human")
    if human == sparse:
        return Normalised(math.nan, math.nan)
    score = (method - sparse) / abs(human - sparse)
    return Normalised(score, min(max(score, 0.0), _CLIP))
