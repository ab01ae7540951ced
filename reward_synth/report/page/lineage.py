"""Where programs come from: parents and children, as a list and as a chart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reward_synth.report.data import ProgramData
from reward_synth.report.page.programs import by_digest
from reward_synth.report.page.svg import Axes, tag
from reward_synth.report.words import number, short

_DOT = 3.2
_WIDE, _HIGH = 900, 300
_ROOM = 0.05
"""Share of the scores' range that stays free above and below."""


@dataclass(frozen=True, slots=True)
class Node:
    """A program and its place among its relatives."""

    program: ProgramData
    generation: int
    """Steps from a program without parents, by the first parent."""
    ancestor: bool
    """Whether a chosen program was made from it, or is it."""


def lineage(programs: Sequence[ProgramData]) -> list[Node]:
    """Return every program once, each followed by what was made from it.

    A program of several parents stands under the first one that the report holds.

    Example:
        >>> rows = [ProgramData("b", "", parents=("a",), chosen=True), ProgramData("a", ""),
        ...         ProgramData("c", "", parents=("gone",))]
        >>> [(n.program.digest, n.generation, n.ancestor) for n in lineage(rows)]
        [('a', 0, True), ('b', 1, True), ('c', 0, False)]
    """
    known = by_digest(programs)
    children: dict[str, list[str]] = {digest: [] for digest in known}
    roots: list[str] = []
    for digest, program in known.items():
        parent = _first(program, known)
        (roots if parent is None else children[parent]).append(digest)
    chosen = _ancestors(known)
    seen: dict[str, int] = {}
    for start in (*roots, *known):  # a ring of parents has no root
        _walk(start, children, seen)
    return [Node(known[item], at, item in chosen) for item, at in seen.items()]


def _walk(start: str, children: Mapping[str, list[str]], seen: dict[str, int]) -> None:
    waiting = [(start, 0)]
    while waiting:
        digest, generation = waiting.pop()
        if digest not in seen:
            seen[digest] = generation
            waiting += [(item, generation + 1) for item in reversed(children[digest])]


def _first(program: ProgramData, known: Mapping[str, ProgramData]) -> str | None:
    return next(
        (p for p in program.parents if p in known and p != program.digest), None
    )


def _ancestors(known: Mapping[str, ProgramData]) -> set[str]:
    waiting = [item.digest for item in known.values() if item.chosen]
    found: set[str] = set()
    while waiting:
        digest = waiting.pop()
        if digest in known and digest not in found:
            found.add(digest)
            waiting += known[digest].parents
    return found


def main_score(programs: Sequence[ProgramData]) -> str:
    """Return the name of the score that most programs have; empty if none has one.

    Example:
        >>> main_score([ProgramData("a", "", scores={"screen": 1.0, "trained": 2.0}),
        ...             ProgramData("b", "", scores={"screen": 0.5})])
        'screen'
    """
    names = Counter(
        name
        for item in programs
        for name, value in item.scores.items()
        if math.isfinite(value)
    )
    return names.most_common(1)[0][0] if names else ""


def told_scores(program: ProgramData) -> str:
    """Return a program's scores in words.

    Example:
        >>> told_scores(ProgramData("a", "", scores={"screen": 0.5, "trained": 0.25}))
        'screen 0.5, trained 0.25'
    """
    return ", ".join(
        f"{name} {number(value)}" for name, value in program.scores.items()
    )


def chart(nodes: Sequence[Node]) -> Markup | None:
    """Return scores over generations, with a line from each parent to its child."""
    name = main_score([node.program for node in nodes])
    score = {
        node.program.digest: node.program.scores.get(name, math.nan) for node in nodes
    }
    shown = [node for node in nodes if math.isfinite(score[node.program.digest])]
    if not shown:
        return None
    known = {node.program.digest: node for node in shown}
    last = max(node.generation for node in shown)
    low, high = (f(score[d] for d in known) for f in (min, max))
    room = _ROOM * (high - low)
    axes = Axes(_WIDE, _HIGH, (-0.3, last + 0.3), (low - room, high + room))
    spots = {
        d: _spot(axes, node, score[d], i) for i, (d, node) in enumerate(known.items())
    }
    lines = [
        _edge(spots[parent], spots[digest], node.ancestor and known[parent].ancestor)
        for digest, node in known.items()
        for parent in node.program.parents
        if parent in spots
    ]
    dots = [_dot(node, *spots[digest]) for digest, node in known.items()]
    frame = axes.frame(_whole, number, "generation", most_x=min(12, last + 1))
    label = f"Scores ({name}) of {len(shown)} programs over {last + 1} generations."
    return axes.drawn(
        frame, tag("g", *lines), tag("g", *dots), label=label, class_="chart wide"
    )


def _whole(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else ""


def _spot(axes: Axes, node: Node, score: float, index: int) -> tuple[float, float]:
    """Return a program's place; those of one generation stand side by side."""
    aside = (index * 0.618 % 1 - 0.5) * 0.4
    return axes.x(node.generation + aside), axes.y(score)


def _edge(
    start: tuple[float, float], end: tuple[float, float], ancestor: bool
) -> Markup:
    (x1, y1), (x2, y2) = start, end
    return tag(
        "line", x1=x1, y1=y1, x2=x2, y2=y2, class_="edge own" if ancestor else "edge"
    )


def _dot(node: Node, x: float, y: float) -> Markup:
    kind = "chosen" if node.program.chosen else "own" if node.ancestor else ""
    words = f"{short(node.program.digest)}: {told_scores(node.program)}"
    size = 2 * _DOT if node.program.chosen else _DOT
    title = tag("title", words)
    return tag("circle", title, cx=x, cy=y, r=size, class_=f"dot {kind}".strip())
