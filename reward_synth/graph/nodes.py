"""One or more programs as a graph of scalar operations without branches.

Vectors are unrolled, every index is static, and ``if`` becomes a selection between the
values of both sides, which is sound because programs are pure. Equal nodes are one node,
within a program and across programs, so shared work is done once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from reward_synth.language import FUNCTIONS, Kind

LOAD, CONST, SELECT = "load", "const", "select"
Entry = tuple[str, int]
"""A parameter's name and the number of one of its entries, in C order."""


@dataclass(frozen=True, slots=True)
class Node:
    """One scalar value."""

    op: str
    """``load``, ``const``, ``select``, or a name of the language's operations."""
    args: tuple[int, ...] = ()
    """Numbers of the nodes that it is computed from."""
    entry: Entry = ("", 0)
    """What a load reads."""
    value: float | bool = 0.0
    """What a constant is."""
    kind: Kind = "float"
    line: int = field(default=0, compare=False)
    """Where the author wrote it first; 0 if nowhere."""


class Graph:
    """Nodes in the order in which they can be computed.

    Example:
        >>> graph = Graph()
        >>> x = graph.load(("x", 0))
        >>> graph.add("add", (x, x)) == graph.add("add", (x, x))
        True
        >>> graph.nodes[graph.add("add", (graph.const(1.0), graph.const(2.0)))].value
        3.0
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._numbers: dict[object, int] = {}

    def load(self, entry: Entry, kind: Kind = "float") -> int:
        """Return the node that reads an entry of a parameter."""
        return self._number(Node(LOAD, entry=entry, kind=kind))

    def const(self, value: float | bool) -> int:
        """Return the node of a constant."""
        kind: Kind = "bool" if isinstance(value, bool) else "float"
        return self._number(Node(CONST, value=value, kind=kind))

    def add(
        self, op: str, args: Sequence[int], *, kind: Kind = "float", line: int = 0
    ) -> int:
        """Return the node of an operation; one on constants is computed now."""
        given = [self.nodes[number] for number in args]
        if all(node.op == CONST for node in given):
            return self._folded(op, [node.value for node in given], kind)
        return self._number(Node(op, tuple(args), kind=kind, line=line))

    def _folded(self, op: str, values: list[float | bool], kind: Kind) -> int:
        with np.errstate(all="ignore"):
            result = FUNCTIONS[op].evaluate(*(np.asarray(item) for item in values))
        return self.const(bool(result) if kind == "bool" else float(result))

    def select(self, test: int, yes: int, no: int, *, line: int = 0) -> int:
        """Return ``yes`` where ``test`` holds, else ``no``."""
        known = self.nodes[test]
        if known.op == CONST:
            return yes if known.value else no
        if yes == no:
            return yes
        kinds = {self.nodes[yes].kind, self.nodes[no].kind}
        if len(kinds) > 1:
            yes, no = self.number(yes), self.number(no)
        kind: Kind = "bool" if kinds == {"bool"} else "float"
        return self._number(Node(SELECT, (test, yes, no), kind=kind, line=line))

    def number(self, node: int) -> int:
        """Return the node as a float: a truth value is 1.0 or 0.0."""
        if self.nodes[node].kind == "float":
            return node
        return self.select(node, self.const(1.0), self.const(0.0))

    def test(self, op: str, args: Sequence[int], line: int = 0) -> int:
        """Return the node of an operation that gives a truth value."""
        return self.add(op, args, kind="bool", line=line)

    def _number(self, node: Node) -> int:
        # 0.0 and -0.0 are equal in Python, NaN is not equal to itself, 1.0 equals True
        exact = (
            (type(node.value), math.copysign(1.0, node.value), repr(node.value))
            if node.op == CONST
            else None
        )
        key = (node.op, node.args, node.entry, exact, node.kind)
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append(node)
        return self._numbers[key]

    def needed(self, outputs: Iterable[int]) -> list[int]:
        """Return the numbers of all nodes that ``outputs`` are made from, in order."""
        wanted = set(outputs)
        for number in range(len(self.nodes) - 1, -1, -1):
            if number in wanted:
                wanted.update(self.nodes[number].args)
        return sorted(wanted)
