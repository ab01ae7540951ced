"""Puts a helper function in place of its call."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reward_synth.errors import did_you_mean
from reward_synth.language.arguments import Call
from reward_synth.language.expressions import parse_item
from reward_synth.language.finding import Finding, ProgramProblemError
from reward_synth.language.flow import doubling, own_names
from reward_synth.language.ir import Assign, Const, Name, Statement, Type
from reward_synth.language.scope import Helper, Scope, SilentProblemError
from reward_synth.language.statements import StatementParser
from reward_synth.language.values import Group, Item, leaves

_DEEPEST = 20
"""Helpers that call helpers that call helpers."""


def inline(helper: Helper, call: Call) -> Item:
    """Return what a call of a helper gives; its statements become pending.

    Raises:
        ProgramProblemError: The call does not fit, or the helper calls itself.
        SilentProblemError: The helper's own lines have problems; they are reported.
    """
    node, work = helper.node, call.scope.work
    _refuse_recursion(helper, call)
    call.scope.charge(1)
    given = _arguments(helper, call)
    work.used.add(node)
    inner = helper.home.inner(own_names(node), work, f"{call.scope.fresh()}_")
    start: list[Statement] = []
    for name, item in given.items():
        start += inner.set(name, item)
    work.pending += start
    results = _Results(inner, node.name)
    body = _body(helper, call, StatementParser(inner, results, inlined=True))
    work.pending += body
    return results.item()


def _refuse_recursion(helper: Helper, call: Call) -> None:
    active = call.scope.work.active
    if helper.node in active:
        chain = [item.name for item in active[active.index(helper.node) :]]
        raise ProgramProblemError(
            "recursion",
            f"{helper.node.name!r} calls itself"
            + (f" through {', '.join(chain[1:])}." if chain[1:] else "."),
            "Write a loop over a constant range instead.",
        )
    if len(active) >= _DEEPEST:
        raise ProgramProblemError(
            "too-long", f"Helpers call each other more than {_DEEPEST} deep."
        )


def _body(helper: Helper, call: Call, parser: StatementParser) -> Sequence[Statement]:
    work, node = call.scope.work, helper.node
    lines = _without_docstring(node.body)
    if helper.library:
        lines = [_moved(line, call.node.lineno) for line in lines]
    known = len(work.problems)
    work.active.append(node)
    body = parser.block(lines)
    work.active.pop()
    if len(work.problems) > known:
        where = f"In {node.name}(), called in line {call.node.lineno}: "
        found = [_grown(item, lines) for item in work.problems[known:]]
        work.problems[known:] = [_told(item, where) for item in found]
        raise SilentProblemError
    if not body.returns:
        raise ProgramProblemError(
            "missing-return",
            f"{node.name!r} can end without returning anything.",
            "Return a number, a vector or a tuple on every path.",
        )
    return body.statements


def _told(problem: Finding, where: str) -> Finding:
    if problem.message.startswith("In "):
        return problem
    return replace(problem, message=where + problem.message)


def _grown(problem: Finding, lines: list[ast.stmt]) -> Finding:
    """Name the early return that made a helper too long, if there is one."""
    branch = doubling(lines)
    if problem.code != "too-long" or not branch or problem.message.startswith("In "):
        return problem
    message = (
        f"{problem.message} The if in line {branch.lineno} returns on some of its paths "
        "only: what follows it, with the rest of a loop, is put in place twice each time."
    )
    fix = "Assign the result to a name, and return once at the end of the helper."
    return replace(problem, message=message, fix=fix)


def _moved(line: ast.stmt, lineno: int) -> ast.stmt:
    """Return a line of our own as if it stood where it is called."""
    moved = copy.deepcopy(line)
    for node in ast.walk(moved):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.lineno = lineno
    return moved


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if text else body


def _arguments(helper: Helper, call: Call) -> dict[str, Item]:
    """Return the value of each parameter, in order."""
    node, args = helper.node, call.node.args
    places = [item.arg for item in node.args.args]
    names = [*places, *(item.arg for item in node.args.kwonlyargs)]
    if len(args) > len(places):
        raise _misfit(helper, f"takes {len(places)} argument(s), but got {len(args)}")
    given = dict(zip(places, args, strict=False))
    for keyword in call.node.keywords:
        name = keyword.arg or "**"
        if name not in names:
            near = did_you_mean(name, names)
            raise _misfit(helper, f"has no parameter {name!r}", near)
        if name in given:
            raise _misfit(helper, f"is given {name!r} twice")
        given[name] = keyword.value
    late = [name for name in names if name not in given and name not in helper.defaults]
    if late:
        raise _misfit(helper, f"misses {', '.join(map(repr, late))}")
    return {
        name: call.item(given[name]) if name in given else helper.defaults[name]
        for name in names
    }


def _misfit(helper: Helper, what: str, near: str = "") -> ProgramProblemError:
    head = ast.unparse(helper.node.args)
    return ProgramProblemError(
        "wrong-arguments",
        f"{helper.node.name!r} {what}.{near}",
        f"It is {helper.node.name}({head}).",
    )


class _Results:
    """What a helper returns: the same shapes on every path."""

    def __init__(self, scope: Scope, function: str) -> None:
        self._scope = scope
        self._function = function
        self._first: Item | None = None
        self._names: list[str] = []
        self._types: list[Type] = []
        self._count = 0

    def begin_table(self, node: ast.Assign) -> Sequence[Statement]:
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(node)!r}: a helper has no components.",
            "Return a tuple and name its parts where it is called.",
        )

    def fill(self, target: ast.Subscript, _: ast.expr) -> Statement:
        raise ProgramProblemError(
            "forbidden",
            f"{ast.unparse(target)!r} changes a value in place.",
            "Return a new value instead.",
        )

    def returned(self, node: ast.Return) -> Sequence[Statement]:
        if node.value is None or isinstance(node.value, ast.Dict):
            raise ProgramProblemError(
                "wrong-return",
                f"{self._function!r} must return a number, a vector or a tuple.",
                "Return a tuple and name its parts where it is called.",
            )
        item = parse_item(node.value, self._scope)
        if self._first is None:
            self._first = item
            self._types = [leaf.type for leaf in leaves(item)]
            self._names = [self._scope.fresh() for _ in self._types]
        self._compare(item, self._first)
        self._count += 1
        pairs = list(zip(self._names, leaves(item), strict=True))
        self._types = [
            old if old.kind == leaf.type.kind else Type(old.shape)
            for old, leaf in zip(self._types, leaves(item), strict=True)
        ]
        return [Assign(name, leaf) for name, leaf in pairs]

    def _compare(self, item: Item, first: Item) -> None:
        if _outline(item) != _outline(first):
            raise ProgramProblemError(
                "shape-mismatch",
                f"{self._function!r} returns {_shown(item)} here and {_shown(first)} "
                "elsewhere.",
                "Return the same shapes on every path.",
            )

    def item(self) -> Item:
        """Return the result, as names that are set on every path."""
        if self._first is None:  # block() said that every path returns
            raise RuntimeError(f"{self._function} has no return")
        named = iter(zip(self._names, self._types, strict=True))
        return self._named(self._first, named)

    def _named(self, item: Item, named: Iterator[tuple[str, Type]]) -> Item:
        if isinstance(item, Group):
            return Group(
                tuple(self._named(part, named) for part in item.items), item.text
            )
        name, kind = next(named)
        if isinstance(item, Const) and self._count == 1:
            return item
        return Name(name, kind)


def _outline(item: Item) -> object:
    if isinstance(item, Group):
        return [_outline(part) for part in item.items]
    return item.type.shape


def _shown(item: Item) -> str:
    if isinstance(item, Group):
        return f"a tuple of {len(item.items)}"
    return f"a {item.type}"
