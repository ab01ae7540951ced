"""What follows for values where a test holds, or where it does not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from reward_synth.graph import CONST, SELECT, Graph, Node
from reward_synth.intervals.interval import ALL, ANY, Interval

Facts = dict[int, Interval]
"""Node to what it lies in besides."""
_FLIPPED = {
    "less": "greater",
    "less_equal": "greater_equal",
    "greater": "less",
    "greater_equal": "less_equal",
    "equal": "equal",
    "not_equal": "not_equal",
}
_DENIED = {
    "less": "greater_equal",
    "less_equal": "greater",
    "greater": "less_equal",
    "greater_equal": "less",
    "equal": "not_equal",
    "not_equal": "equal",
}


def facts(graph: Graph, known: Sequence[Interval], test: int, truth: bool) -> Facts:
    """Return what is known where ``test`` gives ``truth``.

    Args:
        graph: The graph.
        known: What each node may be anyway.
        test: A node that gives a truth value.
        truth: What it gives.

    Example:
        >>> graph = Graph()
        >>> x = graph.load(("x", 0))
        >>> test = graph.test("greater", (x, graph.const(0.5)))
        >>> known = [Interval(-1.0, 1.0), Interval.point(0.5), Interval(0.0, 1.0)]
        >>> found = facts(graph, known, test, False)
        >>> print(found[x].meet(known[x]))
        [-1, 0.5]
    """
    found: Facts = {}
    todo = [(test, truth)]
    while todo:
        number, wanted = todo.pop()
        node = graph.nodes[number]
        _note(found, number, Interval.point(float(wanted)))
        todo += _parts(graph, node, wanted)
        if node.op in _DENIED:
            _compared(graph, known, node, wanted, found)
        elif node.op in ("isnan", "isfinite"):
            _classified(node, wanted, found)
    return found


def _note(found: Facts, number: int, what: Interval) -> None:
    found[number] = what.meet(found[number]) if number in found else what


def _parts(graph: Graph, node: Node, wanted: bool) -> list[tuple[int, bool]]:
    """Return tests whose outcome follows from that of ``node``."""
    if node.op == "logical_not":
        return [(node.args[0], not wanted)]
    if (node.op, wanted) in (("logical_and", True), ("logical_or", False)):
        return [(item, wanted) for item in node.args]
    if node.op != SELECT:
        return []
    test, yes, no = node.args
    if _is(graph.nodes[yes], not wanted):
        return [(test, False), (no, wanted)]
    if _is(graph.nodes[no], not wanted):
        return [(test, True), (yes, wanted)]
    return []


def _is(node: Node, value: bool) -> bool:
    return node.op == CONST and node.kind == "bool" and node.value == value


def _classified(node: Node, wanted: bool, found: Facts) -> None:
    if node.op == "isfinite" and wanted:
        _note(found, node.args[0], ANY)
    elif node.op == "isnan" and not wanted:
        _note(found, node.args[0], ALL)


def _compared(
    graph: Graph, known: Sequence[Interval], node: Node, wanted: bool, found: Facts
) -> None:
    """A comparison that fails says nothing of one side where the other is NaN."""
    left, right = node.args
    op = node.op if wanted else _DENIED[node.op]
    says_number = wanted == (node.op != "not_equal")
    for side, other, sign in ((left, right, op), (right, left, _FLIPPED[op])):
        if says_number or not known[other].nan:
            limit = _LIMITS[sign](known[other]).or_nan(not says_number)
            for number, what in _behind(graph, side, limit):
                _note(found, number, what)


def _unequal(y: Interval) -> Interval:
    return Interval(ALL.low, ALL.high, hole=y.low == y.high == 0.0)


_LIMITS: dict[str, Callable[[Interval], Interval]] = {
    "less": lambda y: Interval(-math.inf, math.nextafter(y.high, -math.inf)),
    "less_equal": lambda y: Interval(-math.inf, y.high),
    "greater": lambda y: Interval(math.nextafter(y.low, math.inf), math.inf),
    "greater_equal": lambda y: Interval(y.low, math.inf),
    "equal": lambda y: Interval(y.low, y.high, hole=y.hole),
    "not_equal": _unequal,
}
"""``x sign y``: what ``x`` lies in, by what ``y`` does."""


def _behind(graph: Graph, number: int, what: Interval) -> list[tuple[int, Interval]]:
    """Return the fact, and what it says of the value that the node is made of.

    A square above zero is not that of zero; its root is not taken.
    """
    node = graph.nodes[number]
    facts = [(number, what)]
    if node.op == "negative":
        turned = Interval(-what.high, -what.low, what.nan, what.hole)
        return facts + _behind(graph, node.args[0], turned)
    square = node.op == "multiply" and node.args[0] == node.args[1]
    if node.op == "abs" or square:
        ends = (-what.high, what.high) if node.op == "abs" else (-math.inf, math.inf)
        inner = Interval(*ends, what.nan, what.low > 0.0 or what.hole)
        return facts + _behind(graph, node.args[0], inner)
    return facts
