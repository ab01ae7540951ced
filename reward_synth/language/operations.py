"""Builds typed operations, after checking what they are given."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.functions import FUNCTIONS
from reward_synth.language.ir import Expr, Kind, Op, Pick, Stack, Type

BUILTINS = (
    "abs", "min", "max", "float", "bool", "len", "sum", "pow", "any", "all",
    "ord", "range", "enumerate", "zip", "int", "dict",
)  # fmt: skip
"""Python's own functions that may be called; the last five in special places only."""
RESERVED = ("np", "math", *BUILTINS)
"""Names that always mean the modules and functions."""


def construct(node: ast.AST) -> str:
    """Return what people call a piece of syntax."""
    names = {
        "ListComp": "A list comprehension",
        "SetComp": "A set comprehension",
        "DictComp": "A dict comprehension",
        "GeneratorExp": "A generator expression",
        "Lambda": "A lambda",
        "JoinedStr": "An f-string",
        "Dict": "A dict other than the returned one",
        "Set": "A set",
        "Starred": "A starred argument",
        "NamedExpr": "The walrus operator",
        "Attribute": "Attribute access",
        "Await": "await",
    }
    kind = type(node).__name__
    usual = f"A {kind.lower()} statement" if isinstance(node, ast.stmt) else kind
    return names.get(kind, usual)


_LOOP = "Write a loop: for i in range(3): total += x[i], or use vector operations."
_NEAREST = {
    "ListComp": f"{_LOOP[:-1]}; np.array([...]) makes vectors.",
    "SetComp": _LOOP,
    "DictComp": 'Write the dict out: {"reach": reach, "grasp": grasp}.',
    "GeneratorExp": _LOOP,
    "Lambda": "Define a function: def shaped(x): return ...",
    "NamedExpr": "Assign in a line of its own.",
    "JoinedStr": "Leave it out; a reward has no use for texts.",
    "While": "Write for i in range(n) with a constant n.",
    "Break": "Put what follows under an if, or return from a helper function.",
    "Continue": "Put the rest of the loop under an if.",
    "Match": "Write if/elif/else.",
    "Try": "Guard the value, for example np.where(d > 0.0, x / d, 0.0) or np.isnan(x).",
    "With": "Leave it out; NaN and infinity need no protection.",
    "Assert": "Leave it out.",
    "Global": "Pass the value as an argument and return the new one.",
    "Nonlocal": "Pass the value as an argument and return the new one.",
    "ClassDef": "Write functions of numbers and vectors.",
    "Delete": "Leave it out.",
    "Raise": "Leave it out; every state has a reward.",
}


def nearest(node: ast.AST) -> str:
    """Return what to write instead of a construct that is outside.

    Example:
        >>> nearest(ast.parse("while True: pass").body[0])
        'Write for i in range(n) with a constant n.'
    """
    if isinstance(node, ast.stmt):
        usual = "Use assignments, if/else, for over a constant range, def and return."
    else:
        usual = (
            "Use arithmetic, comparisons, if/else and the documented NumPy functions."
        )
    return _NEAREST.get(type(node).__name__, usual)


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


def cost(value: Expr) -> int:
    """Return how many scalar operations a value takes, given its parts.

    Example:
        >>> from reward_synth.language.ir import Name
        >>> row, column = Name("a", Type((1, 3))), Name("b", Type((3, 1)))
        >>> cost(op("dot", "@", (row, column), ast.Pass()))  # 3 products, 2 sums
        5
    """
    if isinstance(value, Op) and value.op in ("dot", "inner"):
        return value.type.size * (2 * value.args[0].type.shape[-1] - 1)
    return value.type.size


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


def pick(value: Expr, numbers: npt.NDArray[np.intp] | np.intp) -> Pick:
    """Return the entries of ``value`` that have these numbers, in their shape.

    Example:
        >>> from reward_synth.language.ir import Name
        >>> pick(Name("x", Type((3,))), np.array([2, 0])).entries
        (2, 0)
    """
    entries = tuple(int(item) for item in np.ravel(numbers))
    return Pick(value, entries, Type(np.shape(numbers), value.type.kind))


def chain(name: str, spelling: str, values: Sequence[Expr], node: ast.AST) -> Expr:
    """Return an operation over several values, from left to right."""
    result = values[0]
    for value in values[1:]:
        result = op(name, spelling, (result, value), node)
    return result
