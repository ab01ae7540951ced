"""What may stand in the first line of a function: importing the file runs it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reward_synth.language.expressions import parse_item
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.ir import Const
from reward_synth.language.scope import Scope
from reward_synth.language.values import Item, leaves

_ANNOTATION = (
    ast.Name,
    ast.Attribute,
    ast.Constant,
    ast.Subscript,
    ast.Tuple,
    ast.Load,
)
"""What an annotation may consist of: nothing that is called."""


def signature_problems(node: ast.FunctionDef) -> Iterator[Finding]:
    """Find what Python would run, or fill in, by itself."""
    args = node.args
    if args.vararg or args.kwarg or node.decorator_list or args.posonlyargs:
        message = f"{node.name} takes plain parameters and no decorators."
        yield Finding(
            "error", "forbidden", message, "Name each parameter.", node.lineno
        )
    plain = [*args.args, *args.kwonlyargs]
    names = [item.arg for item in plain]
    for name in names:
        if name in ("np", "math") or name.startswith("__"):
            message = f"The name {name!r} is reserved."
            yield Finding(
                "error", "forbidden", message, "Use another name.", node.lineno
            )
    if len(set(names)) != len(names):
        message = "A parameter is named twice."
        yield Finding("error", "syntax", message, "", node.lineno)
    for note in (node.returns, *(item.annotation for item in plain)):
        if note is not None:
            yield from annotation_problems(note)


def annotation_problems(note: ast.expr) -> Iterator[Finding]:
    """Find an annotation that is more than a type.

    Example:
        >>> note = ast.parse("print(1)", mode="eval").body
        >>> [item.message for item in annotation_problems(note)]
        ["The annotation 'print(1)' is more than a type."]
    """
    if not all(isinstance(part, _ANNOTATION) for part in ast.walk(note)):
        message = f"The annotation {ast.unparse(note)!r} is more than a type."
        yield Finding("error", "forbidden", message, "Leave it out.", note.lineno)


def refuse_signature(node: ast.FunctionDef) -> None:
    """Refuse a function inside a function whose first line does more than naming.

    Raises:
        ProgramProblemError: It does.
    """
    for item in signature_problems(node):
        raise ProgramProblemError(item.code, item.message, item.fix)


def defaults_of(node: ast.FunctionDef) -> dict[str, ast.expr]:
    """Return the parameters that may be left out, each with its default.

    Example:
        >>> node = ast.parse("def f(a, b=1, *, c=2): return a").body[0]
        >>> list(defaults_of(node))
        ['b', 'c']
    """
    args = node.args
    late = args.args[len(args.args) - len(args.defaults) :]
    named = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    return {
        **{item.arg: value for item, value in zip(late, args.defaults, strict=True)},
        **{item.arg: value for item, value in named if value is not None},
    }


def literal_defaults(node: ast.FunctionDef) -> dict[str, Item]:
    """Return defaults that are numbers, truth values or tuples of them.

    Raises:
        ProgramProblemError: One is something else.
    """
    scope = Scope("", {}, (), budget=100)
    return {
        name: constant_item(name, value, scope)
        for name, value in defaults_of(node).items()
    }


def constant_item(name: str, node: ast.expr, scope: Scope) -> Item:
    """Return a default that is known before the program runs.

    Raises:
        ProgramProblemError: It is not.
    """
    try:
        item = parse_item(node, scope)
    except ProgramProblemError:
        item = None
    if item is None or not all(isinstance(leaf, Const) for leaf in leaves(item)):
        raise ProgramProblemError(
            "forbidden",
            f"The default of {name!r} must be a number.",
            "Give a number, a truth value or a tuple of numbers.",
        )
    return item
