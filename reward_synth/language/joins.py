"""What is known of a function's names where the branches of an ``if`` meet."""

from __future__ import annotations

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Const, Type
from reward_synth.language.scope import Partial, Poison, Table, Value


def join(
    first: dict[str, Value], second: dict[str, Value], line: int
) -> dict[str, Value]:
    """Return what is known after an ``if`` whose branches left these names.

    Example:
        >>> both = join({"a": Type(), "b": Type()}, {"a": Type()}, line=4)
        >>> both["a"], both["b"].why
        (Type(shape=(), kind='float'), 'is set in only one branch')
    """
    joined = {**first, **second}
    for name in joined:
        a, b = first.get(name), second.get(name)
        if a is not b:  # most names are set before the branches
            joined[name] = _join(name, a, b, line)
    return joined


def _join(name: str, a: Value | None, b: Value | None, line: int) -> Value:
    if a is None or b is None:
        return Partial(line)
    for value in (a, b):
        if isinstance(value, (Poison, Partial)):
            return value
    if a == b:
        return a
    left = a.type if isinstance(a, Const) else a
    right = b.type if isinstance(b, Const) else b
    if isinstance(left, Type) and isinstance(right, Type):
        return _common_type(left, right, line)
    if not isinstance(left, Table) and not isinstance(right, Table):
        return Partial(line, "is not the same tuple or function in the two branches")
    raise ProgramProblemError(
        "forbidden",
        f"The dict {name!r} is filled differently in the two branches.",
        "Compute the values in the branches; fill the dict after them.",
    )


def _common_type(left: Type, right: Type, line: int) -> Value:
    if left.shape != right.shape:
        return Partial(line, f"is a {left} in one branch and a {right} in the other")
    return left if left.kind == right.kind else Type(left.shape)
