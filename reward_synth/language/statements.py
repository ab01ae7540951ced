"""Turns the statements of a function into typed ones; problems are collected."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reward_synth.language.assignments import Assignments
from reward_synth.language.expressions import (
    parse_condition,
    static_int,
)
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.ir import (
    FLOAT,
    Assign,
    Const,
    If,
    Statement,
)
from reward_synth.language.operations import dotted
from reward_synth.language.outputs import Outputs
from reward_synth.language.scope import Poison, Scope, SilentProblemError, join


@dataclass(frozen=True, slots=True)
class Body:
    """What parsing a block gave."""

    statements: tuple[Statement, ...]
    returns: bool
    """True if every path through the block returns."""


def straight(statements: Sequence[Statement]) -> Body:
    """Return a block that runs on into what follows."""
    return Body(tuple(statements), returns=False)


class StatementParser:
    """Parses one function's statements in order.

    Args:
        scope: The function's names.
        potential: True for ``compute_potential``, which returns one number.
    """

    def __init__(self, scope: Scope, *, potential: bool) -> None:
        self.scope = scope
        self.problems: list[Finding] = []
        self.outputs = Outputs(scope, potential=potential)
        assignments = Assignments(scope, self.outputs)
        self._handlers: dict[type[ast.stmt], Callable[..., Body]] = {
            ast.Assign: lambda node: straight(assignments.assign(node)),
            ast.AugAssign: lambda node: straight(assignments.augmented(node)),
            ast.AnnAssign: lambda node: straight(assignments.annotated(node)),
            ast.If: self._if,
            ast.For: self._for,
            ast.Return: self._return,
            ast.Pass: lambda _: straight([]),
            ast.Expr: self._text,
            ast.Import: self._import,
        }

    def block(self, nodes: list[ast.stmt]) -> Body:
        """Parse statements until one returns on every path."""
        statements: list[Statement] = []
        for place, node in enumerate(nodes):
            body = self._statement(node)
            statements += body.statements
            if body.returns:
                self._unreachable(nodes[place + 1 :])
                return Body(tuple(statements), returns=True)
        return straight(statements)

    def _unreachable(self, nodes: list[ast.stmt]) -> None:
        """Refuse what is never run: it would go unexamined."""
        if nodes:
            problem = ProgramProblemError(
                "unreachable", "Nothing after this return is ever run.", "Drop it."
            )
            self.problems.append(problem.at(nodes[0].lineno))

    def _statement(self, node: ast.stmt) -> Body:
        try:
            handler = self._handlers.get(type(node))
            if handler is None:
                raise ProgramProblemError(
                    "forbidden",
                    f"A {type(node).__name__.lower()} statement is not part of the "
                    "reward language.",
                    "Use assignments, if/else, for over a constant range, and return.",
                )
            return handler(node)
        except ProgramProblemError as problem:
            self.problems.append(problem.at(node.lineno))
        except SilentProblemError:
            pass
        self._poison(node)
        return Body((), returns=isinstance(node, ast.Return))

    def _poison(self, node: ast.stmt) -> None:
        """Keep later uses of what this statement would have set quiet."""
        for item in ast.walk(node):
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
                self.scope.names[item.id] = Poison()

    def _text(self, node: ast.Expr) -> Body:
        """Drop a string that stands alone; it is a comment."""
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return straight([])
        raise ProgramProblemError(
            "forbidden", f"{ast.unparse(node)!r} computes a value that nothing takes."
        )

    def _import(self, node: ast.Import) -> Body:
        """Drop the two imports that mean what the names mean anyway."""
        if ast.unparse(node) in ("import numpy as np", "import math"):
            return straight([])
        raise ProgramProblemError(
            "forbidden-import",
            f"{ast.unparse(node)!r} is refused.",
            "Only `import numpy as np` and `import math` are allowed.",
        )

    def _if(self, node: ast.If) -> Body:
        test = parse_condition(node.test, self.scope)
        before = self.scope.fork()
        body = self.block(node.body)
        after_body = self.scope.names
        self.scope.names = before
        orelse = self.block(node.orelse)
        if body.returns and not orelse.returns:
            pass  # what follows is reached through the else side only
        elif orelse.returns:
            self.scope.names = after_body
        else:
            self.scope.names = join(after_body, self.scope.names, node.lineno)
        statement = If(test, body.statements, orelse.statements)
        return Body((statement,), returns=body.returns and orelse.returns)

    def _for(self, node: ast.For) -> Body:
        if not isinstance(node.target, ast.Name) or node.orelse:
            raise ProgramProblemError(
                "forbidden",
                "A loop has one variable and no else.",
                "for i in range(3):",
            )
        statements: list[Statement] = []
        for number in self._bounds(node.iter):
            self.scope.charge(1)
            value = Const(float(number), FLOAT, whole=True)
            statements.append(Assign(node.target.id, value))
            self.scope.names[node.target.id] = value
            problems = len(self.problems)
            body = self.block(node.body)
            statements += body.statements
            if body.returns or len(self.problems) > problems:
                return Body(tuple(statements), returns=body.returns)
        return straight(statements)

    def _bounds(self, node: ast.expr) -> Sequence[int]:
        if isinstance(node, (ast.List, ast.Tuple)):
            return [static_int(item, self.scope) for item in node.elts]
        if isinstance(node, ast.Call) and dotted(node.func) == "range":
            with suppress(ProgramProblemError, TypeError, ValueError):
                return range(*(static_int(item, self.scope) for item in node.args))
        raise ProgramProblemError(
            "unbounded-loop",
            f"{ast.unparse(node)!r} is not a range with constant bounds.",
            "Write for i in range(3):, or use vector operations.",
        )

    def _return(self, node: ast.Return) -> Body:
        return Body((self.outputs.returned(node),), returns=True)
