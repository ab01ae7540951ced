"""What a training taught, in words: how success and each component went.

A summary, not raw series: summarised feedback is one of the four design choices that
clearly helped in the ablations of "A Bird's-Eye View of Iterative Reward Design".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]
_FLAT = 0.05
"""Of the size of a component: less change than this is none."""
_CLEAR = 0.5
"""Rank correlation from which two curves go together."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What training with a program gave."""

    success: float
    """Mean success rate over the seeds, on episodes that nothing else is chosen by."""
    curve: tuple[Mapping[str, Any], ...] = ()
    """Evaluations of the first seed: ``step``, ``success_any``, ``components`` …"""
    rollouts: tuple[str, ...] = ()
    """The best and the worst episode of the trained agent, as text."""
    spread: tuple[float, ...] = field(default=())
    """Success rate of each seed."""
    stopped: tuple[str, ...] = ()
    """Why and when trainings were ended before their time."""


def reflect(measured: Measured) -> str:
    """Return what a proposer is told of a training.

    Example:
        >>> points = [{"step": 10 * n, "success_any": 0.5 * n, "components": {"near": n}}
        ...     for n in range(3)]
        >>> print(reflect(Measured(1.0, tuple(points))))
        Success while it was trained: 0% 50% 100%.
        Mean sum of each component over an episode, at these times:
        - near: 0 1 2; rising, 100% of the size of all; goes with success (+1.00)
    """
    curve = measured.curve
    if not curve:
        return "\n".join(measured.rollouts)
    success = np.array([point["success_any"] for point in curve], np.float64)
    rates = " ".join(f"{value:.0%}" for value in success)
    lines = [f"Success while it was trained: {rates}."]
    if measured.stopped:
        lines.append(f"Ended early: {', '.join(measured.stopped)}.")
    series = _series(curve)
    if series:
        lines.append("Mean sum of each component over an episode, at these times:")
        sizes = {name: float(np.abs(values).mean()) for name, values in series.items()}
        whole = max(sum(sizes.values()), 1e-12)
        lines += [
            f"- {name}: {_numbers(values)}; {_trend(values)}, "
            f"{sizes[name] / whole:.0%} of the size of all{_use(values, success)}"
            for name, values in series.items()
        ]
        lines += _hacked(sum(series.values(), np.zeros(len(success))), success)
    return "\n".join([*lines, *measured.rollouts])


def _series(curve: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    """Return the components that every evaluation tells of."""
    names = set.intersection(*(set(point.get("components", {})) for point in curve))
    return {
        name: np.array([point["components"][name] for point in curve], np.float64)
        for name in sorted(names)
    }


def _numbers(values: Series) -> str:
    return " ".join(f"{value:.3g}" for value in values)


def _trend(values: Series) -> str:
    size = max(float(np.abs(values).max()), 1e-12)
    change = float(values[-1] - values[0])
    if np.ptp(values) <= _FLAT * size:
        return "flat: it teaches nothing as it is"
    late = values[len(values) // 2 :]
    if abs(change) > _FLAT * size and np.ptp(late) <= _FLAT * size:
        return f"{'rising' if change > 0 else 'falling'}, then saturated"
    if abs(change) <= _FLAT * size:
        return "going up and down"
    return "rising" if change > 0 else "falling"


def _use(values: Series, success: Series) -> str:
    found = _rank_correlation(values, success)
    if found is None:
        return ""
    if abs(found) < _CLEAR:
        return f"; unrelated to success ({found:+.2f})"
    return f"; goes {'with' if found > 0 else 'against'} success ({found:+.2f})"


def _hacked(total: Series, success: Series) -> list[str]:
    """Say it where the reward grew and success did not: it is earned in another way."""
    grown = _trend(total).startswith("rising")
    if not grown or success[-1] > success[0] or success[-1] == 1.0:
        return []
    return [
        "The reward grew and success did not: the agent earns it in another way than by "
        "the task. Find out how, from the components above, and close that way."
    ]


def _rank_correlation(first: Series, second: Series) -> float | None:
    """Return Spearman's coefficient; None where one of them does not vary."""
    if len(first) < 3 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:  # noqa: PLR2004
        return None
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Series) -> Series:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Series = (last - (counts - 1) / 2.0)[inverse]
    return ranks
