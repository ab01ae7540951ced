"""Turns the expressions of a program into typed ones, or says why not."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from reward_synth.language.calls import Call, parse_call
from reward_synth.language.constants import LARGEST, small_power
from reward_synth.language.entries import Index, selected
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import BOOL, FLOAT, Const, Expr
from reward_synth.language.methods import attribute
from reward_synth.language.operations import chain, construct, cost, dotted, nearest, op
from reward_synth.language.scope import Scope
from reward_synth.language.spellings import BINARY, COMPARE, CONSTANTS
from reward_synth.language.values import Group, Item, as_value

_STATIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def static_int(node: ast.expr, scope: Scope) -> int:
    """Evaluate an integer that is known before the program runs.

    Example:
        >>> from reward_synth.language.ir import Type
        >>> scope = Scope("T", {"v": Type((3,))}, (), 100)
        >>> static_int(ast.parse("2 * len(v) - 1", mode="eval").body, scope)
        5
    """
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -static_int(node.operand, scope)
    if isinstance(node, ast.BinOp) and type(node.op) in _STATIC:
        left, right = static_int(node.left, scope), static_int(node.right, scope)
        return _STATIC[type(node.op)](left, right)
    if isinstance(node, _STATIC_NODES):
        known = parse_item(node, scope)
        if isinstance(known, Const) and known.whole:
            return int(known.value)
    raise ProgramProblemError(
        "not-constant",
        f"{ast.unparse(node)!r} must be a constant integer.",
        "Indices and loop bounds must be known before the program runs; to choose by "
        "data, write a if test else b.",
    )


_STATIC_NODES = (ast.Constant, ast.Name, ast.Subscript, ast.Attribute, ast.Call)


def _call(node: ast.Call, scope: Scope) -> Item:
    return parse_call(Call(node, scope, parse_item, static_int))


def parse_item(node: ast.expr, scope: Scope) -> Item:
    """Return the typed form of ``node``, which may be a tuple or a list.

    Raises:
        ProgramProblemError: It is outside the language, or its shapes do not fit.
    """
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise ProgramProblemError(
            "forbidden",
            f"{construct(node)} is not part of the reward language.",
            nearest(node),
        )
    result: Item = handler(node, scope)
    scope.charge(1 if isinstance(result, Group) else cost(result))
    return result


def parse_expression(node: ast.expr, scope: Scope) -> Expr:
    """Return the typed form of a number, a vector or a matrix.

    Raises:
        ProgramProblemError: It is outside the language, or its shapes do not fit.

    Example:
        >>> from reward_synth.language.ir import Type
        >>> scope = Scope("T", {"v": Type((3,))}, (), 100)
        >>> node = ast.parse("2.0 * v[:2] - v.mean()", mode="eval").body
        >>> str(parse_expression(node, scope).type)
        'float vector of 2'
    """
    return as_value(parse_item(node, scope))


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
            "Leave it out, or choose numbers with a if test else b.",
        )
    if abs(value) > LARGEST and value != math.inf:
        raise ProgramProblemError(
            "too-large", f"The constant {value!r} is larger than {LARGEST:g}."
        )
    return Const(float(value), FLOAT, whole=isinstance(value, int))


def _name(node: ast.Name, scope: Scope) -> Item:
    return scope.look_up(node.id)


def _attribute(node: ast.Attribute, scope: Scope) -> Item:
    name = dotted(node)
    if name in CONSTANTS:
        return Const(float(CONSTANTS[name]), FLOAT)
    if name and name.split(".")[0] in ("np", "math"):
        raise ProgramProblemError(
            "forbidden-attribute",
            f"{name!r} is not a documented constant.",
            "Known are np.pi, np.e, np.inf, math.pi, math.tau.",
        )
    return attribute(node, parse_expression(node.value, scope))


def _unary(node: ast.UnaryOp, scope: Scope) -> Expr:
    if isinstance(node.op, ast.Not):
        return op("logical_not", "not", (parse_condition(node.operand, scope),), node)
    if isinstance(node.op, ast.Invert):
        inverted = parse_expression(node.operand, scope)
        if inverted.type.scalar:  # of Python's own True it is -2
            raise ProgramProblemError(
                "forbidden",
                f"{ast.unparse(node)!r} means different things for Python and NumPy.",
                f"Write not {ast.unparse(node.operand)}.",
            )
        return op("logical_not", "~", (inverted,), node)
    value = parse_expression(node.operand, scope)
    if isinstance(node.op, ast.UAdd):
        return op("positive", "+", (value,), node)
    if isinstance(value, Const) and value.type == FLOAT:
        return Const(-value.value, FLOAT, value.whole)
    return op("negative", "-", (value,), node)


def _binary(node: ast.BinOp, scope: Scope) -> Item:
    if isinstance(node.left, ast.List) and isinstance(node.op, ast.Mult):
        return _repeated(node, node.left, scope)
    known = BINARY.get(type(node.op))
    if known is None:
        raise ProgramProblemError(
            "forbidden",
            f"The operator in {ast.unparse(node)!r} is not part of the reward language.",
        )
    name, spelling = known
    left, right = (
        parse_expression(node.left, scope),
        parse_expression(node.right, scope),
    )
    if name == "power":
        small_power(right, node)
    whole = _whole(node, left, right)
    return whole or op(name, spelling, (left, right), node)


def _repeated(node: ast.BinOp, items: ast.List, scope: Scope) -> Group:
    """Return ``[a, b] * 3``, which is a list for Python."""
    times = static_int(node.right, scope)
    scope.charge(max(0, times) * len(items.elts))
    return Group(_sequence(items, scope).items * times, ast.unparse(node))


def _whole(node: ast.BinOp, left: Expr, right: Expr) -> Const | None:
    """Return the integer that two constant integers give: it may be an index."""
    compute = _STATIC.get(type(node.op))
    if not isinstance(left, Const) or not isinstance(right, Const) or compute is None:
        return None
    if not left.whole or not right.whole:
        return None
    value = compute(int(left.value), int(right.value))
    small = abs(value) <= LARGEST
    return Const(float(value), FLOAT, whole=True) if small else None


def _boolean(node: ast.BoolOp, scope: Scope) -> Expr:
    name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
    spelling = "and" if isinstance(node.op, ast.And) else "or"
    values = [parse_condition(item, scope) for item in node.values]
    return chain(name, spelling, values, node)


def _comparison(node: ast.Compare, scope: Scope) -> Expr:
    values = [parse_expression(item, scope) for item in (node.left, *node.comparators)]
    tests: list[Expr] = []
    for kind, left, right in zip(node.ops, values, values[1:], strict=False):
        known = COMPARE.get(type(kind))
        if known is None:
            raise ProgramProblemError(
                "forbidden", f"{ast.unparse(node)!r}: only < <= > >= == != compare."
            )
        tests.append(op(*known, (left, right), node))
    if len(tests) > 1 and not all(item.type.scalar for item in tests):
        raise ProgramProblemError(
            "shape-mismatch", "A chained comparison takes single numbers only."
        )
    return chain("logical_and", "and", tests, node)


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


def _comprehension(node: ast.ListComp, scope: Scope) -> Item:
    if scope.work.unroll is None:
        raise ProgramProblemError(
            "forbidden", "It stands in a function.", nearest(node)
        )
    return scope.work.unroll(node, scope)


def _subscript(node: ast.Subscript, scope: Scope) -> Item:
    key = getattr(node.slice, "value", None)
    name = node.value.id if isinstance(node.value, ast.Name) else ""
    if isinstance(key, str) and scope.is_table(name):
        return scope.entry(name, key)
    value = parse_item(node.value, scope)
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return selected(node, value, tuple(_index(place, scope) for place in places))


def _index(node: ast.expr, scope: Scope) -> Index:
    if isinstance(node, ast.Slice):
        bounds = (node.lower, node.upper, node.step)
        return slice(*(_bound(bound, scope) for bound in bounds))
    if isinstance(node, ast.Constant) and node.value in (Ellipsis, None):
        return None if node.value is None else Ellipsis
    if dotted(node) == "np.newaxis":
        return None
    if isinstance(node, ast.List):
        return [static_int(item, scope) for item in node.elts]
    return static_int(node, scope)


def _bound(node: ast.expr | None, scope: Scope) -> int | None:
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return None
    return static_int(node, scope)


def _sequence(node: ast.List | ast.Tuple, scope: Scope) -> Group:
    items = tuple(parse_item(item, scope) for item in node.elts)
    return Group(items, ast.unparse(node))


_HANDLERS: dict[type[ast.expr], Callable[[Any, Scope], Item]] = {
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
    ast.ListComp: _comprehension,
}
