"""The typed form of a reward program: every shape and index is known before it runs.

Loops are unrolled and helper values named, so what is left is a tree of expressions
and a few statements. The reference (:mod:`reward_synth.language.evaluate`) and the
kernels (:mod:`reward_synth.kernels`) are both made from it; neither sees the text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reward_synth.task import Field

Kind = Literal["float", "bool"]


@dataclass(frozen=True, slots=True)
class Type:
    """Shape and kind of a value; integers are floats here."""

    shape: tuple[int, ...] = ()
    kind: Kind = "float"

    @property
    def size(self) -> int:
        """Number of scalar entries."""
        return math.prod(self.shape)

    @property
    def scalar(self) -> bool:
        """True for shape ``()``."""
        return not self.shape

    def __str__(self) -> str:
        """Return the type as messages show it.

        Example:
            >>> str(Type((3,))), str(Type((), "bool"))
            ('float vector of 3', 'bool')
        """
        if self.scalar:
            return self.kind
        if len(self.shape) == 1:
            return f"{self.kind} vector of {self.shape[0]}"
        return f"{self.kind} array of shape {self.shape}"


FLOAT = Type()
BOOL = Type((), "bool")


@dataclass(frozen=True, slots=True)
class Const:
    """A number or truth value."""

    value: float | bool
    type: Type
    whole: bool = False
    """True if it was written as an integer, so that it can be an index or a bound."""


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter or a local variable."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Op:
    """An operation of the table in :mod:`reward_synth.language.functions`."""

    op: str
    args: tuple[Expr, ...]
    type: Type
    line: int


@dataclass(frozen=True, slots=True)
class Pick:
    """A static selection of entries, by their numbers in C order."""

    value: Expr
    entries: tuple[int, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Stack:
    """Entries of several values, one after the other, in C order."""

    items: tuple[Expr, ...]
    type: Type


Expr: TypeAlias = Const | Name | Op | Pick | Stack


@dataclass(frozen=True, slots=True)
class Assign:
    """``name = value``."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class If:
    """``if test: body else: orelse``."""

    test: Expr
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """Ends the function; one scalar an output, in the order of ``FunctionIR.outputs``."""

    values: tuple[Expr, ...]


Statement: TypeAlias = Assign | If | Return


@dataclass(frozen=True, slots=True)
class FunctionIR:
    """One function of a program."""

    name: str
    """``compute_reward`` or ``compute_potential``."""
    parameters: tuple[tuple[str, Field], ...]
    """Parameter names in order, each with the field that it carries."""
    outputs: tuple[str, ...]
    """Component names; ``("potential",)`` for a potential."""
    output_lines: tuple[int, ...]
    """The line in which each output is first returned."""
    body: tuple[Statement, ...]
    operations: int
    """Scalar operations on the longest unrolled text: the static budget's measure."""


@dataclass(frozen=True, slots=True)
class ProgramIR:
    """A whole program."""

    reward: FunctionIR | None
    potential: FunctionIR | None
