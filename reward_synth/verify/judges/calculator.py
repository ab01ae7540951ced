"""Arithmetic from a text, without evaluating it as a program."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Number: TypeAlias = int | float
_LONGEST = 500
_BITS = 1_000
_DEPTH = 50
_DIGITS = 20


class ArithmeticTextError(ValueError):
    """A text that is no arithmetic, or whose result has no bounds."""


_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def _round(value: Number, digits: int = 0) -> Number:
    if abs(digits) > _DIGITS:  # to minus a million digits would take for ever
        raise ArithmeticTextError(f"more than {_DIGITS} digits")
    return round(value, digits) if digits else round(value)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "min": min,
    "round": _round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_NAMES: Mapping[str, float] = {"pi": math.pi, "e": math.e}


def calculate(text: str) -> Number:
    """Return the value of an arithmetical expression.

    Numbers, ``+ - * / // % ** ( )``, pi, e and a few functions; nothing of the text is
    executed, and sizes are bounded before they are computed.

    Raises:
        ArithmeticTextError: It is something else, divides by zero, or is too large.

    Example:
        >>> calculate("2 * (3 + 4) ** 2"), calculate("round(1 / 3, 2)")
        (98, 0.33)
        >>> calculate("9 ** 9 ** 9")
        Traceback (most recent call last):
        ...
        reward_synth.verify.judges.calculator.ArithmeticTextError: a power that is too large
    """
    if len(text) > _LONGEST:
        raise ArithmeticTextError(f"more than {_LONGEST} characters")
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body, _DEPTH)
    except (SyntaxError, MemoryError, RecursionError):
        raise ArithmeticTextError("no arithmetic") from None
    except ZeroDivisionError:
        raise ArithmeticTextError("a division by zero") from None
    except (OverflowError, TypeError, ValueError) as error:
        raise ArithmeticTextError(str(error)) from None
    return value


def _value(node: ast.expr, depth: int) -> Number:
    if depth == 0:
        raise ArithmeticTextError("too many levels")
    if isinstance(node, ast.Constant):
        return _bounded(node.value)
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, depth - 1)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, depth - 1), _value(node.right, depth - 1)
        if isinstance(node.op, ast.Pow):
            return _bounded(_power(left, right))
        if type(node.op) in _OPERATORS:
            return _bounded(_OPERATORS[type(node.op)](left, right))
    if isinstance(node, ast.Call):
        return _call(node, depth - 1)
    raise ArithmeticTextError(f"{type(node).__name__} is no arithmetic")


def _call(node: ast.Call, depth: int) -> Number:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _FUNCTIONS or node.keywords:
        raise ArithmeticTextError(f"{name[:30]!r} is no known function")
    return _bounded(_FUNCTIONS[name](*(_value(item, depth) for item in node.args)))


def _power(base: Number, exponent: Number) -> Any:
    bits = base.bit_length() if isinstance(base, int) else 1
    if isinstance(exponent, int) and bits * abs(exponent) > _BITS:
        raise ArithmeticTextError("a power that is too large")
    return base**exponent


def _bounded(value: Any) -> Number:
    if type(value) not in (int, float):
        raise ArithmeticTextError(f"a {type(value).__name__} is no real number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ArithmeticTextError("a number that is not finite")
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ArithmeticTextError("a number that is too large")
    number: Number = value
    return number
