"""Cuts a large graph into stages: short loops over the same few states, in turn.

A loop with the operations of many programs keeps more numbers at once than there are
registers, and a compiler takes long over it; loops of their own would compute again what
programs share. Stages run over a tile of states each. What a stage leaves for later ones
lies in a small array, the room, which stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reward_synth.graph import CONST, Graph

Slots = tuple[tuple[int, int], ...]
"""Numbers of nodes, each with its row in the room."""
MOST_IN_STAGE = 800
"""Instructions of a state from which a new stage is begun."""
MOST_STORED = 24
"""Outputs from which a new stage is begun: each is a stream of writes."""
ROOM = 512 * 1024
"""Bytes of the room: more than the nearest cache, a part of the next."""
_LEAST_TILE, _MOST_TILE = 32, 2048
_STEP = 32
"""States of a tile are a multiple: of all widths of SIMD instructions."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one loop computes."""

    numbers: tuple[int, ...]
    """Nodes in the order in which they are computed; constants may be left out."""
    stored: tuple[int, ...]
    """Outputs that are ready here, by their rows."""
    read: Slots = ()
    """What earlier stages left."""
    kept: Slots = ()
    """What is left for later ones."""


@dataclass(frozen=True, slots=True)
class Stages:
    """A graph in parts that are computed one after the other."""

    items: tuple[Stage, ...]
    slots: int = 0
    """Rows of the room."""
    tile: int = 0
    """States that each stage takes at once."""

    @property
    def room(self) -> int:
        """Numbers that the stages leave for each other; 0 for a single stage."""
        return self.slots * self.tile


def whole(graph: Graph, outputs: Sequence[int]) -> Stages:
    """Return a graph as a single stage."""
    numbers = tuple(graph.needed(outputs))
    return Stages((Stage(numbers, tuple(range(len(outputs)))),))


def staged(
    graph: Graph,
    outputs: Sequence[int],
    bytes_each: int,
    weigh: Callable[[str], int],
) -> Stages:
    """Return a graph in stages, or in one if it is small.

    Args:
        graph: What is computed.
        outputs: Nodes that are wanted.
        bytes_each: Of one number.
        weigh: Operation to how many instructions it is.

    Example:
        >>> graph = Graph()
        >>> square = graph.add("multiply", (graph.load(("x", 0)),) * 2)
        >>> outputs = [graph.add("exp", (square,)), graph.add("log", (square,))]
        >>> [stage.numbers for stage in staged(graph, outputs, 8, lambda op: 500).items]
        [(0,), (1,), (2,), (3,)]
    """
    parts = _parts(graph, outputs, weigh)
    if len(parts) == 1:
        return whole(graph, outputs)
    return _joined(graph, outputs, parts, bytes_each)


def _parts(
    graph: Graph, outputs: Sequence[int], weigh: Callable[[str], int]
) -> list[list[int]]:
    """Return the nodes but constants, cut where a stage has enough."""
    rows = {node: outputs.count(node) for node in set(outputs)}
    parts: list[list[int]] = [[]]
    weight = stored = 0
    for number in graph.needed(outputs):
        op = graph.nodes[number].op
        if op == CONST:
            continue
        more, row = weigh(op), rows.get(number, 0)
        full = weight + more > MOST_IN_STAGE or stored + row > MOST_STORED
        if parts[-1] and full:
            parts.append([])
            weight = stored = 0
        parts[-1].append(number)
        weight, stored = weight + more, stored + row
    return parts


def _joined(
    graph: Graph, outputs: Sequence[int], parts: list[list[int]], bytes_each: int
) -> Stages:
    """Give each value that a later part needs a row of the room."""
    home = {number: place for place, part in enumerate(parts) for number in part}
    last = len(parts) - 1  # constants that are outputs are written by the last stage
    rows: list[list[int]] = [[] for _ in parts]
    for row, node in enumerate(outputs):
        rows[home.get(node, last)].append(row)
    strange = [_strange(graph, part) & home.keys() for part in parts]
    slots = {number: slot for slot, number in enumerate(sorted(set().union(*strange)))}
    items = tuple(
        Stage(tuple(part), tuple(stored), _slots(slots, read), _slots(slots, part))
        for part, stored, read in zip(parts, rows, strange, strict=True)
    )
    fits = ROOM // (max(1, len(slots)) * bytes_each) // _STEP * _STEP
    return Stages(items, len(slots), max(_LEAST_TILE, min(_MOST_TILE, fits)))


def _strange(graph: Graph, part: Sequence[int]) -> set[int]:
    """Return what a part needs and does not compute."""
    needed = {item for number in part for item in graph.nodes[number].args}
    return needed - set(part)


def _slots(slots: Mapping[int, int], numbers: Iterable[int]) -> Slots:
    return tuple(
        (number, slots[number]) for number in sorted(numbers) if number in slots
    )
