"""Builds typed operations, after checking what they are given."""

from __future__ import annotations

import ast

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.functions import FUNCTIONS
from reward_synth.language.ir import Expr, Kind, Op, Stack, Type

BUILTINS = ("abs", "min", "max", "float", "bool", "len", "sum", "pow", "range", "int")
"""Python's own functions that may be called."""
RESERVED = ("np", "math", *BUILTINS)
"""Names that always mean the modules and functions."""


def refuse_list(node: ast.expr) -> None:
    """Refuse a list where Python and NumPy would mean different things by it.

    Raises:
        ProgramProblemError: ``node`` is a list or a tuple.
    """
    if isinstance(node, (ast.List, ast.Tuple)):
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(node)!r} is a list, not a vector.",
            f"Write np.array({ast.unparse(node)}).",
        )


def construct(node: ast.AST) -> str:
    """Return what people call a piece of syntax."""
    names = {
        "ListComp": "A list comprehension",
        "GeneratorExp": "A generator expression",
        "Lambda": "A lambda",
        "JoinedStr": "An f-string",
        "Dict": "A dict other than the returned one",
        "Starred": "A starred argument",
        "NamedExpr": "The walrus operator",
        "Attribute": "Attribute access",
        "Await": "await",
    }
    kind = type(node).__name__
    return names.get(kind, f"{kind}")


def dotted(node: ast.expr) -> str | None:
    """Return ``"np.linalg.norm"`` for such a chain of names, or None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return None if base is None else f"{base}.{node.attr}"
    return None


def op(name: str, spelling: str, args: tuple[Expr, ...], node: ast.AST) -> Op:
    """Build an operation after checking the number and types of its arguments."""
    function = FUNCTIONS[name]
    if not function.least <= len(args) <= function.most:
        raise ProgramProblemError(
            "wrong-arguments",
            f"{spelling} takes {function.least} argument(s), but got {len(args)}.",
        )
    result = function.result(spelling, tuple(item.type for item in args))
    return Op(name, args, result, getattr(node, "lineno", 0))


def stack(items: list[Expr], *, nest: bool) -> Expr:
    """Join values: ``nest`` stacks along a new axis, else along the first one."""
    shapes = {item.type.shape if nest else item.type.shape[1:] for item in items}
    if len(shapes) > 1 or (not nest and any(item.type.scalar for item in items)):
        shown = ", ".join(f"a {item.type}" for item in items)
        raise ProgramProblemError("shape-mismatch", f"Cannot put together {shown}.")
    (shape,) = shapes
    first = len(items) if nest else sum(item.type.shape[0] for item in items)
    kind: Kind = "bool" if all(item.type.kind == "bool" for item in items) else "float"
    return Stack(tuple(items), Type((first, *shape), kind))
