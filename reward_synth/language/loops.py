"""What a ``for`` goes over: every value is known before the program runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from reward_synth.language.expressions import parse_item, static_int
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import FLOAT, Const
from reward_synth.language.operations import dotted
from reward_synth.language.scope import Scope
from reward_synth.language.values import Group, Item, parts


def loop_items(node: ast.expr, scope: Scope) -> Sequence[Item]:
    """Return the values that a loop over ``node`` goes through.

    Raises:
        ProgramProblemError: They are not known before the program runs.

    Example:
        >>> node = ast.parse("enumerate(range(2, 8, 3))", mode="eval").body
        >>> pairs = loop_items(node, Scope("T", {}, (), 100))
        >>> [[part.value for part in pair.items] for pair in pairs]
        [[0.0, 2.0], [1.0, 5.0]]
    """
    if isinstance(node, ast.Call):
        name = dotted(node.func) or ""
        if name in _SOURCES and scope.find(name)[0] is None:
            return _SOURCES[name](node, scope)
    return _values(node, scope)


def _values(node: ast.expr, scope: Scope) -> Sequence[Item]:
    item = scope.hold(parse_item(node, scope))
    if not isinstance(item, Group) and item.type.scalar:
        raise _unbounded(node)
    return parts(item)


def _unbounded(node: ast.expr) -> ProgramProblemError:
    return ProgramProblemError(
        "unbounded-loop",
        f"{ast.unparse(node)!r} is no range with constant bounds, tuple or vector.",
        "Write for i in range(3): or for x in (a, b, c):, or use vector operations.",
    )


def _range(node: ast.Call, scope: Scope) -> Sequence[Item]:
    try:
        if node.keywords:
            raise _unbounded(node)
        numbers = range(*(static_int(item, scope) for item in node.args))
    except (ProgramProblemError, TypeError, ValueError):
        raise _unbounded(node) from None
    if numbers[scope.work.budget :]:
        scope.charge(scope.work.budget)
        scope.charge(1)
    return [_whole(number) for number in numbers]


def _whole(number: int) -> Const:
    return Const(float(number), FLOAT, whole=True)


def _enumerate(node: ast.Call, scope: Scope) -> Sequence[Item]:
    named = {item.arg: item.value for item in node.keywords}
    rest = node.args[1:]
    start = rest[0] if rest else named.pop("start", None)
    if not node.args or len(rest) > 1 or named:
        raise _unbounded(node)
    begin = 0 if start is None else static_int(start, scope)
    items = enumerate(loop_items(node.args[0], scope), begin)
    return [Group((_whole(number), item)) for number, item in items]


def _zip(node: ast.Call, scope: Scope) -> Sequence[Item]:
    if node.keywords:
        raise ProgramProblemError(
            "forbidden-keyword", "zip takes no keywords here.", "Leave them out."
        )
    columns = [loop_items(item, scope) for item in node.args]
    return [Group(row) for row in zip(*columns, strict=False)]


_SOURCES: dict[str, Callable[[ast.Call, Scope], Sequence[Item]]] = {
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
}
