"""Statements that compute nothing: remarks, imports, definitions, and what is refused."""

from __future__ import annotations

import ast

from reward_synth.language.assignments import check_name
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.operations import construct, nearest
from reward_synth.language.scope import Helper, Poison, Scope
from reward_synth.language.signature import literal_defaults, refuse_signature


def nothing(_: ast.Pass, __: Scope) -> None:
    """Take ``pass``."""


def text(node: ast.Expr, _: Scope) -> None:
    """Drop a string that stands alone; it is a comment.

    Raises:
        ProgramProblemError: It is something else.
    """
    if not isinstance(node.value, ast.Constant) or not isinstance(
        node.value.value, str
    ):
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(node)!r} computes a value that nothing takes.",
            "Assign it to a name or leave it out.",
        )


def imported(node: ast.Import | ast.ImportFrom, _: Scope) -> None:
    """Drop the two imports that mean what the names mean anyway.

    Raises:
        ProgramProblemError: It is another one.
    """
    if ast.unparse(node) not in ("import numpy as np", "import math"):
        raise ProgramProblemError(
            "forbidden-import",
            f"{ast.unparse(node)!r} is refused.",
            "Inside a function only `import numpy as np` and `import math` are allowed; "
            "`from reward_synth.rotation import ...` stands at the top of the file.",
        )


def define(node: ast.FunctionDef, scope: Scope) -> None:
    """Keep a function that is defined inside another one.

    Example:
        >>> scope = Scope("T", {}, (), 100)
        >>> define(ast.parse("def f(x): return x").body[0], scope)
        >>> scope.helpers()
        ['f']
    """
    check_name(node.name)
    refuse_signature(node)
    scope.work.defined[node] = None
    scope.names[node.name] = Helper(node, scope, literal_defaults(node))


def named_lambda(node: ast.Assign) -> ast.FunctionDef | None:
    """Return the function that ``name = lambda ...`` defines, or None.

    Example:
        >>> print(ast.unparse(named_lambda(ast.parse("f = lambda x: 2 * x").body[0])))
        def f(x):
            return 2 * x
    """
    target = node.targets[0]
    if not isinstance(node.value, ast.Lambda) or not isinstance(target, ast.Name):
        return None
    if len(node.targets) > 1:
        return None
    end = ast.copy_location(ast.Return(node.value.body), node.value)
    function = ast.FunctionDef(target.id, node.value.args, [end], [])
    return ast.fix_missing_locations(ast.copy_location(function, node))


def refuse(node: ast.stmt, _: Scope) -> None:
    """Refuse a statement that is outside the language.

    Raises:
        ProgramProblemError: Always.
    """
    raise ProgramProblemError(
        "forbidden",
        f"{construct(node)} is not part of the reward language.",
        nearest(node),
    )


def poison(node: ast.stmt, scope: Scope) -> None:
    """Keep later uses of what a refused statement would have set quiet.

    Example:
        >>> scope = Scope("T", {}, (), 100)
        >>> poison(ast.parse("a, b = nothing").body[0], scope)
        >>> scope.names
        {'a': Poison(), 'b': Poison()}
    """
    for item in ast.walk(node):
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
            scope.names[item.id] = Poison()
    if isinstance(node, ast.FunctionDef):
        scope.names[node.name] = Poison()
