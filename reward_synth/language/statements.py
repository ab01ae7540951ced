"""Turns the statements of a function into typed ones; problems are collected."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reward_synth.language.expressions import (
    parse_condition,
    parse_expression,
    static_int,
)
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.ir import (
    FLOAT,
    Assign,
    Const,
    Expr,
    If,
    Name,
    Pick,
    Statement,
    Type,
)
from reward_synth.language.operations import RESERVED, dotted, refuse_list
from reward_synth.language.outputs import Outputs
from reward_synth.language.scope import Poison, Scope, SilentProblemError, join


@dataclass(frozen=True, slots=True)
class Body:
    """What parsing a block gave."""

    statements: tuple[Statement, ...]
    returns: bool
    """True if every path through the block returns."""


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
        self._handlers: dict[type[ast.stmt], Callable[..., Body]] = {
            ast.Assign: self._assign,
            ast.AugAssign: self._augmented,
            ast.AnnAssign: self._annotated,
            ast.If: self._if,
            ast.For: self._for,
            ast.Return: self._return,
            ast.Pass: lambda _: Body((), returns=False),
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
        return Body(tuple(statements), returns=False)

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
            return Body((), returns=False)
        raise ProgramProblemError(
            "forbidden", f"{ast.unparse(node)!r} computes a value that nothing takes."
        )

    def _import(self, node: ast.Import) -> Body:
        """Drop the two imports that mean what the names mean anyway."""
        if ast.unparse(node) in ("import numpy as np", "import math"):
            return Body((), returns=False)
        raise ProgramProblemError(
            "forbidden-import",
            f"{ast.unparse(node)!r} is refused.",
            "Only `import numpy as np` and `import math` are allowed.",
        )

    def _assign(self, node: ast.Assign) -> Body:
        if isinstance(node.value, ast.Dict):
            return Body(self.outputs.begin_table(node), returns=False)
        if len(node.targets) == 1:
            return Body(tuple(self._bind(node.targets[0], node.value)), returns=False)
        names = [item.id for item in node.targets if isinstance(item, ast.Name)]
        if len(names) != len(node.targets):
            raise ProgramProblemError(
                "forbidden", "Only plain names are assigned several at once."
            )
        value = parse_expression(node.value, self.scope)
        once = Name("__once", value.type)  # the value may read the names
        first: list[Statement] = [Assign("__once", value)]
        return Body(
            tuple(first + [self._set(name, once) for name in names]), returns=False
        )

    def _bind(self, target: ast.expr, value: ast.expr) -> list[Statement]:
        if isinstance(target, ast.Name):
            refuse_list(value)
            return [self._set(target.id, parse_expression(value, self.scope))]
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(target, value)
        if isinstance(target, ast.Subscript):
            return [self.outputs.fill(target, value)]
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(target)!r} cannot be assigned to.",
            "Assign to plain names; values are never changed in place.",
        )

    def _set(self, name: str, value: Expr) -> Assign:
        if name.startswith("__") or name in RESERVED:
            raise ProgramProblemError(
                "forbidden", f"The name {name!r} is reserved.", "Use another name."
            )
        self.scope.names[name] = value if isinstance(value, Const) else value.type
        return Assign(name, value)

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr) -> list[Statement]:
        parts = self._parts(value)
        names = [item.id for item in target.elts if isinstance(item, ast.Name)]
        if len(set(names)) != len(target.elts) or len(names) != len(parts):
            raise ProgramProblemError(
                "shape-mismatch",
                f"{ast.unparse(target)!r} must be as many different names as there are "
                f"values ({len(parts)}).",
            )
        # Two passes, so that `a, b = b, a` swaps.
        fresh = [f"__new_{name}" for name in names]
        first: list[Statement] = [
            Assign(new, part) for new, part in zip(fresh, parts, strict=True)
        ]
        for new, part in zip(fresh, parts, strict=True):
            self.scope.names[new] = part.type
        second = [
            self._set(name, self.scope.look_up(new))
            for name, new in zip(names, fresh, strict=True)
        ]
        for new in fresh:
            del self.scope.names[new]
        return first + list(second)

    def _parts(self, value: ast.expr) -> list[Expr]:
        if isinstance(value, (ast.Tuple, ast.List)):
            return [parse_expression(item, self.scope) for item in value.elts]
        whole = parse_expression(value, self.scope)
        if len(whole.type.shape) != 1:
            raise ProgramProblemError(
                "shape-mismatch", f"A {whole.type} cannot be unpacked."
            )
        kind = Type((), whole.type.kind)
        return [Pick(whole, (i,), kind) for i in range(whole.type.size)]

    def _augmented(self, node: ast.AugAssign) -> Body:
        if not isinstance(node.target, ast.Name):
            raise ProgramProblemError(
                "forbidden",
                f"{ast.unparse(node.target)!r} changes a value in place.",
                "Assign to a plain name.",
            )
        load = ast.Name(node.target.id, ast.Load())
        whole = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        old = parse_expression(ast.copy_location(load, node), self.scope)
        value = parse_expression(ast.fix_missing_locations(whole), self.scope)
        if not old.type.scalar:  # NumPy would change every other name of it too
            raise ProgramProblemError(
                "forbidden",
                f"{ast.unparse(node)!r} changes a vector in place.",
                f"Write {node.target.id} = {ast.unparse(whole)}.",
            )
        if old.type.shape != value.type.shape:
            raise ProgramProblemError(
                "shape-mismatch",
                f"{node.target.id!r} is a {old.type} and would become a {value.type}.",
            )
        return Body((self._set(node.target.id, value),), returns=False)

    def _annotated(self, node: ast.AnnAssign) -> Body:
        if node.value is None:
            raise ProgramProblemError("forbidden", "A bare annotation sets nothing.")
        plain = ast.copy_location(ast.Assign([node.target], node.value), node)
        return self._assign(plain)

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
        return Body(tuple(statements), returns=False)

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
