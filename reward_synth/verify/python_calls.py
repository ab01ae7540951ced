"""Calls written as Python, such as ``[book(day="Mon"), pay(sum=3)]``; never evaluated."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from reward_synth.verify.calls import ToolCall
from reward_synth.verify.limits import Limits, UnreadableError, check_size

_LOOKS = re.compile(r"\s*\[?\s*[A-Za-z_][\w.]{0,200}\s*\(")
_NAMES = {"true": True, "false": False, "null": None}
"""Names of JSON that models write in Python calls."""
_LONGEST = 20_000
"""Python's own parser takes long, or gives up, beyond."""


def looks_like_python(text: str) -> bool:
    """Return whether a text begins like a call.

    Example:
        >>> looks_like_python("[book(day='Mon')]"), looks_like_python("Booked.")
        (True, False)
    """
    return bool(_LOOKS.match(text))


def parse_python(
    text: str, limits: Limits, positions: Mapping[str, tuple[str, ...]] = {}
) -> list[ToolCall]:
    """Return the calls of a Python expression of calls and literals.

    Args:
        text: One call, or a list or tuple of calls.
        limits: Caps.
        positions: Names of the arguments of each tool in order, for arguments that are
            given by position.

    Raises:
        UnreadableError: Anything but calls of literals stands in it.

    Example:
        >>> parse_python("[f(a=-1, b=[True])]", Limits())
        [ToolCall(name='f', arguments={'a': -1, 'b': [True]})]
    """
    if len(text) > min(limits.max_chars, _LONGEST):
        raise UnreadableError("too_long", f"Python text of {len(text)} characters")
    _check_nesting(text, limits)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        said = f"no Python expression ({type(error).__name__})"
        raise UnreadableError("malformed", said) from None
    items = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
    return [_call(item, limits, positions) for item in items]


def _check_nesting(text: str, limits: Limits) -> None:
    """Bound depth by a count that no text can get round."""
    unary = sum(text.count(mark) for mark in ("+", "-", "~", "not"))
    if unary > limits.max_values:
        raise UnreadableError("too_deep", "too many operators")
    depth = deepest = 0
    for mark in re.findall(r"[\[({})\]]", text):
        depth += 1 if mark in "[({" else -1
        deepest = max(deepest, depth)
    if deepest > limits.max_depth + 2:
        raise UnreadableError("too_deep", f"more than {limits.max_depth} levels")


def _call(
    node: ast.expr, limits: Limits, positions: Mapping[str, tuple[str, ...]]
) -> ToolCall:
    if not isinstance(node, ast.Call):
        raise UnreadableError(
            "malformed", f"{type(node).__name__} where a call should be"
        )
    name = _dotted(node.func)
    arguments = _by_position(name, node.args, positions)
    for item in node.keywords:
        if item.arg is None or item.arg in arguments:
            raise UnreadableError("malformed", f"{name}: ** or a doubled argument")
        arguments[item.arg] = _literal(item.value)
    check_size(arguments, limits)
    return ToolCall(name, arguments)


def _by_position(
    name: str, nodes: list[ast.expr], positions: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    names = positions.get(name, ())
    if len(nodes) > len(names):
        raise UnreadableError("malformed", f"{name}: an argument without a name")
    pairs = zip(names, nodes, strict=False)
    return {argument: _literal(node) for argument, node in pairs}


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise UnreadableError("malformed", "a call of something that is not a name")
    return ".".join([node.id, *reversed(parts)])


def _literal(node: ast.expr) -> Any:
    """Return a literal's value; arithmetic and names are refused, not computed."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bytes | complex) or node.value is Ellipsis:
            raise UnreadableError("not_json", "a constant that JSON does not have")
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return _object(node)
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _signed(node)
    raise UnreadableError(
        "malformed", f"{type(node).__name__} where a literal should be"
    )


def _signed(node: ast.UnaryOp) -> Any:
    inner = node.operand
    value = inner.value if isinstance(inner, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableError("malformed", "a sign before something that is no number")
    return -value if isinstance(node.op, ast.USub) else value


def _object(node: ast.Dict) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise UnreadableError("not_json", "a key that is not a text")
        if key.value in found:
            raise UnreadableError(
                "duplicate_key", f"the key {key.value[:60]!r} stands twice"
            )
        found[key.value] = _literal(value)
    return found
