"""How authors spell the operations: NumPy's names, math's names, and near misses."""

from __future__ import annotations

import math

import numpy as np

from reward_synth.language.functions import FUNCTIONS, UNARY

NUMPY_SPELLINGS: dict[str, str] = {
    **{name: name for name in FUNCTIONS if name not in ("norm", "float", "bool")},
    "absolute": "abs",
    "fabs": "abs",
    "amin": "min",
    "amax": "max",
    "remainder": "mod",
    "true_divide": "divide",
    "matmul": "dot",
    "radians": "deg2rad",
    "degrees": "rad2deg",
    "linalg.norm": "norm",
    "float64": "float",
    "float32": "float",
}
"""``np.<spelling>`` to operation."""

_IN_BOTH = tuple(
    name for name in UNARY if hasattr(math, name) and name not in ("abs", "sign")
)
"""Unary operations that math spells as NumPy does."""

MATH_SPELLINGS: dict[str, str] = {
    **{name: name for name in (*_IN_BOTH, "hypot", "isnan", "isfinite")},
    "fabs": "abs",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "pow": "power",
    "radians": "deg2rad",
    "degrees": "rad2deg",
}
"""``math.<spelling>`` to operation; all take scalars."""

CONSTANTS = {
    "np.pi": np.pi,
    "np.e": np.e,
    "np.inf": np.inf,
    "np.nan": np.nan,
    "math.pi": np.pi,
    "math.e": np.e,
    "math.inf": np.inf,
    "math.nan": np.nan,
    "math.tau": 2 * np.pi,
}

_SUGGESTIONS = {
    "linalg.inv": "Only vectors and scalars are computed with; write the formula out.",
    "random.rand": "A reward must be deterministic.",
    "interp": "Write the pieces with np.where.",
    "heaviside": "Write np.where(x > 0, 1.0, 0.0).",
    "exp2": "Write 2.0 ** x.",
    "fmin": "Write np.minimum.",
    "fmax": "Write np.maximum.",
    "round": "Use np.floor(x + 0.5).",
    "cbrt": "Write np.sign(x) * np.abs(x) ** (1 / 3).",
    "cumsum": "Write the sums out, or use a loop with constant bounds.",
    "sort": "Use np.min, np.max, np.minimum or np.maximum.",
    "argmin": "Compare the values with np.where.",
    "argmax": "Compare the values with np.where.",
}


def suggestion(name: str) -> str:
    """Return what to write instead of ``np.<name>``, or ``""``."""
    return _SUGGESTIONS.get(name, "")
