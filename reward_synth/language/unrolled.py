"""Python's short forms, in the words of the language: comprehensions, lambdas, dicts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reward_synth.language.expressions import parse_item
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.loops import loop_items
from reward_synth.language.scope import Scope
from reward_synth.language.values import Group, Item, parts


def unroll(node: ast.ListComp, scope: Scope) -> Group:
    """Return the list that a comprehension over known values makes.

    Raises:
        ProgramProblemError: Its length depends on data, or it goes over two things.

    Example:
        >>> node = ast.parse("[2 * i for i in range(3)]", mode="eval").body
        >>> [item.value for item in unroll(node, Scope("T", {}, (), 100)).items]
        [0.0, 2.0, 4.0]
    """
    loop, *more = node.generators
    if more or loop.ifs or loop.is_async:
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(node)!r} is more than one loop over known values.",
            "Write a loop: for i in range(3): total += x[i], with if inside.",
        )
    before = dict(scope.names)
    items = []
    try:
        for value in loop_items(loop.iter, scope):
            scope.charge(1)
            for name, part in _bound(loop.target, scope.known(value)):
                scope.names[name] = scope.known(part)
            items.append(scope.hold(parse_item(node.elt, scope)))
    finally:
        scope.names = before
    return Group(tuple(items), ast.unparse(node))


def _bound(target: ast.expr, value: Item) -> Iterator[tuple[str, Item]]:
    if isinstance(target, ast.Name):
        yield target.id, value
        return
    given = parts(value)
    if not isinstance(target, ast.Tuple) or len(target.elts) != len(given):
        raise ProgramProblemError(
            "shape-mismatch",
            f"{ast.unparse(target)!r} must be as many names as there are values "
            f"({len(given)}).",
        )
    for name, part in zip(target.elts, given, strict=True):
        yield from _bound(name, part)
