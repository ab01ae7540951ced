"""How authors spell the operations: NumPy's names, math's names, and near misses."""

from __future__ import annotations

import ast
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

BINARY: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add", "+"),
    ast.Sub: ("subtract", "-"),
    ast.Mult: ("multiply", "*"),
    ast.Div: ("divide", "/"),
    ast.FloorDiv: ("floor_divide", "//"),
    ast.Mod: ("mod", "%"),
    ast.Pow: ("power", "**"),
    ast.MatMult: ("dot", "@"),
    ast.BitAnd: ("logical_and", "&"),
    ast.BitOr: ("logical_or", "|"),
}
"""Python's operator to operation and spelling."""
COMPARE: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("less", "<"),
    ast.LtE: ("less_equal", "<="),
    ast.Gt: ("greater", ">"),
    ast.GtE: ("greater_equal", ">="),
    ast.Eq: ("equal", "=="),
    ast.NotEq: ("not_equal", "!="),
}
"""The same of comparisons."""

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
    "heaviside": "Write np.where(x > 0, 1.0, 0.0).",
    "fmin": "Write np.minimum.",
    "fmax": "Write np.maximum.",
    "round": "Use np.floor(x + 0.5).",
    "rint": "Use np.floor(x + 0.5).",
    "float32": "All numbers are float64; leave it out.",
    "arctanh": "Write 0.5 * np.log((1.0 + x) / (1.0 - x)).",
    "diag": "Write np.trace(m), np.eye(3), or select entries by index.",
    "tile": "Write np.array([x, x]).",
    "linalg.det": "Write the formula out, for example np.dot(m[0], np.cross(m[1], m[2])).",
    "select": "Nest np.where.",
    "sorted": "Use min and max.",
    "print": "Leave it out; a reward has no output.",
    "tuple": "Write (x[0], x[1]).",
    "list": "Write np.array([x[0], x[1]]).",
    "map": "Write a for loop, or use vector operations.",
    "reversed": "Index from the end: x[-1 - i].",
    "isinstance": "Types are known: leave it out.",
    "dict": 'Write {"reach": reach}.',
    "cbrt": "Write np.sign(x) * np.abs(x) ** (1 / 3).",
    "cumsum": "Write the sums out, or use a loop with constant bounds.",
    "sort": "Use np.min, np.max, np.minimum or np.maximum.",
    "argwhere": "Count with np.sum(x == 1), or test with np.any(x == 1).",
    "allclose": "Write np.all(np.isclose(a, b)).",
    "argmin": "Compare the values with np.where.",
    "argsort": "Use np.min and np.max, or np.minimum and np.maximum of two.",
    "argmax": "Compare the values with np.where.",
}


def suggestion(name: str) -> str:
    """Return what to write instead of ``np.<name>``, or ``""``."""
    return _SUGGESTIONS.get(name, "")
