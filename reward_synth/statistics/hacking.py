"""Whether trainings did worse at their end though their own reward did not fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.statistics.interval import Interval, mean_interval

_FEWEST_RUNS = 3
_FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Fall:
    """What became of trainings after the step at which such trainings do best."""

    step: float
    """That step; the median, since it is chosen for each run from the others."""
    best: float
    """Mean success there."""
    success: Interval
    """Mean change of success from there to the end."""
    dense: Interval
    """Mean change of the dense return."""

    @property
    def hacked(self) -> bool:
        """True where success surely fell, and the mean dense return did not.

        Learning that breaks down loses both.
        """
        return self.success.high < 0.0 <= self.dense.value


def fall_after_best(
    steps: npt.ArrayLike, dense: npt.ArrayLike, success: npt.ArrayLike
) -> Fall | None:
    """Return how runs changed after the best moment of runs like them.

    The greatest of some noisy values is too great, and what follows it lower by that
    alone. So the best step is chosen, for each run, by the mean success of the *other*
    runs, and the run's own change from there to its end enters the means. Intervals are
    Student's over runs.

    Args:
        steps: When was measured, shape ``(N,)``, rising.
        dense: Return of the dense reward, shape ``(runs, N)``.
        success: Share of successful episodes, 0 to 1; same shape.

    Returns:
        None for fewer than three runs or measurements, and where runs are best at
        their end.

    Raises:
        UsageError: Shapes differ, or a number is not finite.
        MissingExtraError: If SciPy is not installed.

    Source:
        Ours; the choice is that of leave-one-out cross-validation.

    Example:
        >>> earned = [[1, 2, 3], [1, 2, 3.5], [1, 2, 3]]
        >>> found = fall_after_best([10, 20, 30], earned, [[0, 1, 0], [0, 1, 0.1], [0, 1, 0]])
        >>> found.step, found.best, round(found.success.value, 3), found.hacked
        (20.0, 1.0, -0.967, True)
        >>> fall_after_best([10, 20, 30], earned, [[0, 0.5, 1]] * 3) is None
        True
    """
    when = np.asarray(steps, np.float64)
    earned, solved = (np.asarray(item, np.float64) for item in (dense, success))
    if earned.ndim != 2 or earned.shape != solved.shape or len(when) != earned.shape[1]:  # noqa: PLR2004
        raise UsageError(
            f"dense has shape {earned.shape} and success {solved.shape}; expected "
            f"(runs, {len(when)}) for both, one column for each of the steps."
        )
    if not (np.isfinite(earned).all() and np.isfinite(solved).all()):
        raise UsageError("dense and success must be finite.")
    runs, points = solved.shape
    if runs < _FEWEST_RUNS or points < _FEWEST_POINTS:
        return None
    others = (solved.sum(0) - solved) / (runs - 1)
    chosen = others.argmax(1)
    if (chosen == points - 1).sum() * 2 >= runs:
        return None
    each = np.arange(runs)
    return Fall(
        float(np.median(when[chosen])),
        float(solved[each, chosen].mean()),
        mean_interval(solved[:, -1] - solved[each, chosen], bounds=(-1.0, 1.0)),
        mean_interval(earned[:, -1] - earned[each, chosen]),
    )
