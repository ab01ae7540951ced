"""A function's graph with what its nodes may be, as the checks of ranges need it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property

from reward_synth.checks.report import Examined
from reward_synth.graph import LOAD, SELECT, Graph, Node, add_function
from reward_synth.intervals import Analysis, EntryRange, Interval, entry_ranges

FAR = 10.0
"""By how many widths seen ranges are widened before something is called impossible."""
_NAMED = 3
"""Fields that a message names."""
_WIDENED = "; what was seen is widened by {:g} times its width on both sides"


class Ranged:
    """A function, and what its values may be by the ranges of the task's fields.

    Args:
        examined: The function under examination.
    """

    def __init__(self, examined: Examined) -> None:
        self.examined = examined
        self.graph = Graph()
        self.outputs = add_function(self.graph, examined.function)
        self.nodes = self.graph.needed(self.outputs)
        self.near = self._analysis(1.0)
        self.wide = self._analysis(FAR)

    def _analysis(self, widths: float) -> Analysis:
        ranges = entry_ranges(self.examined.function, self.examined.task, widths=widths)
        given = {entry: item.interval for entry, item in ranges.items()}
        return Analysis(self.graph, given)

    @cached_property
    def ranges(self) -> dict[int, EntryRange]:
        """What is known of each load."""
        ranges = entry_ranges(self.examined.function, self.examined.task)
        return {
            number: ranges[self.graph.nodes[number].entry]
            for number in self.nodes
            if self.graph.nodes[number].op == LOAD
        }

    @cached_property
    def tree(self) -> ast.Module:
        """The program's text, parsed."""
        return ast.parse(self.examined.program.source)

    @cached_property
    def _users(self) -> dict[int, list[int]]:
        users: dict[int, list[int]] = defaultdict(list)
        for number in self.nodes:
            for item in self.graph.nodes[number].args:
                users[item].append(number)
        return users

    @cached_property
    def _unknown(self) -> set[int]:
        """Nodes that depend on a field of which nothing is known."""
        return self._touched(lambda item: not item.known)

    @cached_property
    def _measured(self) -> set[int]:
        return self._touched(lambda item: item.measured)

    def _touched(self, wanted: Callable[[EntryRange], bool]) -> set[int]:
        found = {number for number, item in self.ranges.items() if wanted(item)}
        for number in self.nodes:
            if not found.isdisjoint(self.graph.nodes[number].args):
                found.add(number)
        return found

    def known(self, number: int) -> bool:
        """Tell whether all fields that a node depends on have a range."""
        return number not in self._unknown

    def measured(self, number: int) -> bool:
        """Tell whether a node depends on a range that comes from rollouts."""
        return number in self._measured

    def operations(self) -> Iterator[tuple[int, Node]]:
        """Yield what is computed, with its number."""
        for number in self.nodes:
            yield number, self.graph.nodes[number]

    def loads(self, number: int) -> list[int]:
        """Return the loads that a node depends on."""
        return [item for item in self.graph.needed([number]) if item in self.ranges]

    def reached(self, number: int, harmless: Callable[[int, bool], bool]) -> bool:
        """Tell whether a node takes part in a result otherwise than under a guard.

        Args:
            number: The node.
            harmless: Given a test and its outcome, tells whether this is a guard.
        """
        todo, seen = [number], {number}
        while todo:
            item = todo.pop()
            if item in self.outputs:
                return True
            for user in self._users[item]:
                if user not in seen and not self._guarded(item, user, harmless):
                    seen.add(user)
                    todo.append(user)
        return False

    def _guarded(
        self, item: int, user: int, harmless: Callable[[int, bool], bool]
    ) -> bool:
        node = self.graph.nodes[user]
        if node.op != SELECT:
            return node.op in ("isnan", "isfinite")
        test, yes, no = node.args
        if item == test:
            return False
        return all(
            harmless(test, truth)
            for side, truth in ((yes, True), (no, False))
            if side == item
        )

    def basis(self, number: int, widths: float = 1.0) -> str:
        """Return in words which ranges a statement about a node rests on."""
        analysis = self.near if widths == 1.0 else self.wide
        loads = self.loads(number)
        parts = [f"{self.name(item)} in {analysis[item]}" for item in loads[:_NAMED]]
        if not parts:
            return ""
        more = " and others" if len(loads) > _NAMED else ""
        note = _WIDENED.format(widths) if self.measured(number) else ""
        return f" This takes {', '.join(parts)}{more}{note}."

    def name(self, load: int) -> str:
        """Return how a program writes what a load reads."""
        name, entry = self.graph.nodes[load].entry
        shape = dict(self.examined.function.parameters)[name].shape
        if not shape:
            return name
        place, rest = [], entry
        for size in reversed(shape):
            place.append(rest % size)
            rest //= size
        return f"{name}[{', '.join(map(str, reversed(place)))}]"

    def args(self, number: int) -> list[Interval]:
        """Return what the arguments of a node may be."""
        return [self.near[item] for item in self.graph.nodes[number].args]
