"""NumPy functions that are a few operations of the language."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from reward_synth.language.arguments import Call
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import BOOL, FLOAT, Const, Expr, Stack
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


def _diff(call: Call) -> Expr:
    call.refuse_keywords()
    (value,) = _arguments(call, 1)
    size = value.type.size
    if len(value.type.shape) != 1 or size < _MATRIX:
        raise ProgramProblemError(
            "shape-mismatch", f"{call.name} takes a vector of two entries or more."
        )
    places = np.arange(size)
    pair = (pick(value, places[1:]), pick(value, places[:-1]))
    return op("subtract", call.name, pair, call.node)


def _array_equal(call: Call) -> Expr:
    call.refuse_keywords()
    left, right = _arguments(call, 2)
    if left.type.shape != right.type.shape:
        return Const(False, BOOL)
    same = op("equal", call.name, (left, right), call.node)
    return op("all", call.name, (same,), call.node) if same.type.shape else same


def _arcsinh(call: Call) -> Expr:
    """``sign(x) log1p(|x| + x^2 / (1 + sqrt(x^2 + 1)))``, exact also near 0."""
    call.refuse_keywords()
    (value,) = _arguments(call, 1)
    value = call.scope.held(value)

    def make(name: str, *args: Expr) -> Expr:
        return op(name, call.name, args, call.node)

    one, square = Const(1.0, FLOAT), make("multiply", value, value)
    below = make("add", one, make("sqrt", make("add", square, one)))
    inside = make("add", make("abs", value), make("divide", square, below))
    return make("multiply", make("sign", value), make("log1p", inside))


def _count_nonzero(call: Call) -> Expr:
    call.refuse_keywords()
    (value,) = _arguments(call, 1)
    set_ = op("not_equal", call.name, (value, Const(0.0, FLOAT)), call.node)
    return (
        op("sum", call.name, (set_,), call.node)
        if set_.type.shape
        else op("float", call.name, (set_,), call.node)
    )


def _isin(call: Call) -> Expr:
    call.refuse_keywords()
    value, wanted = _arguments(call, 2)
    value = call.scope.held(value)
    if not isinstance(wanted, Stack) or len(wanted.type.shape) != 1:
        raise ProgramProblemError(
            "wrong-arguments", f"{call.name} takes a list of numbers to look for."
        )
    result: Expr | None = None
    for item in wanted.items:
        same = op("equal", call.name, (value, item), call.node)
        both = (result, same) if result is not None else None
        result = op("logical_or", call.name, both, call.node) if both else same
    if result is None:
        raise ProgramProblemError("wrong-arguments", f"{call.name} takes a list.")
    return result


def _isclose(call: Call) -> Expr:
    a, b = _arguments(call, 2)
    given = call.named([], "rtol", "atol")
    relative, absolute = (
        call.value(given[name]) if name in given else Const(number, FLOAT)
        for name, number in (("rtol", 1e-5), ("atol", 1e-8))
    )
    a, b = call.scope.held(a), call.scope.held(b)

    def make(name: str, *args: Expr) -> Expr:
        return op(name, call.name, args, call.node)

    limit = make("add", absolute, make("multiply", relative, make("abs", b)))
    near = make("less_equal", make("abs", make("subtract", a, b)), limit)
    finite = make("logical_and", near, make("isfinite", b))
    return make("logical_or", finite, make("equal", a, b))


def _interp(call: Call) -> Expr:
    """Join straight pieces, as NumPy does; outside the points the ends go on level."""
    call.refuse_keywords()
    value, *tables = _arguments(call, 3)
    points, heights = (_numbers(call, table) for table in tables)
    if len(points) != len(heights) or np.any(np.diff(points) <= 0.0):
        raise ProgramProblemError(
            "wrong-arguments",
            f"{call.name} needs as many heights as points, and points that increase.",
        )
    value = call.scope.held(value)

    def make(name: str, *args: Expr) -> Expr:
        return op(name, call.name, args, call.node)

    def number(item: float) -> Const:
        return Const(float(item), FLOAT)

    result: Expr = number(heights[-1])
    for i in range(len(points) - 2, -1, -1):
        slope = (heights[i + 1] - heights[i]) / (points[i + 1] - points[i])
        away = make("subtract", value, number(points[i]))
        piece = make("add", make("multiply", number(slope), away), number(heights[i]))
        result = make(
            "where", make("less", value, number(points[i + 1])), piece, result
        )
    below = make("less", value, number(points[0]))
    result = make("where", below, number(heights[0]), result)
    return make("where", make("isnan", value), value, result)


def _numbers(call: Call, table: Expr) -> list[float]:
    items = table.items if isinstance(table, Stack) else ()
    numbers = [float(item.value) for item in items if isinstance(item, Const)]
    if len(numbers) != table.type.size or not numbers:
        raise ProgramProblemError(
            "not-constant", f"{call.name} takes points and heights written as numbers."
        )
    return numbers


DERIVED: dict[str, Callable[[Call], Expr]] = {
    "clip": _clip,
    "exp2": _exp2,
    "arcsinh": _arcsinh,
    "array_equal": _array_equal,
    "count_nonzero": _count_nonzero,
    "diff": _diff,
    "interp": _interp,
    "isclose": _isclose,
    "isin": _isin,
    "isinf": _isinf,
    "nan_to_num": _nan_to_num,
    "outer": _outer,
    "trace": _trace,
}
"""``np.<name>`` to what it is."""
IN_MATH = ("exp2", "isinf")
"""Those that math has too."""
