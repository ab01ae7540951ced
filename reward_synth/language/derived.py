"""NumPy functions that are a few operations of the language."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from reward_synth.language.arguments import Call
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FLOAT, Const, Expr
from reward_synth.language.operations import op, pick

_INFINITE = Const(np.inf, FLOAT)
_LARGEST = float(np.finfo(np.float64).max)
_MATRIX = 2


def clipped(call: Call, value: Expr, given: dict[str, ast.expr]) -> Expr:
    """Return ``value`` between the bounds ``given``, the lower one first.

    Raises:
        ProgramProblemError: There are none, or they do not fit.
    """
    low, high = (
        next((call.vector(node) for name, node in given.items() if end in name), None)
        for end in ("min", "max")
    )
    if low is not None and high is not None:
        return op("clip", call.name, (value, low, high), call.node)
    if low is not None:
        return op("maximum", call.name, (value, low), call.node)
    if high is not None:
        return op("minimum", call.name, (value, high), call.node)
    raise ProgramProblemError("wrong-arguments", f"{call.name} has no bounds.")


def _arguments(call: Call, count: int) -> list[Expr]:
    if len(call.node.args) != count:
        raise ProgramProblemError(
            "wrong-arguments",
            f"{call.name} takes {count} argument(s), but got {len(call.node.args)}.",
        )
    return call.vectors()


def _exp2(call: Call) -> Expr:
    call.refuse_keywords()
    (value,) = _arguments(call, 1)
    return op("power", call.name, (Const(2.0, FLOAT), value), call.node)


def _isinf(call: Call) -> Expr:
    call.refuse_keywords()
    (value,) = _arguments(call, 1)
    size = op("abs", call.name, (value,), call.node)
    return op("greater_equal", call.name, (size, _INFINITE), call.node)


def _nan_to_num(call: Call) -> Expr:
    (value,) = _arguments(call, 1)
    given = call.named([], "nan", "posinf", "neginf")
    value = call.scope.held(value)
    usual = {"nan": 0.0, "posinf": _LARGEST, "neginf": -_LARGEST}
    nan, high, low = (
        call.value(given[name]) if name in given else Const(number, FLOAT)
        for name, number in usual.items()
    )
    down = op("negative", "-", (_INFINITE,), call.node)
    tests = (
        (op("isnan", call.name, (value,), call.node), nan),
        (op("greater_equal", call.name, (value, _INFINITE), call.node), high),
        (op("less_equal", call.name, (value, down), call.node), low),
    )
    result = op("multiply", call.name, (value, Const(1.0, FLOAT)), call.node)
    for test, instead in tests:
        result = op("where", call.name, (test, instead, result), call.node)
    return result


def _outer(call: Call) -> Expr:
    call.refuse_keywords()
    left, right = _arguments(call, 2)
    rows, columns = np.indices((left.type.size, right.type.size))
    pair = (pick(left, rows), pick(right, columns))
    return op("multiply", call.name, pair, call.node)


def _trace(call: Call) -> Expr:
    call.refuse_keywords()
    (value,) = _arguments(call, 1)
    if len(value.type.shape) != _MATRIX:
        raise ProgramProblemError("shape-mismatch", f"{call.name} takes a matrix.")
    numbers = np.arange(value.type.size).reshape(value.type.shape)
    return op("sum", call.name, (pick(value, np.diagonal(numbers)),), call.node)


def _clip(call: Call) -> Expr:
    rest = call.node.args[1:]
    keywords = {item.arg for item in call.node.keywords}
    new = not rest and keywords <= {"min", "max"}  # NumPy never mixes the spellings
    if not call.node.args or (not new and len(rest) + len(keywords) != _MATRIX):
        raise ProgramProblemError(
            "wrong-arguments",
            f"{call.name} misses an argument.",
            "Write np.clip(x, 0.0, 1.0).",
        )
    names = ("min", "max") if new else ("a_min", "a_max")
    value = call.vector(call.node.args[0])
    return clipped(call, value, call.named(rest, *names))


DERIVED: dict[str, Callable[[Call], Expr]] = {
    "clip": _clip,
    "exp2": _exp2,
    "isinf": _isinf,
    "nan_to_num": _nan_to_num,
    "outer": _outer,
    "trace": _trace,
}
"""``np.<name>`` to what it is."""
IN_MATH = ("exp2", "isinf")
"""Those that math has too."""
