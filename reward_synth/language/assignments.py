"""Turns the assignments of a function into typed ones."""

from __future__ import annotations

import ast

from reward_synth.language.expressions import parse_expression, parse_item
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Statement
from reward_synth.language.operations import RESERVED
from reward_synth.language.outputs import Results, is_dict
from reward_synth.language.scope import Scope
from reward_synth.language.values import Item, parts


def check_name(name: str) -> None:
    """Refuse names that always mean something else.

    Raises:
        ProgramProblemError: The name is reserved.
    """
    if name.startswith("__") or name in RESERVED:
        raise ProgramProblemError(
            "forbidden", f"The name {name!r} is reserved.", "Use another name."
        )


class Assignments:
    """Parses every way of giving a name a value.

    Args:
        scope: The function's names.
        outputs: Where the table of components is filled.
    """

    def __init__(self, scope: Scope, outputs: Results) -> None:
        self._scope = scope
        self._outputs = outputs

    def assign(self, node: ast.Assign) -> list[Statement]:
        """Parse ``a = value``, ``a = b = value``, ``a, b = values``, ``parts["a"] = value``."""
        if is_dict(node.value):
            return list(self._outputs.begin_table(node))
        first, *more = node.targets
        if isinstance(first, ast.Subscript) and not more:
            return [self._outputs.fill(first, node.value)]
        value = parse_item(node.value, self._scope)
        if more or not isinstance(first, ast.Name):  # the value may read the names
            value = self._scope.hold(value)
        return [item for to in node.targets for item in self._bind(to, value)]

    def _bind(self, target: ast.expr, value: Item) -> list[Statement]:
        if isinstance(target, ast.Name):
            check_name(target.id)
            return self._scope.set(target.id, value)
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(target, value)
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(target)!r} cannot be assigned to.",
            "Assign to plain names; values are never changed in place.",
        )

    def _unpack(self, target: ast.Tuple | ast.List, value: Item) -> list[Statement]:
        given = parts(value)
        names = [item.id for item in ast.walk(target) if isinstance(item, ast.Name)]
        names = [name for name in names if name != "_"]  # what is left out
        if len(set(names)) != len(names) or len(target.elts) != len(given):
            raise ProgramProblemError(
                "shape-mismatch",
                f"{ast.unparse(target)!r} must be as many different names as there are "
                f"values ({len(given)}).",
            )
        pairs = zip(target.elts, given, strict=True)
        return [item for to, part in pairs for item in self._bind(to, part)]

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
        check_name(node.target.id)
        return self._scope.set(node.target.id, value)

    def annotated(self, node: ast.AnnAssign) -> list[Statement]:
        """Parse ``a: float = value``; the annotation is dropped."""
        if node.value is None:
            raise ProgramProblemError("forbidden", "A bare annotation sets nothing.")
        plain = ast.copy_location(ast.Assign([node.target], node.value), node)
        return self.assign(plain)
