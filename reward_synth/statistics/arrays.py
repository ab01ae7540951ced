"""Checked arrays of scores, and SciPy where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reward_synth.errors import MissingExtraError, UsageError

Array = NDArray[np.float64]
Scores = Mapping[str, ArrayLike]
"""The runs of each task: shape ``(runs,)``, one score a run."""


def special() -> ModuleType:
    """Return ``scipy.special``.

    Raises:
        MissingExtraError: If SciPy is not installed.

    Example:
        >>> float(special().ndtr(0.0))
        0.5
    """
    try:
        from scipy import special as module  # noqa: PLC0415 - an extra
    except ImportError as cause:
        raise MissingExtraError("scipy", "report") from cause
    return module  # type: ignore[no-any-return]


def finite(values: ArrayLike, name: str) -> Array:
    """Return numbers as an array of float64.

    Args:
        values: Any shape, at least one number.
        name: What they are, for the message.

    Raises:
        UsageError: If there is none, or one is NaN or infinite.

    Example:
        >>> finite([1, 2], "runs")
        array([1., 2.])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise UsageError(f"{name} is empty; give at least one number.")
    if not np.isfinite(array).all():
        wrong = array[~np.isfinite(array)].flat[0]
        raise UsageError(
            f"{name} holds {wrong}; every number must be finite. "
            "Leave runs without a result out."
        )
    return array


def runs_of(scores: Scores, name: str = "scores") -> dict[str, Array]:
    """Return the runs of each task as arrays of shape ``(runs,)``.

    Raises:
        UsageError: If there is no task, or a task has no runs, runs of another shape,
            or a run that is not finite.

    Example:
        >>> runs_of({"reach": [1, 0]})
        {'reach': array([1., 0.])}
    """
    if not scores:
        raise UsageError(f"{name} holds no task; give the runs of at least one.")
    found = {task: finite(runs, f"{name}[{task!r}]") for task, runs in scores.items()}
    for task, runs in found.items():
        if runs.ndim != 1:
            raise UsageError(
                f"{name}[{task!r}] has shape {runs.shape}; expected (runs,), "
                "one score a run."
            )
    return found


def check_confidence(confidence: float) -> None:
    """Refuse what is no confidence level.

    Raises:
        UsageError: If it is not between 0 and 1.

    Example:
        >>> check_confidence(0.95)
    """
    if not 0.0 < confidence < 1.0:
        raise UsageError(
            f"confidence is {confidence}; expected a share between 0 and 1, as in 0.95."
        )
