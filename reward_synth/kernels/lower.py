"""Lowers a typed function to plain scalar Python that numba compiles well.

Every vector is unrolled into scalars, every index is static, and there are no
temporaries in memory: the generated text has loads from one flat row, scalar
arithmetic, branches, and stores. The author's own text is never part of it.
"""

from __future__ import annotations

import math

from reward_synth.kernels.scalar import lower_operation
from reward_synth.language.ir import (
    Assign,
    Const,
    Expr,
    FunctionIR,
    If,
    Name,
    Pick,
    Stack,
    Statement,
)

_INDENT = "    "


def lower(function: FunctionIR, name: str = "kernel") -> str:
    r"""Return the text of ``def <name>(x, out)``.

    ``x`` is the flat row of all parameters, C order, ``out`` the row of outputs.

    Example:
        >>> from reward_synth.language import parse
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("x", (2,)),), Field("action", (2,)))
        >>> text = "def compute_reward(x):\n    return {'a': x[0] - x[1]}"
        >>> print(lower(parse(text, task).ir.reward))
        def kernel(x, out):
            p_x_0 = x[0]
            p_x_1 = x[1]
            t0 = p_x_0 - p_x_1
            out[0] = t0
            return
    """
    return _Lowering(function).text(name)


class _Lowering:
    """Emits the lines of one function."""

    def __init__(self, function: FunctionIR) -> None:
        self.function = function
        self.lines: list[str] = []
        self._count = 0
        self._depth = 1
        self._known: dict[int, list[str]] = {}

    def text(self, name: str) -> str:
        offset = 0
        for parameter, field in self.function.parameters:
            for entry in range(field.size):
                load = f"x[{offset + entry}]"
                if field.dtype == "bool":
                    load += " != 0.0"
                self.emit(f"p_{parameter}_{entry} = {load}")
            offset += field.size
        self._block(self.function.body)
        return "\n".join([f"def {name}(x, out):", *self.lines])

    def emit(self, line: str) -> None:
        self.lines.append(_INDENT * self._depth + line)

    def fresh(self, value: str) -> str:
        """Give ``value`` a name of its own, so that it is computed once."""
        name = f"t{self._count}"
        self._count += 1
        self.emit(f"{name} = {value}")
        return name

    def _block(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            self._known.clear()  # names may mean other values now
            if isinstance(statement, Assign):
                self._assign(statement)
            elif isinstance(statement, If):
                self._if(statement)
            else:
                for number, value in enumerate(statement.values):
                    (entry,) = self.entries(value)
                    self.emit(f"out[{number}] = {entry}")
                self.emit("return")

    def _assign(self, statement: Assign) -> None:
        kind = statement.value.type.kind
        entries = self.entries(statement.value)
        # All entries are read before any is written: `x = x[::-1]` must swap.
        held = [self.fresh(item) for item in entries]
        for number, entry in enumerate(held):
            value = entry if kind == "bool" else f"{entry} * 1.0"
            self.emit(f"p_{statement.name}_{number} = {value}")

    def _if(self, statement: If) -> None:
        (test,) = self.entries(statement.test)
        self.emit(f"if {test}:")
        self._indented(statement.body)
        if statement.orelse:
            self.emit("else:")
            self._indented(statement.orelse)

    def _indented(self, statements: tuple[Statement, ...]) -> None:
        self._depth += 1
        self._block(statements)
        if not statements:
            self.emit("pass")
        self._depth -= 1

    def entries(self, expression: Expr) -> list[str]:
        """Return one scalar expression an entry, in C order.

        A part that stands in several places of one statement is computed once: else
        nested comparisons would double the text at every level.
        """
        key = id(expression)
        if key not in self._known:
            self._known[key] = self._entries(expression)
        return self._known[key]

    def _entries(self, expression: Expr) -> list[str]:
        if isinstance(expression, Const):
            return [_literal(expression.value)]
        if isinstance(expression, Name):
            size = expression.type.size
            return [f"p_{expression.name}_{number}" for number in range(size)]
        if isinstance(expression, Pick):
            inner = self.entries(expression.value)
            return [inner[number] for number in expression.entries]
        if isinstance(expression, Stack):
            return [entry for item in expression.items for entry in self.entries(item)]
        args = [(self.entries(item), item.type) for item in expression.args]
        return lower_operation(expression, args, self.fresh)


def _literal(value: float | bool) -> str:
    if isinstance(value, bool):
        return repr(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "(-inf)"
    return f"({value!r})" if value < 0 else repr(value)
