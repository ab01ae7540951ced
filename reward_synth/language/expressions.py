"""Turns the expressions of a program into typed ones, or says why not."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from reward_synth.language.calls import parse_call
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import BOOL, FLOAT, Const, Expr, Pick, Type
from reward_synth.language.operations import (
    construct,
    dotted,
    op,
    refuse_list,
    stack,
)
from reward_synth.language.scope import Scope
from reward_synth.language.spellings import CONSTANTS

_BINARY: dict[type[ast.operator], tuple[str, str]] = {
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
_COMPARE: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("less", "<"),
    ast.LtE: ("less_equal", "<="),
    ast.Gt: ("greater", ">"),
    ast.GtE: ("greater_equal", ">="),
    ast.Eq: ("equal", "=="),
    ast.NotEq: ("not_equal", "!="),
}
_STATIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_LARGEST_CONSTANT = 1e9
_LARGEST_POWER = 8.0


def static_int(node: ast.expr, scope: Scope) -> int:
    """Evaluate an integer that is known before the program runs."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -static_int(node.operand, scope)
    if isinstance(node, ast.Name):
        known = scope.names.get(node.id)
        if isinstance(known, Const) and known.whole:
            return int(known.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _STATIC:
        left, right = static_int(node.left, scope), static_int(node.right, scope)
        return _STATIC[type(node.op)](left, right)
    if (
        isinstance(node, ast.Call)
        and dotted(node.func) == "len"
        and len(node.args) == 1
    ):
        return _length(parse_expression(node.args[0], scope))
    raise ProgramProblemError(
        "not-constant",
        f"{ast.unparse(node)!r} must be a constant integer.",
        "Indices and loop bounds must be known before the program runs.",
    )


def _call(node: ast.Call, scope: Scope) -> Expr:
    return parse_call(node, scope, parse_expression, static_int)


def _length(value: Expr) -> int:
    if value.type.scalar:
        raise ProgramProblemError(
            "shape-mismatch", "len() takes a vector, not a number."
        )
    return value.type.shape[0]


def parse_expression(node: ast.expr, scope: Scope) -> Expr:
    """Return the typed form of ``node``.

    Raises:
        ProgramProblemError: It is outside the language, or its shapes do not fit.
    """
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise ProgramProblemError(
            "forbidden",
            f"{construct(node)} is not part of the reward language.",
            "Use arithmetic, comparisons, if/else and the documented NumPy functions.",
        )
    result: Expr = handler(node, scope)
    scope.charge(result.type.size)
    return result


def parse_condition(node: ast.expr, scope: Scope) -> Expr:
    """Return the typed form of a scalar truth value."""
    value = parse_expression(node, scope)
    if value.type != BOOL:
        raise ProgramProblemError(
            "not-a-condition",
            f"{ast.unparse(node)!r} is a {value.type}, but a condition must be one "
            "truth value.",
            "Compare it, for example x > 0.5; reduce vectors with np.all or np.any.",
        )
    return value


def _constant(node: ast.Constant, _: Scope) -> Expr:
    value = node.value
    if isinstance(value, bool):
        return Const(value, BOOL)
    if not isinstance(value, (int, float)):
        raise ProgramProblemError(
            "forbidden",
            f"The constant {value!r} is a {type(value).__name__}; only numbers and truth "
            "values are computed with.",
        )
    if math.isfinite(value) and abs(value) > _LARGEST_CONSTANT:
        raise ProgramProblemError(
            "too-large", f"The constant {value!r} is larger than {_LARGEST_CONSTANT:g}."
        )
    return Const(float(value), FLOAT, whole=isinstance(value, int))


def _name(node: ast.Name, scope: Scope) -> Expr:
    return scope.look_up(node.id)


def _attribute(node: ast.Attribute, _: Scope) -> Expr:
    name = dotted(node)
    if name in CONSTANTS:
        return Const(float(CONSTANTS[name]), FLOAT)
    if name and name.split(".")[0] in ("np", "math"):
        raise ProgramProblemError(
            "forbidden-attribute",
            f"{name!r} is not a documented constant.",
            "Known are np.pi, np.e, np.inf, math.pi, math.tau.",
        )
    raise ProgramProblemError(
        "forbidden-attribute",
        f"The attribute .{node.attr} is not part of the reward language.",
        "Use indices such as x[0] and functions such as np.sum(x).",
    )


def _unary(node: ast.UnaryOp, scope: Scope) -> Expr:
    if isinstance(node.op, ast.Not):
        return op("logical_not", "not", (parse_condition(node.operand, scope),), node)
    if isinstance(node.op, ast.Invert):
        return op("logical_not", "~", (parse_expression(node.operand, scope),), node)
    value = parse_expression(node.operand, scope)
    if isinstance(node.op, ast.UAdd):
        return op("positive", "+", (value,), node)
    if isinstance(value, Const) and value.type == FLOAT:
        return Const(-value.value, FLOAT, value.whole)
    return op("negative", "-", (value,), node)


def _binary(node: ast.BinOp, scope: Scope) -> Expr:
    known = _BINARY.get(type(node.op))
    if known is None:
        raise ProgramProblemError(
            "forbidden",
            f"The operator in {ast.unparse(node)!r} is not part of the reward language.",
        )
    name, spelling = known
    refuse_list(node.left)
    refuse_list(node.right)
    left, right = (
        parse_expression(node.left, scope),
        parse_expression(node.right, scope),
    )
    if name == "power":
        _small_power(right, node)
    return op(name, spelling, (left, right), node)


def _small_power(exponent: Expr, node: ast.AST) -> None:
    if isinstance(exponent, Const) and abs(exponent.value) > _LARGEST_POWER:
        raise ProgramProblemError(
            "too-large",
            f"The exponent {exponent.value:g} in {ast.unparse(node)!r} is larger than "
            f"{_LARGEST_POWER:g}.",
            "Use np.exp or np.tanh to sharpen a term.",
        )


def _boolean(node: ast.BoolOp, scope: Scope) -> Expr:
    name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
    spelling = "and" if isinstance(node.op, ast.And) else "or"
    values = [parse_condition(item, scope) for item in node.values]
    return _chain(name, spelling, values, node)


def _chain(name: str, spelling: str, values: list[Expr], node: ast.AST) -> Expr:
    result = values[0]
    for value in values[1:]:
        result = op(name, spelling, (result, value), node)
    return result


def _comparison(node: ast.Compare, scope: Scope) -> Expr:
    for item in (node.left, *node.comparators):
        refuse_list(item)
    values = [parse_expression(item, scope) for item in (node.left, *node.comparators)]
    tests: list[Expr] = []
    for kind, left, right in zip(node.ops, values, values[1:], strict=False):
        known = _COMPARE.get(type(kind))
        if known is None:
            raise ProgramProblemError(
                "forbidden", f"{ast.unparse(node)!r}: only < <= > >= == != compare."
            )
        tests.append(op(*known, (left, right), node))
    if len(tests) > 1 and not all(item.type.scalar for item in tests):
        raise ProgramProblemError(
            "shape-mismatch", "A chained comparison takes single numbers only."
        )
    return _chain("logical_and", "and", tests, node)


def _conditional(node: ast.IfExp, scope: Scope) -> Expr:
    test = parse_condition(node.test, scope)
    body, orelse = (
        parse_expression(node.body, scope),
        parse_expression(node.orelse, scope),
    )
    if body.type.shape != orelse.type.shape:
        raise ProgramProblemError(
            "shape-mismatch",
            f"{ast.unparse(node)!r} is a {body.type} or a {orelse.type}.",
            "Give both sides the same shape.",
        )
    return op("where", "if/else", (test, body, orelse), node)


def _subscript(node: ast.Subscript, scope: Scope) -> Expr:
    value = parse_expression(node.value, scope)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    index = tuple(_index(part, scope) for part in parts)
    numbers = np.arange(value.type.size).reshape(value.type.shape)
    try:
        picked = numbers[index]
    except IndexError:
        raise ProgramProblemError(
            "out-of-range",
            f"{ast.unparse(node)!r} is out of range: the value is a {value.type}.",
        ) from None
    shape = np.shape(picked)
    if 0 in shape:
        raise ProgramProblemError("out-of-range", f"{ast.unparse(node)!r} is empty.")
    entries = tuple(int(item) for item in np.ravel(picked))
    return Pick(value, entries, Type(shape, value.type.kind))


def _index(node: ast.expr, scope: Scope) -> int | slice:
    if isinstance(node, ast.Slice):
        bounds = (node.lower, node.upper, node.step)
        return slice(
            *(None if bound is None else static_int(bound, scope) for bound in bounds)
        )
    return static_int(node, scope)


def _sequence(node: ast.List | ast.Tuple, scope: Scope) -> Expr:
    if not node.elts:
        raise ProgramProblemError("shape-mismatch", "An empty list has no entries.")
    return stack([parse_expression(item, scope) for item in node.elts], nest=True)


_HANDLERS: dict[type[ast.expr], Callable[[Any, Scope], Expr]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.IfExp: _conditional,
    ast.Subscript: _subscript,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Call: _call,
}
