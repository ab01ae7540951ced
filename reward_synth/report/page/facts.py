"""The verdict as three short answers: which design, by how much, how surely."""

from __future__ import annotations

from collections.abc import Sequence

from reward_synth.report.summary import Pair, Summary
from reward_synth.report.words import percent, plural

_MINUS = "\N{MINUS SIGN}"
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
    shared = plural(len(nearest.tasks), "shared task")
    score = f"{percent(nearest.of_a)} success ({nearest.statistic} of {shared})"
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
    points = f"{_points(gap.value)} points"
    if not gap.known:
        return points, f"over {nearest.b}"
    ends = f"{_points(gap.low)} to {_points(gap.high)}"
    return points, f"over {nearest.b}; 95 % interval {ends}"


def _points(share: float) -> str:
    """Return a difference of shares in points, with its sign.

    Example:
        >>> _points(0.1), _points(0.004), _points(0.0), _points(-0.06) == f"{_MINUS}6"
        ('+10', '+0.4', '0', True)
    """
    points = 100 * share
    digits = 1 if abs(points) < 1 else 0
    told = f"{points:+.{digits}f}"
    return "0" if float(told) == 0 else told.replace("-", _MINUS)


def _doubt(pairs: Sequence[Pair], nearest: Pair) -> str:
    """Return who may be as good, or how often the nearest rival is beaten."""
    open_to = [pair.b for pair in pairs if not _beaten(pair)]
    if not open_to:
        chance = f"{nearest.improvement.value:.2f}"
        return f"no interval holds 0; beats {nearest.b} with probability {chance}"
    named, more = open_to[:_NAMED], len(open_to) - _NAMED
    rest = f" and {plural(more, 'other')}" if more > 0 else ""
    return f"not told apart from {', '.join(named)}{rest}"


def _beaten(pair: Pair) -> bool:
    return pair.sure and pair.difference.value > 0.0
