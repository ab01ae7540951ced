"""Which statements return, seen from the text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence


def ends(nodes: Sequence[ast.stmt]) -> bool:
    r"""Tell whether every path through the statements meets a return.

    Example:
        >>> tree = ast.parse("if a:\n    return 1\nelse:\n    return 2")
        >>> ends(tree.body), ends(tree.body[0].body[:0])
        (True, False)
    """
    return any(
        isinstance(node, ast.Return)
        or (isinstance(node, ast.If) and ends(node.body) and ends(node.orelse))
        for node in nodes
    )


def can_return(node: ast.stmt) -> bool:
    r"""Tell whether a path through a statement meets a return.

    Example:
        >>> can_return(ast.parse("for i in range(3):\n    return i").body[0])
        True
    """
    if isinstance(node, (ast.If, ast.For)):
        return any(map(can_return, (*node.body, *node.orelse)))
    return isinstance(node, ast.Return)


def with_rest(node: ast.If, rest: Sequence[ast.stmt]) -> ast.If:
    r"""Move what follows an ``if`` into those of its branches that do not return.

    Example:
        >>> tree = ast.parse("if a:\n    return 1\nx = 2")
        >>> print(ast.unparse(with_rest(tree.body[0], tree.body[1:])))
        if a:
            return 1
        else:
            x = 2
    """
    body, orelse = (
        list(side) if ends(side) else [*side, *rest]
        for side in (node.body, node.orelse)
    )
    return ast.copy_location(ast.If(node.test, body, orelse), node)


def doubling(nodes: Sequence[ast.stmt]) -> ast.If | None:
    r"""Return the first ``if`` whose following lines go into both of its branches.

    Example:
        >>> tree = ast.parse("for i in x:\n    if a:\n        if b:\n            return i")
        >>> doubling(tree.body).lineno
        2
    """
    for node in nodes:
        if not isinstance(node, (ast.If, ast.For)) or not can_return(node):
            continue
        if isinstance(node, ast.If) and not ends(node.body) and not ends(node.orelse):
            return node
        if inner := doubling([*node.body, *node.orelse]):
            return inner
    return None


def own_names(node: ast.FunctionDef) -> frozenset[str]:
    r"""Return the names that a function sets, which Python never looks up outside.

    Example:
        >>> tree = ast.parse("def f(x):\n    y = x\n    def g():\n        z = 1")
        >>> sorted(own_names(tree.body[0]))
        ['g', 'x', 'y']
    """
    args = node.args
    named = {item.arg for item in (*args.args, *args.kwonlyargs)}
    return frozenset(named | set(_set_in(node.body)))


def _set_in(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if isinstance(node, ast.FunctionDef):
            yield node.name
        else:
            yield from _set_in(list(ast.iter_child_nodes(node)))
