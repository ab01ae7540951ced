"""Tells what a function computes by a digest, without working it out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from reward_synth.language import (
    Assign,
    Const,
    Expr,
    FunctionIR,
    If,
    Name,
    Op,
    Pick,
    Statement,
)


def function_digest(function: FunctionIR) -> str:
    r"""Return the SHA-256 of what a function computes, in hexadecimal.

    Names of components and places in the text are no part of it; equal expressions are
    equal whether they are one object or several.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action"))
        >>> text = "def compute_reward(x):\n    return {{'{}': {} * x}}"
        >>> a, b, c = (
        ...     function_digest(parse(text.format(name, weight), task).ir.reward)
        ...     for name, weight in (("a", 2.0), ("b", 2.0), ("a", -2.0))
        ... )
        >>> a == b, a == c
        (True, False)
    """
    walk = _Walk()
    parameters = [
        (name, item.shape, item.dtype == "bool") for name, item in function.parameters
    ]
    body = walk.block(function.body)
    text = repr((parameters, list(walk.lines), body))
    return hashlib.sha256(text.encode()).hexdigest()


class _Walk:
    """Numbers expressions; equal ones have one number."""

    def __init__(self) -> None:
        self.lines: dict[object, int] = {}
        self._known: dict[int, int] = {}

    def block(self, statements: Iterable[Statement]) -> tuple[object, ...]:
        return tuple(map(self._statement, statements))

    def _statement(self, statement: Statement) -> object:
        if isinstance(statement, Assign):
            return statement.name, self._number(statement.value)
        if isinstance(statement, If):
            test = self._number(statement.test)
            return test, self.block(statement.body), self.block(statement.orelse)
        return tuple(map(self._number, statement.values))

    def _number(self, item: Expr) -> int:
        key = id(item)
        number = self._known.get(key)
        if number is None:
            line = self._line(item)
            number = self._known[key] = self.lines.setdefault(line, len(self.lines))
        return number

    def _line(self, item: Expr) -> object:
        kind = item.type
        if isinstance(item, Op):
            args = tuple(map(self._number, item.args))
            return "op", item.op, args, kind.shape, kind.kind
        if isinstance(item, Name):
            return "name", item.name, kind.shape, kind.kind
        if isinstance(item, Const):
            # 0.0 and -0.0, and 1.0 and True, are equal as keys: their texts are not
            return "const", repr(item.value), kind.shape, kind.kind
        if isinstance(item, Pick):
            return "pick", self._number(item.value), item.entries, kind.shape, kind.kind
        return "stack", tuple(map(self._number, item.items)), kind.shape, kind.kind
