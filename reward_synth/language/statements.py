"""Turns the statements of a function into typed ones; problems are collected."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from reward_synth.language.assignments import Assignments
from reward_synth.language.expressions import parse_condition
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.flow import can_return, ends, with_rest
from reward_synth.language.ir import If, Statement
from reward_synth.language.joins import join
from reward_synth.language.loops import loop_items
from reward_synth.language.outputs import Results
from reward_synth.language.remarks import (
    define,
    imported,
    named_lambda,
    nothing,
    poison,
    refuse,
    text,
)
from reward_synth.language.scope import Scope, SilentProblemError


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
        outputs: What is returned.
        inlined: True for a helper, which is put in place of its call: what follows an
            early return moves into the branches that do not return.
    """

    def __init__(self, scope: Scope, outputs: Results, *, inlined: bool) -> None:
        self.scope = scope
        self.outputs = outputs
        self._inlined = inlined
        assignments = Assignments(scope, outputs)
        self._handlers: dict[type[ast.stmt], Callable[..., Body]] = {
            ast.Assign: partial(self._assign, assignments),
            ast.AugAssign: lambda node: straight(assignments.augmented(node)),
            ast.AnnAssign: lambda node: straight(assignments.annotated(node)),
            ast.If: self._if,
            ast.For: self._for,
            ast.FunctionDef: partial(self._simple, define),
            ast.Return: self._return,
            ast.Pass: partial(self._simple, nothing),
            ast.Expr: partial(self._simple, text),
            ast.Import: partial(self._simple, imported),
            ast.ImportFrom: partial(self._simple, imported),
        }

    def _assign(self, assignments: Assignments, node: ast.Assign) -> Body:
        function = named_lambda(node)
        if function is not None:
            return self._simple(define, function)
        return straight(assignments.assign(node))

    def block(self, nodes: list[ast.stmt]) -> Body:
        """Parse statements until one returns on every path."""
        statements: list[Statement] = []
        for place, node in enumerate(nodes):
            rest = nodes[place + 1 :]
            if self._inlined and can_return(node) and not ends([node]):
                body = self._statement(node, partial(self._early, rest))
                return Body((*statements, *body.statements), body.returns)
            body = self._statement(node, self._handlers.get(type(node)))
            statements += body.statements
            if body.returns:
                self._unreachable(rest)
                return Body(tuple(statements), returns=True)
        return straight(statements)

    def _early(self, rest: list[ast.stmt], node: ast.stmt) -> Body:
        """Parse a statement that may return, and all that follows it."""
        if isinstance(node, ast.If):
            return self._if(with_rest(node, rest))
        if isinstance(node, ast.For):
            loops = [self._pass(node, name) for name in self._values(node)]
            return self.block([step for one in loops for step in one] + rest)
        return self._simple(refuse, node)

    def _unreachable(self, nodes: list[ast.stmt]) -> None:
        """Refuse what is never run: it would go unexamined."""
        if nodes:
            problem = ProgramProblemError(
                "unreachable", "Nothing after this return is ever run.", "Drop it."
            )
            self.scope.work.problems.append(problem.at(nodes[0].lineno))

    def _statement(
        self, node: ast.stmt, handler: Callable[[ast.stmt], Body] | None
    ) -> Body:
        work = self.scope.work
        outside, work.pending = work.pending, []
        try:
            body = handler(node) if handler else self._simple(refuse, node)
            return Body((*work.pending, *body.statements), body.returns)
        except ProgramProblemError as problem:
            work.problems.append(problem.at(node.lineno))
        except SilentProblemError:
            pass
        finally:
            work.pending = outside
        poison(node, self.scope)
        return Body((), returns=ends([node]))

    def _simple(self, check: Callable[[Any, Scope], None], node: ast.stmt) -> Body:
        """Examine a statement that computes nothing."""
        self.scope.charge(1)
        check(node, self.scope)
        return straight([])

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
        statements: list[Statement] = []
        problems = self.scope.work.problems
        before = len(problems)
        for name in self._values(node):
            body = self.block(self._pass(node, name))
            statements += body.statements
            if body.returns or len(problems) > before:
                return Body(tuple(statements), returns=body.returns)
        return straight(statements)

    def _values(self, node: ast.For) -> list[str]:
        """Name the values of a loop, one each time round."""
        if node.orelse:
            raise ProgramProblemError(
                "forbidden",
                "A loop has no else here.",
                "Put its lines after the loop: without break they always run.",
            )
        names = []
        for item in loop_items(node.iter, self.scope):
            self.scope.charge(1)
            names.append(self.scope.fresh())
            self.scope.names[names[-1]] = self.scope.known(item)
        return names

    def _pass(self, node: ast.For, name: str) -> list[ast.stmt]:
        """Return the statements of one time round the loop."""
        value = ast.copy_location(ast.Name(name, ast.Load()), node)
        return [ast.copy_location(ast.Assign([node.target], value), node), *node.body]

    def _return(self, node: ast.Return) -> Body:
        return Body(tuple(self.outputs.returned(node)), returns=True)
