"""A call under examination, and what its arguments are."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Expr
from reward_synth.language.operations import dotted
from reward_synth.language.scope import Scope
from reward_synth.language.values import Item, as_value, as_vector


@dataclass(frozen=True, slots=True)
class Call:
    """A call, with the parsers that its arguments need."""

    node: ast.Call
    scope: Scope
    parse: Callable[[ast.expr, Scope], Item]
    static_int: Callable[[ast.expr, Scope], int]

    @property
    def name(self) -> str:
        """The function, as the author wrote it."""
        return dotted(self.node.func) or ast.unparse(self.node.func)

    def item(self, node: ast.expr) -> Item:
        """Return an argument that may be a tuple or a list."""
        return self.parse(node, self.scope)

    def value(self, node: ast.expr) -> Expr:
        """Return an argument that Python computes with."""
        return as_value(self.item(node))

    def vector(self, node: ast.expr) -> Expr:
        """Return an argument as NumPy's functions see it: a list is a vector."""
        return as_vector(self.item(node))

    def integer(self, node: ast.expr) -> int:
        """Return an argument that is known before the program runs."""
        return self.static_int(node, self.scope)

    def vectors(self) -> list[Expr]:
        """Return all positional arguments as NumPy sees them."""
        return [self.vector(item) for item in self.node.args]

    def named(self, rest: list[ast.expr], *names: str) -> dict[str, ast.expr]:
        """Return the given arguments by name, without those that are None.

        Args:
            rest: Positional arguments that are not read yet.
            names: Their names in order; only these are keywords, too.

        Raises:
            ProgramProblemError: There are more, others, or one twice.
        """
        if len(rest) > len(names):
            raise ProgramProblemError(
                "wrong-arguments", f"{self.name} is given too many arguments here."
            )
        found = dict(zip(names, rest, strict=False))
        for keyword in self.node.keywords:
            if keyword.arg not in names:
                raise self.forbidden(keyword)
            if keyword.arg in found:
                raise ProgramProblemError(
                    "wrong-arguments", f"{self.name} is given {keyword.arg!r} twice."
                )
            found[keyword.arg] = keyword.value
        return {name: node for name, node in found.items() if not _none(node)}

    def forbidden(self, keyword: ast.keyword) -> ProgramProblemError:
        """Return the refusal of a keyword."""
        fixes = {"keepdims": "Leave it out and write [:, None] after the call."}
        return ProgramProblemError(
            "forbidden-keyword",
            f"{self.name} with {ast.unparse(keyword)!r} is not part of the language.",
            fixes.get(
                keyword.arg or "", "Leave it out; select entries by index instead."
            ),
        )

    def refuse_keywords(self, *allowed: str) -> None:
        """Refuse all keywords but ``allowed``.

        Raises:
            ProgramProblemError: There is another one.
        """
        for keyword in self.node.keywords:
            if keyword.arg not in allowed:
                raise self.forbidden(keyword)


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
