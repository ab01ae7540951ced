"""Attributes and methods of vectors and matrices that have an exact equivalent."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from reward_synth.errors import did_you_mean
from reward_synth.language.arguments import Call
from reward_synth.language.derived import clipped
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FLOAT, Const, Expr
from reward_synth.language.makers import flattened, is_float, reshaped, turned
from reward_synth.language.operations import op, pick
from reward_synth.language.reductions import REDUCTIONS, reduced
from reward_synth.language.values import Group, Item

_ATTRIBUTES = ("shape", "size", "ndim", "T")
_REDUCING = tuple(name for name in REDUCTIONS if name != "norm")


def attribute(node: ast.Attribute, value: Expr) -> Item:
    """Return ``x.shape``, ``x.size``, ``x.ndim`` or ``x.T``.

    Raises:
        ProgramProblemError: It is another one, or ``x`` is a single number.
    """
    shape, text = value.type.shape, ast.unparse(node)
    if value.type.scalar or node.attr not in _ATTRIBUTES:
        raise ProgramProblemError(
            "forbidden-attribute",
            f"The attribute .{node.attr} of a {value.type} is not part of the reward "
            "language.",
            "Vectors and matrices have .shape, .size, .ndim and .T; use indices such as "
            "x[0] and functions such as np.sum(x).",
        )
    if node.attr == "T":
        return turned(value)
    if node.attr == "shape":
        return Group(tuple(_whole(size) for size in shape), text)
    return _whole(value.type.size if node.attr == "size" else len(shape))


def _whole(number: int) -> Const:
    return Const(float(number), FLOAT, whole=True)


def method(call: Call, name: str, value: Expr) -> Expr:
    """Return ``x.name(...)`` for a vector or matrix ``x``.

    Raises:
        ProgramProblemError: The method is outside the language.
    """
    known = name in _METHODS or name in _REDUCING
    if value.type.scalar and known:
        raise ProgramProblemError(
            "forbidden-attribute",
            f"{call.name}: a single number has no methods here; Python's own numbers "
            "have none.",
            f"Write np.{name}(...)." if name in ("clip", "dot") else "Use it as it is.",
        )
    if name in _REDUCING:
        return reduced(name, call, value, call.node.args)
    if name in _METHODS:
        return _METHODS[name](call, value)
    near = did_you_mean(name, (*_REDUCING, *_METHODS))
    raise ProgramProblemError(
        "forbidden-attribute",
        f"The method .{name}() is not part of the reward language.{near}",
        f"Vectors have {', '.join((*_REDUCING, *_METHODS))}.",
    )


def _same(call: Call, value: Expr) -> Expr:
    _no_arguments(call)
    return value


def _no_arguments(call: Call) -> None:
    call.refuse_keywords()
    if call.node.args:
        raise ProgramProblemError("wrong-arguments", f"{call.name} takes no arguments.")


def _dot(call: Call, value: Expr) -> Expr:
    call.refuse_keywords()
    return op("dot", call.name, (value, *call.vectors()), call.node)


def _as_float(call: Call, value: Expr) -> Expr:
    call.refuse_keywords()
    if len(call.node.args) != 1 or not is_float(call.node.args[0]):
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(call.node)!r}: all numbers are float64.",
            "Write .astype(float), or leave it out.",
        )
    return op("multiply", call.name, (value, Const(1.0, FLOAT)), call.node)


def _only(call: Call, value: Expr) -> Expr:
    _no_arguments(call)
    if value.type.size != 1:
        raise ProgramProblemError(
            "shape-mismatch",
            f"{call.name}() needs one entry, but got a {value.type}.",
            "Select an entry, for example x[0].",
        )
    return pick(flattened(value), np.intp(0))


def _flat(call: Call, value: Expr) -> Expr:
    _no_arguments(call)
    return flattened(value)


def _turned(call: Call, value: Expr) -> Expr:
    _no_arguments(call)
    return turned(value)


_METHODS: dict[str, Callable[[Call, Expr], Expr]] = {
    "dot": _dot,
    "clip": lambda call, value: clipped(
        call, value, call.named(call.node.args, "min", "max")
    ),
    "copy": _same,
    "astype": _as_float,
    "item": _only,
    "flatten": _flat,
    "ravel": _flat,
    "transpose": _turned,
    "reshape": lambda call, value: reshaped(call, value, call.node.args),
}
