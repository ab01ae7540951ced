"""The operations of the reward language: their spellings, types and plain evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import BOOL, FLOAT, Type
from reward_synth.reward import Array

Types = tuple[Type, ...]
_MATRIX = 2


@dataclass(frozen=True, slots=True)
class Function:
    """One operation."""

    least: int
    """Fewest arguments."""
    most: int
    """Most arguments."""
    result: Callable[[str, Types], Type]
    """``(spelling, argument types) -> type``; raises ``ProgramProblemError``."""
    evaluate: Callable[..., Array]
    """The reference, on NumPy values."""


@lru_cache(4096)
def _together(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return NumPy's answer, which a loop asks for again in every pass."""
    return np.broadcast_shapes(*shapes)


def broadcast(spelling: str, types: Types) -> tuple[int, ...]:
    """Return the broadcast shape or explain why there is none."""
    try:
        return _together(*(item.shape for item in types))
    except ValueError:
        shown = " and a ".join(str(item) for item in types)
        raise ProgramProblemError(
            "shape-mismatch",
            f"{spelling} cannot combine a {shown}.",
            "Select entries first, for example x[0:2], so that the shapes agree.",
        ) from None


def _elementwise(spelling: str, types: Types) -> Type:
    _refuse_bool_arithmetic(spelling, types)
    return Type(broadcast(spelling, types))


def _refuse_bool_arithmetic(spelling: str, types: Types) -> None:
    if all(item.kind == "bool" for item in types):
        raise ProgramProblemError(
            "bool-arithmetic",
            f"{spelling} is arithmetic on truth values only.",
            "Convert first, for example float(x > 0), or use and/or/not.",
        )


def _mapping(spelling: str, types: Types) -> Type:
    return Type(broadcast(spelling, types))


def _test(spelling: str, types: Types) -> Type:
    return Type(broadcast(spelling, types), "bool")


def _logic(spelling: str, types: Types) -> Type:
    for item in types:
        if item.kind != "bool":
            raise ProgramProblemError(
                "not-a-condition",
                f"{spelling} needs truth values, but got a {item}.",
                "Compare first, for example x > 0.5.",
            )
    return Type(broadcast(spelling, types), "bool")


def _where(spelling: str, types: Types) -> Type:
    if types[0].kind != "bool":
        raise ProgramProblemError(
            "not-a-condition",
            f"The condition of {spelling} must be a truth value, but is a {types[0]}.",
            "Compare first, for example x > 0.5.",
        )
    kinds = {item.kind for item in types[1:]}
    return Type(broadcast(spelling, types), "bool" if kinds == {"bool"} else "float")


def _reduction(_: str, __: Types) -> Type:
    return FLOAT


def _bool_reduction(spelling: str, types: Types) -> Type:
    _logic(spelling, types)
    return BOOL


def _norm(spelling: str, types: Types) -> Type:
    if len(types[0].shape) > 1:
        raise ProgramProblemError(
            "shape-mismatch",
            f"{spelling} takes a vector, but got a {types[0]}.",
            "Select a row first.",
        )
    return FLOAT


def _dot(spelling: str, types: Types) -> Type:
    left, right = types
    if left.scalar or right.scalar:
        raise ProgramProblemError(
            "shape-mismatch", f"{spelling} needs two vectors; write * for scalars."
        )
    if max(len(left.shape), len(right.shape)) > _MATRIX:
        raise ProgramProblemError(
            "shape-mismatch", f"{spelling} takes vectors and matrices only."
        )
    _refuse_bool_arithmetic(spelling, types)
    try:
        shape = np.matmul(np.zeros(left.shape), np.zeros(right.shape)).shape
    except ValueError:
        raise ProgramProblemError(
            "shape-mismatch", f"{spelling} cannot combine a {left} and a {right}."
        ) from None
    return Type(shape)


def _inner(spelling: str, types: Types) -> Type:
    if any(len(item.shape) != 1 for item in types):
        raise ProgramProblemError("shape-mismatch", f"{spelling} takes two vectors.")
    return _dot(spelling, types)


def _cross(spelling: str, types: Types) -> Type:
    for item in types:
        _refuse_bool_arithmetic(spelling, (item,))
    if any(item.shape != (3,) for item in types):
        raise ProgramProblemError(
            "shape-mismatch",
            f"{spelling} takes two vectors of 3, but got a {types[0]} and a {types[1]}.",
        )
    return Type((3,))


def _same(_: str, types: Types) -> Type:
    return Type(types[0].shape)


def _to_scalar(spelling: str, types: Types) -> Type:
    if not types[0].scalar:
        raise ProgramProblemError(
            "shape-mismatch",
            f"{spelling} takes one number, but got a {types[0]}.",
            "Select an entry, for example x[0], or reduce it, for example np.sum(x).",
        )
    return BOOL if spelling == "bool" else FLOAT


def _flat_float(value: Array) -> Array:
    return np.asarray(value, np.float64)


def _unary(evaluate: Callable[..., Array]) -> Function:
    return Function(1, 1, _elementwise, evaluate)


def _binary(evaluate: Callable[..., Array]) -> Function:
    return Function(2, 2, _elementwise, evaluate)


def _reduce(evaluate: Callable[..., Array]) -> Function:
    return Function(1, 1, _reduction, lambda x: evaluate(_flat_float(x)))


def _compare(evaluate: Callable[..., Array]) -> Function:
    return Function(2, 2, _test, evaluate)


UNARY = {
    "negative": np.negative,
    "positive": np.positive,
    "abs": np.abs,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "square": np.square,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "deg2rad": np.deg2rad,
    "rad2deg": np.rad2deg,
}
BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": np.floor_divide,
    "mod": np.mod,
    "power": np.power,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "arctan2": np.arctan2,
    "hypot": np.hypot,
}
COMPARE = {
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
}

FUNCTIONS: dict[str, Function] = {
    **{name: _unary(call) for name, call in UNARY.items()},
    **{name: _binary(call) for name, call in BINARY.items()},
    **{name: _compare(call) for name, call in COMPARE.items()},
    "isnan": Function(1, 1, _test, np.isnan),
    "isfinite": Function(1, 1, _test, np.isfinite),
    "logical_and": Function(2, 2, _logic, np.logical_and),
    "logical_or": Function(2, 2, _logic, np.logical_or),
    "logical_not": Function(1, 1, _logic, np.logical_not),
    "where": Function(3, 3, _where, np.where),
    "clip": Function(3, 3, _mapping, lambda x, a, b: np.minimum(np.maximum(x, a), b)),
    "sum": _reduce(np.sum),
    "mean": _reduce(np.mean),
    "min": _reduce(np.min),
    "max": _reduce(np.max),
    "prod": _reduce(np.prod),
    "std": _reduce(np.std),
    "var": _reduce(np.var),
    "norm": Function(1, 1, _norm, lambda x: np.sqrt(np.sum(np.square(_flat_float(x))))),
    "all": Function(1, 1, _bool_reduction, np.all),
    "any": Function(1, 1, _bool_reduction, np.any),
    "dot": Function(2, 2, _dot, np.matmul),
    "inner": Function(2, 2, _inner, np.inner),
    "cross": Function(2, 2, _cross, np.cross),
    "zeros_like": Function(1, 1, _same, lambda x: np.zeros(np.shape(x))),
    "ones_like": Function(1, 1, _same, lambda x: np.ones(np.shape(x))),
    "float": Function(1, 1, _to_scalar, lambda x: np.reshape(_flat_float(x), ())),
    "bool": Function(1, 1, _to_scalar, lambda x: np.not_equal(np.reshape(x, ()), 0.0)),
}
