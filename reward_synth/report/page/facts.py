"""The verdict as three short answers: which design, by how much, how surely."""

from __future__ import annotations

from collections.abc import Sequence

from reward_synth.report.summary import Pair, Summary
from reward_synth.report.words import percent, plural, points

_NAMED = 2
"""Rivals that are named; more are counted."""
Fact = tuple[str, str, str]
"""A question, its answer in a word, and what stands behind it."""


def facts(summary: Summary) -> list[Fact]:
    """Return three answers; none where there is nothing to compare.

    Example:
        >>> facts(Summary())
        []
    """
    pairs = _against(summary)
    if not pairs:
        return []
    nearest = max(pairs, key=lambda pair: pair.of_b)
    won = bool(summary.winner)
    shared = plural(len(nearest.tasks), "task")
    score = f"{percent(nearest.of_a)} success ({nearest.statistic}, {shared})"
    if summary.level:
        names = ", ".join([summary.leader, *summary.level])
        return [
            ("Ahead", "none", f"{names}: {score}"),
            ("By", *_lead(nearest)),
            ("Sure?", "no", _doubt(pairs, nearest)),
        ]
    return [
        ("Won" if won else "Ahead", summary.leader, score),
        ("By", *_lead(nearest)),
        ("Sure?", "yes" if won else "no", _doubt(pairs, nearest)),
    ]


def _against(summary: Summary) -> list[Pair]:
    """Return the leader's comparisons with every other design."""
    found = [summary.pair(summary.leader, item.name) for item in summary.designs]
    return [pair for pair in found if pair is not None]


def _lead(nearest: Pair) -> tuple[str, str]:
    gap = nearest.difference
    lead = f"{points(gap.value)} points"
    if not gap.known:
        return lead, f"of success over {nearest.b}"
    ends = f"{points(gap.low)} to {points(gap.high)}"
    return lead, f"of success over {nearest.b}; with other seeds {ends} (95 % interval)"


def _doubt(pairs: Sequence[Pair], nearest: Pair) -> str:
    """Return who may be as good, or how often the nearest rival is beaten."""
    open_to = [pair.b for pair in pairs if not _beaten(pair)]
    if not open_to:
        chance = f"{nearest.improvement.value:.2f}"
        return (
            "ahead of every other design also with other seeds, as far as 95 % intervals "
            f"tell; one training beats one of {nearest.b} with probability {chance}"
        )
    named, more = open_to[:_NAMED], len(open_to) - _NAMED
    rest = f" and {plural(more, 'other')}" if more > 0 else ""
    return f"may be as good: {', '.join(named)}{rest}"


def _beaten(pair: Pair) -> bool:
    return pair.sure and pair.difference.value > 0.0
