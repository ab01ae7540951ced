"""Norms of canonical rewards."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Values: TypeAlias = npt.NDArray[np.float64]
Norm: TypeAlias = float | Literal["weighted", "weighted_1", "weighted_2"]
"""0: none (the number 1), p of at least 1, infinity, or a norm in which each transition
counts by its probability: ``weighted_1``, ``weighted_2`` (``weighted`` for short)."""
_WEIGHTED = {"weighted": 2.0, "weighted_1": 1.0, "weighted_2": 2.0}


def length(values: Values, order: Norm, weights: Values | None = None) -> float:
    """Return the norm of an array, whatever its shape.

    Args:
        values: The array.
        order: See :data:`Norm`. 0 gives 1, so that dividing by it changes nothing.
        weights: For weighted norms: of the same shape, or with a last axis more, which
            is summed up.

    Raises:
        UsageError: There is no such norm.

    Example:
        >>> length(np.array([3.0, -4.0]), 2), length(np.array([3.0, -4.0]), np.inf)
        (5.0, 4.0)
        >>> length(np.array([3.0, -4.0]), "weighted_1", np.array([1.0, 0.5]))
        5.0
    """
    if isinstance(order, str):
        power = _power(order)
        if weights is None:
            raise UsageError(f"norm={order!r} needs the probabilities of transitions.")
        share = weights if weights.shape == values.shape else weights.sum(-1)
        return float((np.abs(values) ** power * share).sum() ** (1 / power))
    if order == 0:
        return 1.0
    if not order >= 1:
        raise UsageError(
            f"norm={order!r} is no norm; give 0 (none), a number of at least 1, "
            f"infinity, or one of {', '.join(map(repr, _WEIGHTED))}."
        )
    # Scaled by the largest entry, so that powers neither overflow nor vanish.
    most = float(np.abs(values).max(initial=0.0))
    if most == 0.0 or np.isinf(order):
        return most
    return most * float(((np.abs(values) / most) ** order).sum() ** (1 / order))


def _power(order: str) -> float:
    if order not in _WEIGHTED:
        raise UsageError(
            f"norm={order!r} is not one of {', '.join(map(repr, _WEIGHTED))}, 0, a number "
            "of at least 1, or infinity."
        )
    return _WEIGHTED[order]
