"""Names of a function while it is parsed: their types, and what cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reward_synth.errors import did_you_mean
from reward_synth.language.finding import ProgramProblemError
from reward_synth.language.ir import Const, Expr, Name, Type


@dataclass(frozen=True, slots=True)
class Poison:
    """A name whose assignment was already reported: its uses stay silent."""


@dataclass(frozen=True, slots=True)
class Partial:
    """A name that cannot be used after an ``if``."""

    line: int
    """The line of the ``if``."""
    why: str = "is set in only one branch"
    """What the branches did to it."""


@dataclass(slots=True)
class Table:
    """A dict of components that the author builds before returning it."""

    entries: dict[str, tuple[Expr, int]] = field(default_factory=dict)


Value = Type | Const | Poison | Partial | Table


class SilentProblemError(Exception):
    """A problem that follows from one that was already reported."""


class Scope:
    """Maps names to what is known of them; also counts scalar operations.

    Args:
        task_id: For messages.
        parameters: The function's own parameters.
        available: Every parameter name that the task offers, for messages.
        budget: The most scalar operations that a function may have.
    """

    def __init__(
        self,
        task_id: str,
        parameters: dict[str, Value],
        available: Iterable[str],
        budget: int,
    ) -> None:
        self.names: dict[str, Value] = dict(parameters)
        self.task_id = task_id
        self.available = tuple(available)
        self.budget = budget
        self.operations = 0

    def charge(self, amount: int) -> None:
        """Count operations.

        Raises:
            ProgramProblemError: The budget is used up.
        """
        self.operations += max(1, amount)
        if self.operations > self.budget:
            raise ProgramProblemError(
                "too-long",
                f"The program needs more than {self.budget} scalar operations once its "
                "loops are unrolled.",
                "Use fewer terms, smaller vectors, or loops with smaller bounds.",
            )

    def look_up(self, name: str) -> Expr:
        """Return the expression that reading ``name`` gives.

        Raises:
            ProgramProblemError: The name is unknown or not set on every path.
            SilentProblemError: Its assignment was already reported.
        """
        value = self.names.get(name)
        if isinstance(value, Type):
            return Name(name, value)
        if isinstance(value, Const):
            return value
        if isinstance(value, Poison):
            raise SilentProblemError
        if isinstance(value, Partial):
            raise ProgramProblemError(
                "maybe-unset",
                f"{name!r} {value.why} of the if in line {value.line}.",
                f"Give {name!r} a value before the if, or in both branches.",
            )
        if isinstance(value, Table):
            raise ProgramProblemError(
                "forbidden",
                f"{name!r} is the dict of components; it can only be filled and returned.",
            )
        raise ProgramProblemError("unknown-name", *self._unknown(name))

    def _unknown(self, name: str) -> tuple[str, str]:
        if name in self.available:
            return (
                f"{name!r} is a field of the task, but not a parameter.",
                f"Add {name!r} to the function's parameters.",
            )
        near = did_you_mean(name, [*self.names, *self.available])
        return f"There is no {name!r} here.{near}", "Use parameters and own variables."

    def fork(self) -> dict[str, Value]:
        """Return a copy of the names, to parse a branch with."""
        return {
            name: Table(dict(value.entries)) if isinstance(value, Table) else value
            for name, value in self.names.items()
        }


def join(
    first: dict[str, Value], second: dict[str, Value], line: int
) -> dict[str, Value]:
    """Return what is known after an ``if`` whose branches left these names.

    Example:
        >>> both = join({"a": Type(), "b": Type()}, {"a": Type()}, line=4)
        >>> both["a"], both["b"].why
        (Type(shape=(), kind='float'), 'is set in only one branch')
    """
    return {
        name: _join(name, first.get(name), second.get(name), line)
        for name in {**first, **second}
    }


def _join(name: str, a: Value | None, b: Value | None, line: int) -> Value:
    if a is None or b is None:
        return Partial(line)
    for value in (a, b):
        if isinstance(value, (Poison, Partial)):
            return value
    if a == b:
        return a
    left = a.type if isinstance(a, Const) else a
    right = b.type if isinstance(b, Const) else b
    if isinstance(left, Type) and isinstance(right, Type):
        return _common_type(left, right, line)
    raise ProgramProblemError(
        "forbidden",
        f"The dict {name!r} is filled differently in the two branches.",
        "Compute the values in the branches; fill the dict after them.",
    )


def _common_type(left: Type, right: Type, line: int) -> Value:
    if left.shape != right.shape:
        return Partial(line, f"is a {left} in one branch and a {right} in the other")
    return left if left.kind == right.kind else Type(left.shape)
