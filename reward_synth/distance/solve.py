"""Iterative solvers that need a matrix only as a function; NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Values: TypeAlias = npt.NDArray[np.float64]
Apply: TypeAlias = Callable[[Values], Values]
_MOST = 5000
_TINY = 1e-300


def bicgstab(apply: Apply, right: Values, tolerance: float = 1e-13) -> Values:
    """Solve ``A x = b`` for a square matrix given as a function.

    van der Vorst, "Bi-CGSTAB", SIAM J. Sci. Stat. Comput. 13 (1992). A breakdown, which
    is rare, begins anew from what was found so far.

    Args:
        apply: Multiplies by the matrix.
        right: b, shape ``(n,)``.
        tolerance: Of the residual, relative to b.

    Raises:
        UsageError: It does not converge; gamma lies too near 1.

    Example:
        >>> bicgstab(lambda v: 2.0 * v, np.array([2.0, 4.0])).tolist()
        [1.0, 2.0]
    """
    found = np.zeros_like(right)
    wanted = tolerance * max(float(np.linalg.norm(right)), _TINY)
    for _ in range(_MOST // 100):
        found = _stretch(apply, right, found, wanted)
        if np.linalg.norm(right - apply(found)) <= 10 * wanted:
            return found
    raise UsageError(
        "The values of the uniform policy did not converge; gamma lies too near 1 for "
        "this many states."
    )


def _stretch(apply: Apply, right: Values, found: Values, wanted: float) -> Values:
    """Do up to 100 steps of Bi-CGSTAB; stop early at a breakdown."""
    residual = right - apply(found)
    shadow, along = residual, residual
    product = float(residual @ residual)
    for _ in range(100):
        if np.linalg.norm(residual) <= wanted:
            break
        image = apply(along)
        below = float(shadow @ image)
        if abs(below) < _TINY:
            break
        alpha = product / below
        half = residual - alpha * image
        other = apply(half)
        square = float(other @ other)
        omega = float(other @ half) / square if square > _TINY else 0.0
        found = found + alpha * along + omega * half
        residual = half - omega * other
        before, product = product, float(shadow @ residual)
        if abs(before * omega) < _TINY:
            break
        along = residual + (product / before) * (alpha / omega) * (
            along - omega * image
        )
    return found


def least_squares(
    apply: Apply, adjoint: Apply, right: Values, tolerance: float = 1e-10
) -> Values:
    """Minimise ``|A x - b|`` by conjugate gradients on the normal equations (CGLS).

    Args:
        apply: Multiplies by A.
        adjoint: Multiplies by its transpose.
        right: b.
        tolerance: Of the gradient, relative to the first.

    Returns:
        The shortest of the best x.

    Raises:
        UsageError: It does not converge.

    Example:
        >>> least_squares(lambda v: 2.0 * v, lambda v: 2.0 * v, np.array([2.0])).tolist()
        [1.0]
    """
    residual = right
    gradient = adjoint(residual)
    found, along = np.zeros_like(gradient), gradient
    square = float(gradient @ gradient)
    wanted = tolerance**2 * square
    for _ in range(_MOST):
        if square <= max(wanted, _TINY):
            return found
        image = apply(along)
        step = square / float(image @ image)
        found = found + step * along
        residual = residual - step * image
        gradient = adjoint(residual)
        before, square = square, float(gradient @ gradient)
        along = gradient + (square / before) * along
    raise UsageError(
        "The shortest reward did not converge; gamma lies too near 1 for this many "
        "states. Use kind='value'."
    )
