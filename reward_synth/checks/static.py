"""Checks that need only the typed program."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reward_synth.checks.hazards import hazards
from reward_synth.checks.ineffective import (
    constant,
    decided,
    peaked,
    saturated,
    unbounded,
)
from reward_synth.checks.ranged import Ranged
from reward_synth.checks.report import Examined
from reward_synth.language import Finding
from reward_synth.language.ir import (
    Assign,
    Const,
    Expr,
    If,
    Name,
    Op,
    Pick,
    Stack,
    Statement,
)


def imports_what_it_uses(examined: Examined) -> Iterator[Finding]:
    """Find modules that are used but not imported: the file must run alone."""
    tree = ast.parse(examined.program.source)
    imported = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name, line in (("np", "import numpy as np"), ("math", "import math")):
        if name in used - imported:
            yield Finding(
                "warning",
                "missing-import",
                f"{name!r} is used but not imported, so the file does not run alone.",
                f"Begin with `{line}`.",
            )


def no_float_equality(examined: Examined) -> Iterator[Finding]:
    """Find == and != between measured numbers, which are hardly ever equal."""
    whole = {
        name
        for name, field in examined.function.parameters
        if field.dtype in ("int", "bool")
    }
    seen: set[int] = set()
    for op in _operations(examined.function.body):
        if op.op in ("equal", "not_equal") and not _whole(op, whole):
            if op.line in seen:
                continue
            seen.add(op.line)
            yield Finding(
                "warning",
                "float-equality",
                "Measured numbers are compared with == or !=, which is hardly ever true.",
                "Compare a distance with a tolerance, for example abs(a - b) < 0.01.",
                op.line,
            )


def _whole(op: Op, names: set[str]) -> bool:
    return any(
        item.type.kind == "bool" or (isinstance(item, Name) and item.name in names)
        for item in map(_base, op.args)
    )


def _base(expression: Expr) -> Expr:
    while isinstance(expression, Pick):
        expression = expression.value
    return expression


def _operations(statements: tuple[Statement, ...]) -> Iterator[Op]:
    for statement in statements:
        if isinstance(statement, Assign):
            yield from _inside(statement.value)
        elif isinstance(statement, If):
            yield from _inside(statement.test)
            yield from _operations(statement.body + statement.orelse)
        else:
            for value in statement.values:
                yield from _inside(value)


def _inside(expression: Expr) -> Iterator[Op]:
    if isinstance(expression, Op):
        yield expression
        children = expression.args
    elif isinstance(expression, Stack):
        children = expression.items
    elif isinstance(expression, Pick):
        children = (expression.value,)
    else:
        return
    for child in children:
        if not isinstance(child, (Const, Name)):
            yield from _inside(child)


def sound_within_ranges(examined: Examined) -> Iterator[Finding]:
    """Find what can fail, or has no effect, by the ranges of the task's fields.

    Ranges are seen in play or declared, so what can fail is a note; only what is sure
    is a warning. Of each kind, a line has one finding.
    """
    ranged = Ranged(examined)
    seen: set[tuple[str, int | None]] = set()
    flat = [*saturated(ranged), *decided(ranged)]
    still = [] if flat else constant(ranged)
    fails = list(hazards(ranged))
    large = [] if fails else [*peaked(ranged), *unbounded(ranged)]
    for finding in (*fails, *flat, *still, *large):
        key = finding.code, finding.line
        if key not in seen:
            seen.add(key)
            yield finding
