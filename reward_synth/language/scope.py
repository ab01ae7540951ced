"""Names of a function while it is parsed: their types, and what cannot be used."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reward_synth.errors import did_you_mean
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.ir import Assign, Const, Expr, Name, Stack, Statement, Type
from reward_synth.language.values import Group, Item

if TYPE_CHECKING:
    from reward_synth.language.arguments import Call

_MADE_UP = re.compile(r"__\d+")
"""Names that are set once."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Helper:
    """A function of the program, put in place where it is called."""

    node: ast.FunctionDef
    home: Scope
    """Where it was defined: the names that it reads and does not set."""
    defaults: dict[str, Item]
    """Values of the parameters that may be left out."""
    library: bool = False
    """True if it comes from :mod:`reward_synth.rotation`."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that was imported for one of the documented functions."""

    spelling: str
    """What the name stands for, with its module: ``math.sqrt``."""


Value = Type | Const | Name | Stack | Group | Helper | Poison | Partial | Table | Alias


class SilentProblemError(Exception):
    """A problem that follows from one that was already reported."""


@dataclass(slots=True)
class Work:
    """What the scopes of one function share while it is parsed."""

    budget: int
    """The most scalar operations that the function may have."""
    operations: int = 0
    """Scalar operations so far."""
    names: int = 0
    """Names made up so far."""
    pending: list[Statement] = field(default_factory=list)
    """What must be computed before the statement that is being parsed."""
    problems: list[Finding] = field(default_factory=list)
    """What was found so far."""
    active: list[ast.FunctionDef] = field(default_factory=list)
    """The helpers that are being put in place, the outermost first."""
    defined: dict[ast.FunctionDef, None] = field(default_factory=dict)
    """The helpers that are defined inside functions."""
    used: set[ast.FunctionDef] = field(default_factory=set)
    """The helpers that were called."""
    inline: Callable[[Helper, Call], Item] | None = None
    """Puts a helper in place of its call; None where there are no statements."""
    unroll: Callable[[ast.ListComp, Scope], Group] | None = None
    """Makes the list of a comprehension; None where there are no statements."""


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
        self.work = Work(budget)
        self.outer: Scope | None = None
        """Where names are looked up that the function never sets."""
        self.own: frozenset[str] = frozenset()
        """Names that the function sets somewhere: Python never looks outside."""
        self.prefix = ""

    def inner(self, own: frozenset[str], work: Work, prefix: str = "") -> Scope:
        """Return the scope of a function that is defined here."""
        scope = Scope(self.task_id, {}, self.available, work.budget)
        scope.work, scope.outer, scope.own, scope.prefix = work, self, own, prefix
        return scope

    @property
    def operations(self) -> int:
        """Scalar operations so far."""
        return self.work.operations

    def charge(self, amount: int) -> None:
        """Count operations.

        Raises:
            ProgramProblemError: The budget is used up.
        """
        work = self.work
        work.operations += max(1, amount)
        if work.operations > work.budget:
            raise ProgramProblemError(
                "too-long",
                f"The program needs more than {work.budget} scalar operations once its "
                "loops are unrolled and its helpers put in place.",
                "Use fewer terms, smaller vectors, or loops with smaller bounds.",
            )

    def fresh(self) -> str:
        """Return a name that no author can write."""
        self.work.names += 1
        return f"__{self.work.names}"

    def hold(self, item: Item) -> Item:
        """Compute a value now, once, whatever its names are set to later."""
        if isinstance(item, Group):
            return Group(tuple(self.hold(part) for part in item.items), item.text)
        return self.held(item)

    def held(self, value: Expr) -> Expr:
        """Compute one number, vector or matrix now, and once."""
        if isinstance(value, Const):
            return value
        if isinstance(value, Name) and _MADE_UP.fullmatch(value.name):
            return value
        name = self.fresh()
        self.work.pending.append(Assign(name, value))
        return Name(name, value.type)

    def known(self, item: Item) -> Const | Name | Group:
        """Return a value, computed now, as a name's value."""
        held = self.hold(item)
        if not isinstance(held, (Const, Name, Group)):  # hold gives nothing else
            raise TypeError(f"{held} is not computed")
        return held

    def set(self, name: str, item: Item) -> list[Statement]:
        """Give a name a value; return the statements that do it."""
        if isinstance(item, Group):
            self.names[name] = self.known(item)
            return []
        self.names[name] = item if isinstance(item, Const) else item.type
        return [Assign(self.prefix + name, item)]

    def helpers(self) -> list[str]:
        """Return the names of the functions that can be called here."""
        outer = self.outer.helpers() if self.outer else []
        own = [name for name, item in self.names.items() if isinstance(item, Helper)]
        return own + outer

    def inline(self, helper: Helper, call: Call) -> Item:
        """Put a helper in place of its call; see :mod:`.inlining`."""
        if self.work.inline is None:
            raise ProgramProblemError(
                "forbidden-call", f"{helper.node.name!r} cannot be called here."
            )
        return self.work.inline(helper, call)

    def find(self, name: str) -> tuple[Value | None, Scope]:
        """Return what ``name`` means here, and the scope that it belongs to."""
        scope = self
        while name not in scope.names and name not in scope.own and scope.outer:
            scope = scope.outer
        return scope.names.get(name), scope

    def entry(self, name: str, key: str) -> Expr:
        """Return what ``name[key]`` gives, for a dict that was filled before.

        Raises:
            ProgramProblemError: It has no such key.
        """
        table, _ = self.find(name)
        known = table.entries if isinstance(table, Table) else {}
        if key not in known:
            raise ProgramProblemError(
                "unknown-name",
                f"{name!r} has no {key!r} here.{did_you_mean(key, known)}",
                f"It has {', '.join(known) or 'nothing yet'}.",
            )
        return known[key][0]

    def is_table(self, name: str) -> bool:
        """Tell whether a name is a dict."""
        return isinstance(self.find(name)[0], Table)

    def look_up(self, name: str) -> Item:
        """Return the value that reading ``name`` gives.

        Raises:
            ProgramProblemError: The name is unknown or not set on every path.
            SilentProblemError: Its assignment was already reported.
        """
        value, scope = self.find(name)
        if isinstance(value, Type):
            return Name(scope.prefix + name, value)
        if isinstance(value, (Const, Name, Stack, Group)):
            return value
        if isinstance(value, Poison):
            raise SilentProblemError
        if value is None:
            raise ProgramProblemError("unknown-name", *self._unknown(name))
        raise ProgramProblemError(*_unreadable(name, value))

    def _unknown(self, name: str) -> tuple[str, str]:
        if name in self.own:
            return (
                f"{name!r} is not set yet here; the function sets it later, so the name "
                "never means anything else in it.",
                "Set it first, or use another name.",
            )
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


def _unreadable(
    name: str, value: Partial | Helper | Table | Alias
) -> tuple[str, str, str]:
    if isinstance(value, Partial):
        return (
            "maybe-unset",
            f"{name!r} {value.why} of the if in line {value.line}.",
            f"Give {name!r} a value before the if, or in both branches.",
        )
    if isinstance(value, (Helper, Alias)):
        return "forbidden", f"{name!r} is a function, not a value.", "Call it."
    return (
        "forbidden",
        f"{name!r} is a dict; it is only filled, read by name, and returned.",
        f'Write {name}["reach"] for one of its numbers.',
    )
