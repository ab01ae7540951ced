"""Checks that keep out what is a number, but no dense reward."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reward_synth.checks.report import Examined
from reward_synth.language import Finding
from reward_synth.reward import Array

LARGEST = 1e6
"""Most that one component may pay in a step; learners break far below."""
_EXACT = 1e-9
"""Relative error up to which one signal is another in disguise."""


def bounded(examined: Examined) -> Iterator[Finding]:
    """Find components that are finite and yet larger than any learner bears."""
    for column, name in enumerate(examined.function.outputs):
        sizes = np.abs(examined.values[:, column])
        worst = float(sizes.max())
        if worst > LARGEST:
            yield Finding(
                "error",
                "too-large",
                f"{name!r} reaches {worst:.3g} on real steps; a component must stay "
                f"within {LARGEST:g}.",
                "Bound it, for example with np.tanh or np.clip.",
                examined.line(column),
            )


def more_than_the_answer(examined: Examined) -> Iterator[Finding]:
    """Find rewards that say what success or the sparse reward says, and no more."""
    total = examined.values.sum(axis=1)
    for name, signal in _answers(examined).items():
        if _is_affine(total, signal):
            yield Finding(
                "error",
                "sparse-in-disguise",
                f"The result is {name} in other numbers: it takes one value where that "
                "is given and another elsewhere, so nothing leads there.",
                "Pay for what comes before success: distances, progress, stages.",
                examined.line(0),
            )
            return


def _answers(examined: Examined) -> dict[str, Array]:
    """Return the signals that a dense reward must not repeat."""
    found: dict[str, Array] = {}
    if examined.success is not None:
        found["success"] = examined.success.astype(np.float64)
    if examined.task.sparse:
        parts = [rollout.steps.sparse for rollout in examined.rollouts]
        found["the sparse reward"] = np.concatenate(parts).astype(np.float64)
    return {name: item for name, item in found.items() if np.ptp(item) > 0.0}


def _is_affine(total: npt.NDArray[np.float64], signal: npt.NDArray[np.float64]) -> bool:
    """Tell whether ``total`` is ``a * signal + b`` with ``a`` other than 0."""
    size = float(np.ptp(total))
    if size == 0.0:
        return False  # constant: ``varies`` says so
    centred, other = total - total.mean(), signal - signal.mean()
    slope = float(centred @ other) / float(other @ other)
    left = np.abs(centred - slope * other).max()
    return bool(left <= _EXACT * size)
