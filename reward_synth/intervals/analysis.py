"""What every node of a graph may be, from what the parameters may be; nothing runs.

Every operation is replaced by its effect on intervals. Three things make the result
sharp enough to be of use: a value that is multiplied with itself is not below zero, a
value that is divided by its own length is at most 1, and each side of a selection is
looked at under what its test says.
"""

from __future__ import annotations

from collections.abc import Mapping

from reward_synth.graph import CONST, LOAD, SELECT, Entry, Graph, Node
from reward_synth.intervals.facts import facts
from reward_synth.intervals.interval import ANY, NEVER, Interval
from reward_synth.intervals.operations import operation

__all__ = ["ANY", "Analysis", "Interval", "bounds"]
_MOST_CASES = 128
"""Outcomes of tests that are looked at in detail; the work grows with each."""
_SHARE = Interval(-1.0, 1.0, nan=True)
"""What a part of a whole is, where it is a number."""


def bounds(graph: Graph, ranges: Mapping[Entry, Interval]) -> list[Interval]:
    """Return what each node may be, up to the rounding of its last digits.

    Args:
        graph: The graph.
        ranges: What the entries of parameters may be; others are any finite numbers.

    Example:
        >>> graph = Graph()
        >>> x = graph.load(("x", 0))
        >>> half = graph.add("divide", (graph.const(1.0), x))
        >>> test = graph.test("greater", (x, graph.const(0.5)))
        >>> safe = graph.select(test, half, graph.const(0.0))
        >>> found = bounds(graph, {("x", 0): Interval(0.0, 4.0)})
        >>> print(found[half], found[safe])
        [-inf, inf] [0, 2]
    """
    return Analysis(graph, ranges).known


class Analysis:
    """What nodes may be, everywhere and where a test gives a certain outcome.

    Args:
        graph: The graph; it must not grow afterwards.
        ranges: As for :func:`bounds`.

    Example:
        >>> graph = Graph()
        >>> x = graph.load(("x", 0))
        >>> test = graph.test("greater", (x, graph.const(0.5)))
        >>> analysis = Analysis(graph, {("x", 0): Interval(0.0, 4.0)})
        >>> print(analysis.known[x], analysis.where(test, False, x))
        [0, 4] [0, 0.5]
    """

    def __init__(self, graph: Graph, ranges: Mapping[Entry, Interval]) -> None:
        self.graph = graph
        self.known: list[Interval] = []
        self._ranges = ranges
        self._cases: dict[tuple[int, bool], _Case] = {}
        for node in graph.nodes:
            self.known.append(self._of(node))

    def __getitem__(self, number: int) -> Interval:
        """Return what a node may be anywhere."""
        return self.known[number]

    def where(self, test: int, truth: bool, number: int) -> Interval:
        """Return what a node may be where ``test`` gives ``truth``."""
        key = test, truth
        if key not in self._cases:
            if len(self._cases) == _MOST_CASES:
                return self.known[number]
            self._cases[key] = _Case(self, test, truth)
        return self._cases[key].of(number)

    def _of(self, node: Node) -> Interval:
        if node.op == CONST:
            return Interval.point(float(node.value))
        if node.op == LOAD:
            return self._ranges.get(node.entry, ANY)
        if node.op != SELECT:
            return _computed(self.graph, node, self)
        test, yes, no = node.args
        return _either(
            self.known[test], self.where(test, True, yes), self.where(test, False, no)
        )


class _Case:
    """What nodes may be where a test gives a certain outcome, as far as was asked."""

    def __init__(self, analysis: Analysis, test: int, truth: bool) -> None:
        self._analysis = analysis
        self._facts = facts(analysis.graph, analysis.known, test, truth)
        self._next = min(self._facts)
        self._changed: dict[int, Interval] = {}

    def __getitem__(self, number: int) -> Interval:
        return self._changed.get(number, self._analysis.known[number])

    def of(self, number: int) -> Interval:
        for item in range(self._next, number + 1):
            self._visit(item)
        self._next = max(self._next, number + 1)
        return self[number]

    def _visit(self, number: int) -> None:
        """Compute a node again if a fact is about it or about what it is made of."""
        node = self._analysis.graph.nodes[number]
        value = before = self._analysis.known[number]
        if any(item in self._changed for item in node.args):
            value = value.meet(self._again(node))
        if number in self._facts:
            value = value.meet(self._facts[number])
        if value != before:
            self._changed[number] = value

    def _again(self, node: Node) -> Interval:
        if node.op != SELECT:
            return _computed(self._analysis.graph, node, self)
        return _either(*(self[item] for item in node.args))


Known = Analysis | _Case


def _either(test: Interval, yes: Interval, no: Interval) -> Interval:
    result = yes if test.high > 0.0 else NEVER
    return result.join(no) if test.low < 1.0 else result


def _computed(graph: Graph, node: Node, known: Known) -> Interval:
    args = [known[item] for item in node.args]
    same = len(args) > 1 and node.args[0] == node.args[1]
    result = operation(node.op, args, same=same)
    if node.op == "divide" and args[1].low > 0.0 and _is_part(graph, node, known):
        return result.meet(_SHARE)
    return result


def _is_part(graph: Graph, node: Node, known: Known) -> bool:
    """Tell whether a positive divisor is plainly no smaller than what it divides."""
    part, whole = node.args
    todo = [(whole, False)]
    while todo:
        number, squared = todo.pop()
        found = graph.nodes[number]
        if _is_size(found, part, squared) or (
            number == part and known[part].low >= 0.0 and not squared
        ):
            return True
        if found.op == "sqrt" and not squared:
            todo.append((found.args[0], True))
        elif found.op == "maximum":
            todo += [(item, squared) for item in found.args]
        elif found.op == "add":
            a, b = found.args
            todo += [(a, squared)] * (known[b].low >= 0.0)
            todo += [(b, squared)] * (known[a].low >= 0.0)
    return False


def _is_size(node: Node, value: int, squared: bool) -> bool:
    if squared:
        return node.op == "multiply" and node.args == (value, value)
    return node.op in ("abs", "hypot") and value in node.args
