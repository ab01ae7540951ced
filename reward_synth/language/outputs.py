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
_LONGEST = 100
"""Characters of a component's name."""


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
            for key, value in entries(node.value)
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
        entry = self._component(_printable(key.value), value)
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
        given = entries(node)
        if not given:
            raise ProgramProblemError("missing-component", "The dict is empty.", _FIX)
        return {
            key: (self._component(key, value), value.lineno) for key, value in given
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


def _printable(name: str) -> str:
    """Return a component's name; it ends in logs, tables and terminals."""
    if name.isprintable() and 0 < len(name) <= _LONGEST:
        return name
    raise ProgramProblemError(
        "wrong-return",
        f"The name {name[:20]!r} is not 1 to {_LONGEST} printable characters.",
        _FIX,
    )


def is_dict(node: ast.expr) -> bool:
    """Tell whether an expression writes a dict out: ``{...}`` or ``dict(a=...)``."""
    if isinstance(node, ast.Call) and not node.args and node.keywords:
        if not all(item.arg for item in node.keywords):
            return False
        return isinstance(node.func, ast.Name) and node.func.id == "dict"
    return isinstance(node, ast.Dict)


def entries(node: ast.expr) -> list[tuple[str, ast.expr]]:
    """Return the keys and values of a dict that is written out.

    Raises:
        ProgramProblemError: It is none, or a key is not a plain string, or there twice.

    Example:
        >>> [key for key, _ in entries(ast.parse("dict(a=1)", mode="eval").body)]
        ['a']
    """
    if isinstance(node, ast.Call) and is_dict(node):
        named = [(item.arg, item.value) for item in node.keywords]
        return [(name, value) for name, value in named if name is not None]
    if not isinstance(node, ast.Dict):
        raise ProgramProblemError(
            "wrong-return", f"{ast.unparse(node)!r} is not a dict.", _FIX
        )
    found: list[tuple[str, ast.expr]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise ProgramProblemError(
                "wrong-return", "Component names are plain strings.", _FIX
            )
        found.append((_printable(key.value), value))
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ProgramProblemError("wrong-return", "A component is named twice.", _FIX)
    return found
