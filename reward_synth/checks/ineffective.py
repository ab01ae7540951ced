"""Parts of a program that have no effect, or too much, by the ranges of fields."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from reward_synth.checks.quoted import quoted
from reward_synth.checks.ranged import FAR, Ranged
from reward_synth.graph import CONST, SELECT, Node
from reward_synth.intervals import Interval, bounded
from reward_synth.language import Finding
from reward_synth.language.functions import COMPARE

_FLAT = 4.0
"""From here on tanh is within a thousandth of 1."""
_TINY = 1e-3
"""Tests against a threshold of this size or less are guards, which do no harm."""
_APART = 100.0
_PEAKS = ("divide", "exp", "expm1", "power", "sinh", "cosh")
"""Operations that are far larger in few states than in most."""


def saturated(ranged: Ranged) -> Iterator[Finding]:
    """Yield tanh of what is always far from zero, in all places that a line stands for."""
    for line, numbers in _lines(ranged, ("tanh",)).items():
        arguments = [ranged.graph.nodes[number].args[0] for number in numbers]
        if not all(_is_flat(ranged.wide[item]) for item in arguments):
            continue
        argument, sure = arguments[0], not any(map(ranged.measured, numbers))
        yield Finding(
            "warning" if sure else "note",
            "saturated",
            "tanh is flat here, so the term hardly changes: its argument"
            f"{quoted(ranged.tree, line, 'tanh')} lies in {ranged.wide[argument]}."
            f"{ranged.basis(argument, FAR)}",
            "Subtract an offset from the argument, or scale it to about [-2, 2].",
            line,
        )


def _is_flat(argument: Interval) -> bool:
    return not argument.empty and (argument.low >= _FLAT or argument.high <= -_FLAT)


def _lines(ranged: Ranged, ops: Collection[str]) -> dict[int, list[int]]:
    """Return operations by line: loops, helpers and vectors make several of one."""
    found: dict[int, list[int]] = {}
    for number, node in ranged.operations():
        if node.op in ops and node.line:
            found.setdefault(node.line, []).append(number)
    return found


def decided(ranged: Ranged) -> Iterator[Finding]:
    """Yield lines all of whose comparisons have the same outcome in every state."""
    for line, numbers in _lines(ranged, COMPARE).items():
        written = [item for item in numbers if not _is_implied(ranged, item)]
        if not written or not all(ranged.wide[item].constant for item in written):
            continue
        number = min(written, key=lambda item: (ranged.wide[item].low, item))
        truth = "true" if ranged.wide[number].low else "false"
        node = ranged.graph.nodes[number]
        sure = not (ranged.measured(number) or _is_guard(ranged, node))
        left, right = (ranged.wide[item] for item in node.args)
        yield Finding(
            "warning" if sure else "note",
            "unreachable",
            f"The comparison{quoted(ranged.tree, line, 'compare')} is always {truth}, so "
            f"one side never counts: the left lies in {left}, the right in {right}."
            f"{ranged.basis(number, FAR)}",
            "Choose a threshold inside the range, or drop the test.",
            line,
        )


def _is_implied(ranged: Ranged, number: int) -> bool:
    """Tell whether nobody wrote it to choose: min, max, and guards against infinity."""
    node = ranged.graph.nodes[number]
    sides = [ranged.graph.nodes[item] for item in node.args]
    infinite = any(side.op == CONST and math.isinf(side.value) for side in sides)
    return infinite or _limits(ranged, number, node)


def _limits(ranged: Ranged, number: int, node: Node) -> bool:
    return any(
        other.op == SELECT
        and other.args[0] == number
        and set(other.args[1:]) == set(node.args)
        for _, other in ranged.operations()
    )


def _is_guard(ranged: Ranged, node: Node) -> bool:
    sides = [ranged.graph.nodes[item] for item in node.args]
    return any(side.op == CONST and abs(side.value) <= _TINY for side in sides)


def constant(ranged: Ranged) -> Iterator[Finding]:
    """Yield components that read fields and yet are one number."""
    for index, number in enumerate(ranged.outputs):
        found = ranged.wide[number]
        if found.constant and ranged.loads(number) and ranged.known(number):
            yield Finding(
                "note",
                "never-changes",
                f"{ranged.examined.function.outputs[index]!r} is "
                f"{found.low + 0.0:.4g} in every state.{ranged.basis(number, FAR)}",
                "Drop it, or let it depend on fields within their ranges.",
                ranged.examined.line(index),
            )


def peaked(ranged: Ranged) -> Iterator[Finding]:
    """Yield components that can drown the others in rare states.

    Those that are too large in most states are found on real steps, see
    :func:`reward_synth.checks.behaviour.in_scale`.
    """
    found = [ranged.near[number] for number in ranged.outputs]
    if not all(map(bounded, found)):
        return
    for index, number in enumerate(ranged.outputs):
        size = found[index].size
        others = sum(item.size for item in found) - size
        if others == 0.0 or size <= _APART * others or not _has_peak(ranged, number):
            continue
        yield Finding(
            "note",
            "may-dominate",
            f"{ranged.examined.function.outputs[index]!r} can reach a size of "
            f"{size:.3g}, all others together {others:.3g}.{ranged.basis(number)}",
            "Limit it, for example with np.minimum, np.clip or np.tanh.",
            ranged.examined.line(index),
        )


def _has_peak(ranged: Ranged, number: int) -> bool:
    return ranged.known(number) and any(
        _is_peak(ranged, item) for item in ranged.graph.needed([number])
    )


def _is_peak(ranged: Ranged, number: int) -> bool:
    node = ranged.graph.nodes[number]
    if node.op not in _PEAKS or ranged.near[number].size <= _APART:
        return False
    return node.op != "divide" or ranged.graph.nodes[node.args[1]].op != CONST


def unbounded(ranged: Ranged) -> Iterator[Finding]:
    """Yield the first component that grows with a field that has no bound."""
    for index, number in enumerate(ranged.outputs):
        loads = ranged.loads(number)
        free = [item for item in loads if ranged.ranges[item].free]
        told = all(ranged.ranges[i].known or ranged.ranges[i].free for i in loads)
        if bounded(ranged.near[number]) or not (free and told):
            continue
        yield Finding(
            "note",
            "unbounded",
            f"The total has no bound: {ranged.examined.function.outputs[index]!r} grows "
            f"with {ranged.name(free[0])}, which is declared without one.",
            "Limit it, for example with np.tanh or np.clip.",
            ranged.examined.line(index),
        )
        return
