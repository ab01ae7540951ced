"""What a function returns: one number, or the same named components on every path."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Protocol

from reward_synth.language.expressions import parse_expression
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Assign, Expr, Name, Return, Statement
from reward_synth.language.operations import dotted
from reward_synth.language.scope import Poison, Scope, SilentProblemError, Table

_FIX = 'Return a dict of named scalars, for example {"reach": reach, "grasp": 0.5}.'
_POTENTIAL = "potential"


class Results(Protocol):
    """What a function gives back."""

    def begin_table(self, node: ast.Assign, /) -> Sequence[Statement]:
        """Take ``components = {...}``."""
        ...

    def fill(self, target: ast.Subscript, value: ast.expr, /) -> Statement:
        """Take ``components["name"] = value``."""
        ...

    def returned(self, node: ast.Return, /) -> Sequence[Statement]:
        """Take one ``return``."""
        ...


class Outputs:
    """Collects the outputs of one function.

    Args:
        scope: The function's names.
        potential: True for ``compute_potential``, which returns one number.
    """

    def __init__(self, scope: Scope, *, potential: bool) -> None:
        self.scope = scope
        self.potential = potential
        self.lines: dict[str, int] = {}
        """Output name to the line where it is first returned."""
        self._kept = 0

    def begin_table(self, node: ast.Assign) -> tuple[Assign, ...]:
        """Take ``components = {...}``, to be filled and returned later."""
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or self.potential:
            raise ProgramProblemError("forbidden", "A dict is only returned.", _FIX)
        table = Table()
        kept = [
            self._keep(table, key, self._component(key, value), value.lineno)
            for key, value in _entries(node.value)
        ]
        self.scope.names[target.id] = table
        return tuple(kept)

    def fill(self, target: ast.Subscript, value: ast.expr) -> Assign:
        """Take ``components["name"] = value``."""
        table = self.scope.names.get(dotted(target.value) or "")
        key = target.slice
        if not isinstance(table, Table):
            raise ProgramProblemError(
                "forbidden",
                f"{ast.unparse(target)!r} changes a value in place.",
                "Build a new vector with np.array([...]) instead.",
            )
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise ProgramProblemError("forbidden", "Component names are plain strings.")
        entry = self._component(key.value, value)
        return self._keep(table, key.value, entry, target.lineno)

    def _keep(self, table: Table, key: str, value: Expr, line: int) -> Assign:
        """Name the value now: what it is made of may be set anew before the return."""
        self._kept += 1
        name = f"__component_{self._kept}"
        table.entries[key] = (Name(name, value.type), line)
        return Assign(name, value)

    def returned(self, node: ast.Return) -> tuple[Return]:
        """Take one ``return``.

        Raises:
            ProgramProblemError: It is not a dict of scalars, or names other components
                than an earlier return.
        """
        if node.value is None:
            raise ProgramProblemError("wrong-return", "Nothing is returned.", _FIX)
        if self.potential:
            value = self._component(_POTENTIAL, node.value)
            self.lines.setdefault(_POTENTIAL, node.lineno)
            return (Return((value,)),)
        entries = self._returned_entries(node.value)
        if not self.lines:
            self.lines = {name: line for name, (_, line) in entries.items()}
        elif set(entries) != set(self.lines):
            raise ProgramProblemError(
                "missing-component",
                f"This return gives {sorted(entries)}, an earlier one "
                f"{sorted(self.lines)}.",
                "Return the same components on every path; 0.0 where one is not earned.",
            )
        return (Return(tuple(entries[name][0] for name in self.lines)),)

    def _returned_entries(self, node: ast.expr) -> dict[str, tuple[Expr, int]]:
        if isinstance(node, ast.Name):
            table = self.scope.names.get(node.id)
            if isinstance(table, Table) and table.entries:
                return table.entries
            if isinstance(table, Poison):
                raise SilentProblemError
        entries = _entries(node)
        if not entries:
            raise ProgramProblemError("missing-component", "The dict is empty.", _FIX)
        return {
            key: (self._component(key, value), value.lineno) for key, value in entries
        }

    def _component(self, key: str, node: ast.expr) -> Expr:
        value = parse_expression(node, self.scope)
        if not value.type.scalar:
            raise ProgramProblemError(
                "shape-mismatch",
                f"Component {key!r} is a {value.type}, but must be one number.",
                "Reduce it, for example with np.sum or np.linalg.norm.",
            )
        return value


def _entries(node: ast.expr) -> list[tuple[str, ast.expr]]:
    if not isinstance(node, ast.Dict):
        raise ProgramProblemError(
            "wrong-return", f"{ast.unparse(node)!r} is not a dict.", _FIX
        )
    entries: list[tuple[str, ast.expr]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise ProgramProblemError(
                "wrong-return", "Component names are plain strings.", _FIX
            )
        entries.append((key.value, value))
    names = [name for name, _ in entries]
    if len(set(names)) != len(names):
        raise ProgramProblemError("wrong-return", "A component is named twice.", _FIX)
    return entries
