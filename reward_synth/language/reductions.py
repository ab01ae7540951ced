"""Sums, means, norms and other reductions, of everything or along one axis."""

from __future__ import annotations

import ast
import math

import numpy as np

from reward_synth.language.arguments import Call
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Const, Expr, Stack, Type
from reward_synth.language.operations import op, pick

REDUCTIONS = (
    "sum", "mean", "min", "max", "prod", "std", "var", "norm", "all", "any"
)  # fmt: skip
"""Operations that take an axis."""


def reduced(name: str, call: Call, value: Expr, rest: list[ast.expr]) -> Expr:
    """Return a reduction.

    Args:
        name: One of :data:`REDUCTIONS`.
        call: The call, for its keywords.
        value: What is reduced.
        rest: Positional arguments after it.

    Raises:
        ProgramProblemError: A keyword is outside the language, or there is no such axis.
    """
    names = ("ord", "axis") if name == "norm" else ("axis",)
    given = call.named(rest, *names)
    if value.type.kind == "bool" and name in ("min", "max", "norm"):
        raise ProgramProblemError(
            "bool-arithmetic",
            f"{call.name} is arithmetic on truth values only.",
            "Use np.all or np.any.",
        )
    axis = call.integer(given["axis"]) if "axis" in given else None
    if "ord" in given:
        name, value = _order(call, given["ord"], value, axis)
    if axis is None or len(value.type.shape) == 1:
        _check_axis(call, value.type, axis)
        return _single(name, call, value)
    return _along(name, call, value, axis)


def _single(name: str, call: Call, value: Expr) -> Expr:
    if name == "norm" and len(value.type.shape) > 1:
        value = pick(value, np.arange(value.type.size))
    return op(name, call.name, (value,), call.node)


def _check_axis(call: Call, kind: Type, axis: int | None) -> None:
    count = len(kind.shape)
    if axis is not None and not -count <= axis < count:
        raise ProgramProblemError(
            "out-of-range",
            f"{call.name} along axis {axis}: the value is a {kind}.",
            f"Its axes are {', '.join(map(str, range(count)))}." if count else "",
        )


def _along(name: str, call: Call, value: Expr, axis: int) -> Expr:
    """Reduce each line of entries along an axis."""
    _check_axis(call, value.type, axis)
    held = call.scope.held(value)
    numbers = np.arange(value.type.size).reshape(value.type.shape)
    lines = np.moveaxis(numbers, axis, -1)
    call.scope.charge(value.type.size)
    items = [
        op(name, call.name, (pick(held, line),), call.node)
        for line in lines.reshape(-1, lines.shape[-1])
    ]
    return Stack(tuple(items), Type(lines.shape[:-1], items[0].type.kind))


def _order(
    call: Call, node: ast.expr, value: Expr, axis: int | None
) -> tuple[str, Expr]:
    """Return the reduction that a norm of another order is, and of what."""
    order = call.value(node)
    known = order.value if isinstance(order, Const) else None
    if known not in _ORDERS or (axis is None and len(value.type.shape) != 1):
        raise ProgramProblemError(
            "forbidden-keyword",
            f"{call.name} of order {ast.unparse(node)} of a {value.type} is not part of "
            "the language.",
            "Vectors have the orders 1, 2 and np.inf.",
        )
    if known == 2:  # noqa: PLR2004 - the usual order
        return "norm", value
    return _ORDERS[known], op("abs", call.name, (value,), call.node)


_ORDERS: dict[float | bool | None, str] = {1.0: "sum", 2.0: "norm", math.inf: "max"}
