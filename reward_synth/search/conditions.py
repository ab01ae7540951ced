"""Conditions of a success rule as limits on values that a program can write."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reward_synth.intervals import component_bounds
from reward_synth.intervals.components import bounded
from reward_synth.language import parse
from reward_synth.task import Field, TaskSpec

_PLAIN = re.compile(r"^(\w+)(?:\[(\d+)\])?$")
_SIGNS: dict[type[ast.cmpop], bool] = {
    ast.Gt: True,
    ast.GtE: True,
    ast.Lt: False,
    ast.LtE: False,
}
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Limit:
    """One scalar condition of the success rule: ``value >= bound`` or ``<=``."""

    text: str
    """How a program writes the value, for example ``torso_pos[0]``."""
    above: bool
    bound: float
    span: float
    """Typical distance from the bound, to scale with."""


def plain_limits(task: TaskSpec) -> tuple[Limit, ...]:
    """Return conditions on a field or one of its entries, the strictest of each.

    Example:
        >>> task = TaskSpec("T", "go", (Field("x"),), Field("action")).with_success(
        ...     "x >= 2.0 and x**2 < 9.0")
        >>> plain_limits(task)
        (Limit(text='x', above=True, bound=2.0, span=2.0),)
    """
    rule = task.success.rule if task.success else ""
    return _strictest(_plain(rule, task))


def all_limits(task: TaskSpec) -> tuple[Limit, ...]:
    """Return conditions on anything, also computed, the strictest of each.

    Where the rule is a key of ``info``, its description in words is read too, which for
    many environments is the formula.

    Example:
        >>> field = Field("x", low=(-4.0,), high=(4.0,))
        >>> task = TaskSpec("T", "go", (field,), Field("action")).with_success(
        ...     "x >= 2.0 and x**2 < 9.0")
        >>> [(item.text, item.span) for item in all_limits(task)]
        [('x', 6.0), ('(x ** 2)', 9.0)]
    """
    return _strictest(_all(task))


def names_in(text: str) -> set[str]:
    """Return the fields that an expression of a program reads.

    Example:
        >>> sorted(names_in("np.linalg.norm(tcp_pos - goal_pos[:2])"))
        ['goal_pos', 'tcp_pos']
    """
    nodes = ast.walk(ast.parse(text, mode="eval"))
    found = {node.id for node in nodes if isinstance(node, ast.Name)}
    return {name for name in found if name != "np" and not hasattr(builtins, name)}


def _plain(rule: str, task: TaskSpec) -> Iterator[Limit]:
    fields = {item.name: item for item in task.fields}
    for text, above, bound in _comparisons(rule):
        match = _PLAIN.match(text)
        if match is None or match[1] not in fields:
            continue
        item, index = fields[match[1]], match[2]
        if _is_scalar(item, index):
            yield Limit(text, above, bound, _span(item, int(index or 0), bound))


def _all(task: TaskSpec) -> Iterator[Limit]:
    if task.success is None:
        return
    known = {item.name for item in task.fields}
    for rule in (task.success.rule, task.success.words):
        yield from _plain(rule, task)
        for text, above, bound in _comparisons(rule):
            if _PLAIN.match(text) is None and names_in(text) <= known:
                yield Limit(text, above, bound, _computed_span(text, task, bound))


def _comparisons(rule: str) -> Iterator[tuple[str, bool, float]]:
    """Yield value, side and bound of each part that compares with a number."""
    try:
        tree = ast.parse(rule.strip(), mode="eval").body
    except (SyntaxError, ValueError):  # words, not a formula
        return
    for part in _parts(tree):
        match part:
            case ast.Compare(left, [sign], [right]) if type(sign) in _SIGNS:
                above = _SIGNS[type(sign)]
            case _:
                continue
        bound = _number(right)
        if bound is not None:
            yield _written(left), above, bound


def _written(value: ast.expr) -> str:
    text = ast.unparse(value)
    whole = isinstance(value, ast.Name | ast.Subscript | ast.Call)
    return text if whole else f"({text})"


def _parts(rule: ast.expr) -> Iterator[ast.expr]:
    match rule:
        case ast.BoolOp(ast.And(), values):
            for value in values:
                yield from _parts(value)
        case _:
            yield rule


def _number(node: ast.expr) -> float | None:
    try:
        return float(ast.literal_eval(node))
    except (ValueError, TypeError):
        return None


def _is_scalar(item: Field, index: str | None) -> bool:
    if index is None:
        return not item.shape
    return len(item.shape) == 1 and int(index) < item.size


def _strictest(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """Keep one lower and one upper limit of each value."""
    kept: dict[tuple[str, bool], Limit] = {}
    for limit in limits:
        old = kept.get((limit.text, limit.above))
        if old is None or (limit.bound > old.bound) == limit.above:
            kept[limit.text, limit.above] = limit
    return tuple(kept.values())


def _span(item: Field, entry: int, bound: float) -> float:
    low, high = item.range
    if not low:
        return max(1.0, abs(bound))
    return max(abs(bound - low[entry]), abs(high[entry] - bound), _LEAST)


def _computed_span(text: str, task: TaskSpec, bound: float) -> float:
    """Return how far the value can be from the bound, from the ranges of its fields."""
    names = ", ".join(sorted(names_in(text)))
    read = parse(f"def compute_reward({names}):\n    return {{'a': {text}}}", task)
    if read.ir is None or read.ir.reward is None:
        return max(1.0, abs(bound))
    found = component_bounds(read.ir.reward, task, widths=0.0)["a"]
    if not bounded(found):
        return max(1.0, abs(bound))
    return max(abs(bound - found.low), abs(found.high - bound), _LEAST)
