"""Ends a training early whose reward is earned in another way than by the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HACKED, DOMINATED = "hacked", "dominated"
_LATE = 0.6
"""Share of a training after which a success should have been met, if it ever is."""
_HALF = 0.5
"""Share of a training before which nothing counts as dominated: slow is not bad."""
_FALL = 0.25
"""Of success, from its best: more than noise of twenty episodes."""
_RISE = 0.05
"""Of the size of the reward: less is no rise."""


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """When a training ends before its time; looked at after each evaluation.

    * ``hacked``: success fell by a quarter from its best and stayed there in two
      evaluations, while what the program pays rose; or, after three fifths of the
      training, it has risen and no evaluation has seen a success.
    * ``dominated``: after half of the training, the best success is below the mean of
      another program's evaluations so far (the rule of Vizier's median stopping, with the
      best program in the place of the median one: Golovin et al., 2017).

    Example:
        >>> def point(step, success, paid):
        ...     return {"step": step, "success_any": success, "components": {"a": paid}}
        >>> curve = [point(1, 0.5, 1.0), point(2, 0.2, 2.0), point(3, 0.1, 3.0)]
        >>> EarlyStop().reason(curve, 5), EarlyStop().reason(curve[:2], 5)
        ('hacked', '')
        >>> EarlyStop(((1, 0.9), (2, 1.0), (3, 1.0))).reason([point(3, 0.6, 1.0)], 5)
        'dominated'
    """

    bar: tuple[tuple[int, float], ...] = ()
    """Steps and success of the best training of as many steps so far."""

    def reason(self, curve: Sequence[Mapping[str, Any]], steps: int) -> str:
        """Return why the training should end now; empty: it goes on.

        Args:
            curve: Its evaluations so far: ``step``, ``success_any``, ``components``.
            steps: Of the whole training.
        """
        if not curve or curve[-1]["step"] >= steps:
            return ""
        success = [float(point["success_any"]) for point in curve]
        paid = [float(sum(point["components"].values())) for point in curve]
        share = curve[-1]["step"] / steps
        if _fallen(success, paid) or (share >= _LATE and _fruitless(success, paid)):
            return HACKED
        if share >= _HALF and self._beaten(success, curve[-1]["step"]):
            return DOMINATED
        return ""

    def _beaten(self, success: Sequence[float], step: int) -> bool:
        before = [value for when, value in self.bar if when <= step]
        return bool(before) and max(success) < sum(before) / len(before)


def _fallen(success: Sequence[float], paid: Sequence[float]) -> bool:
    """Tell whether the reward rose in two evaluations in which success had fallen."""
    peak = success.index(max(success))
    after = range(peak + 1, len(success))[-2:]
    return len(after) == 2 and all(  # noqa: PLR2004 - one may be chance
        success[place] <= success[peak] - _FALL and _risen(paid[peak], paid[place])
        for place in after
    )


def _fruitless(success: Sequence[float], paid: Sequence[float]) -> bool:
    return max(success) == 0.0 and len(paid) > 1 and _risen(paid[0], paid[-1])


def _risen(before: float, now: float) -> bool:
    return now - before > _RISE * max(abs(before), abs(now))
