"""How an intrinsic training goes, in numbers and in a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.agents.ppo_rollout import Episode
from reward_synth.intrinsic.annotation import Metrics

_POINTS = 20
"""Of the curve in the result."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    steps: int
    total: int
    rate: float
    """Steps a second."""
    success: float
    """Mean of the last hundred episodes; nan where the environment tells none."""
    paid: float
    """Mean return of the same, by the environment's own reward."""
    covered: float
    """Share of the last update's steps with a label or a guess; nan without labels."""
    labels: Metrics | None

    @property
    def line(self) -> str:
        """It in words, for one line of a screen."""
        shown = [f"{self.rate:.0f} steps/s"]
        if not math.isnan(self.success):
            shown.append(f"success {self.success:.0%}")
        elif not math.isnan(self.paid):
            shown.append(f"return {self.paid:.3g}")
        if self.labels is not None:
            shown += [f"coverage {self.covered:.0%}", *_labels_line(self.labels)]
        return " · ".join(shown)


def success_of(episodes: Sequence[Episode]) -> float:
    """Return the share of successes; nan where none is told.

    Example:
        >>> success_of([Episode(9, 1.0, 9, True), Episode(18, 0.0, 9, False)])
        0.5
    """
    return mean([float(one.success) for one in episodes if one.success is not None])


def curve(episodes: Sequence[Episode], steps: int) -> list[dict[str, Any]]:
    """Return success and return in twenty parts of a training.

    Example:
        >>> curve([Episode(100, 1.0, 9, True)], 100)[-1]
        {'step': 100, 'episodes': 1, 'success': 1.0, 'return': 1.0}
    """
    found = []
    for number in range(_POINTS):
        low, high = steps * number / _POINTS, steps * (number + 1) / _POINTS
        part = [one for one in episodes if low < one.step <= high]
        found.append(
            {
                "step": round(high),
                "episodes": len(part),
                "success": plain(success_of(part)),
                "return": plain(mean([one.paid for one in part])),
            }
        )
    return found


def _labels_line(labels: Metrics) -> list[str]:
    """Say age and cost of labels."""
    shown = []
    if not math.isnan(labels.age_p50):
        shown.append(f"label age {labels.age_p50:.1f} s")
    if labels.calls:
        cost = f" · cost {labels.money:.4g}" if labels.money else ""
        shown.append(f"{labels.calls:.0f} calls, {labels.tokens:.0f} tokens{cost}")
    return shown


def mean(values: Sequence[float]) -> float:
    """Return the mean; nan of nothing.

    Example:
        >>> mean([1.0, 2.0])
        1.5
    """
    return float(np.mean(values)) if values else math.nan


def plain(value: float) -> float | None:
    """Return a number as JSON has it: None for nan.

    Example:
        >>> plain(float("nan")) is None
        True
    """
    return None if math.isnan(value) else round(value, 6)
