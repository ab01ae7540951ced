"""Turns the assignments of a function into typed ones."""

from __future__ import annotations

import ast

from reward_synth.language.expressions import parse_expression
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Assign, Const, Expr, Name, Pick, Statement, Type
from reward_synth.language.operations import RESERVED, refuse_list
from reward_synth.language.outputs import Outputs
from reward_synth.language.scope import Scope


class Assignments:
    """Parses every way of giving a name a value.

    Args:
        scope: The function's names.
        outputs: Where the table of components is filled.
    """

    def __init__(self, scope: Scope, outputs: Outputs) -> None:
        self._scope = scope
        self._outputs = outputs

    def assign(self, node: ast.Assign) -> list[Statement]:
        """Parse ``a = value``, ``a = b = value``, ``a, b = values``, ``parts["a"] = value``."""
        if isinstance(node.value, ast.Dict):
            return list(self._outputs.begin_table(node))
        if len(node.targets) == 1:
            return self._bind(node.targets[0], node.value)
        names = [item.id for item in node.targets if isinstance(item, ast.Name)]
        if len(names) != len(node.targets):
            raise ProgramProblemError(
                "forbidden", "Only plain names are assigned several at once."
            )
        value = parse_expression(node.value, self._scope)
        once = Name("__once", value.type)  # the value may read the names
        first: list[Statement] = [Assign("__once", value)]
        return first + [self._set(name, once) for name in names]

    def _bind(self, target: ast.expr, value: ast.expr) -> list[Statement]:
        if isinstance(target, ast.Name):
            refuse_list(value)
            return [self._set(target.id, parse_expression(value, self._scope))]
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(target, value)
        if isinstance(target, ast.Subscript):
            return [self._outputs.fill(target, value)]
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
        self._scope.names[name] = value if isinstance(value, Const) else value.type
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
            self._scope.names[new] = part.type
        second = [
            self._set(name, self._scope.look_up(new))
            for name, new in zip(names, fresh, strict=True)
        ]
        for new in fresh:
            del self._scope.names[new]
        return first + list(second)

    def _parts(self, value: ast.expr) -> list[Expr]:
        if isinstance(value, (ast.Tuple, ast.List)):
            return [parse_expression(item, self._scope) for item in value.elts]
        whole = parse_expression(value, self._scope)
        if len(whole.type.shape) != 1:
            raise ProgramProblemError(
                "shape-mismatch", f"A {whole.type} cannot be unpacked."
            )
        kind = Type((), whole.type.kind)
        return [Pick(whole, (i,), kind) for i in range(whole.type.size)]

    def augmented(self, node: ast.AugAssign) -> list[Statement]:
        """Parse ``a += value`` for numbers, which is ``a = a + value``."""
        if not isinstance(node.target, ast.Name):
            raise ProgramProblemError(
                "forbidden",
                f"{ast.unparse(node.target)!r} changes a value in place.",
                "Assign to a plain name.",
            )
        load = ast.Name(node.target.id, ast.Load())
        whole = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        old = parse_expression(ast.copy_location(load, node), self._scope)
        value = parse_expression(ast.fix_missing_locations(whole), self._scope)
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
        return [self._set(node.target.id, value)]

    def annotated(self, node: ast.AnnAssign) -> list[Statement]:
        """Parse ``a: float = value``; the annotation is dropped."""
        if node.value is None:
            raise ProgramProblemError("forbidden", "A bare annotation sets nothing.")
        plain = ast.copy_location(ast.Assign([node.target], node.value), node)
        return self.assign(plain)
