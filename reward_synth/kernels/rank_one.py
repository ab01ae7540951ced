"""The inverse of a matrix that grows by one outer product a step, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]


def ellipse_bonus(
    inverse: Floats, features: Floats, valid: npt.NDArray[np.bool_]
) -> Floats:
    """Return φᵀC⁻¹φ for each lane and let C grow by φφᵀ.

    By Sherman and Morrison (1950): with u = C⁻¹φ and b = φᵀu, the new inverse is
    C⁻¹ - uuᵀ / (1 + b). numba fuses the two passes over the matrix and makes no copies;
    NumPy makes one for each lane.

    Args:
        inverse: C⁻¹ of each lane, shape ``(lanes, d, d)``; changed in place.
        features: φ of each lane, shape ``(lanes, d)``.
        valid: Lanes to look at; the others stay, with a bonus of 0.

    Example:
        >>> inverse = np.eye(2)[None] / 0.1
        >>> ellipse_bonus(inverse, np.array([[1.0, 0.0]]), np.array([True]))
        array([10.])
        >>> inverse[0].round(4)
        array([[ 0.9091,  0.    ],
               [ 0.    , 10.    ]])
    """
    paid = np.zeros(len(features))
    _run(inverse, features, valid, paid)
    return paid


def _update(inverse: Any, features: Any, valid: Any, paid: Any) -> None:
    lanes, size = features.shape
    along = np.empty(size)
    for lane in range(lanes):
        if not valid[lane]:
            continue
        matrix, feature = inverse[lane], features[lane]
        bonus = 0.0
        for row in range(size):
            total = 0.0
            for column in range(size):
                total += matrix[row, column] * feature[column]
            along[row] = total
            bonus += total * feature[row]
        scale = 1.0 / (1.0 + bonus)
        for row in range(size):
            part = along[row] * scale
            for column in range(size):
                matrix[row, column] -= part * along[column]
        paid[lane] = bonus


_run: Any = njit(cache=False, fastmath={"reassoc", "contract"})(_update)
