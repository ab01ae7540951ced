"""Grades a whole answer.

The laws, each a property test in ``tests/verify/test_laws.py``:

* what is expected scores 1, and nothing more; every score lies in ``[-penalty, 1]``;
* adding a call never raises the score if it repeats one (unless that is expected again),
  or if no expected call of its name is without a partner;
* leaving out a right call never raises it, unless its tool was called more often than
  asked for and is expected more than once: such answers are guesses, and are scored by
  their least favourable reading (:func:`~reward_synth.verify.matching.least_favourable`);
  or unless an order is expected, and the call stands in the wrong place;
* calling where no call is expected scores below abstaining.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from reward_synth.verify.calls import Expected, GoldCall, ToolCall
from reward_synth.verify.matching import (
    Pairs,
    best_assignment,
    least_favourable,
    longest_rising,
)
from reward_synth.verify.policy import Policy
from reward_synth.verify.quality import CallScorer, Grade
from reward_synth.verify.values import equal


class Graded(NamedTuple):
    """Sums over one answer's calls."""

    score: float
    quality: float
    """S: sum over matched pairs."""
    named: int
    """Expected calls whose tool was called."""
    keys: float
    values: float
    superfluous: int
    duplicates: int
    order: float
    pairs: tuple[tuple[int, int, float], ...]
    """Expected call, predicted call, quality."""


class _Group(NamedTuple):
    """Calls of one name."""

    quality: float
    counted: int
    """Predicted calls that the score counts."""
    excess: int
    duplicates: int
    extra: int
    """Predicted calls beyond those expected."""
    pairs: Pairs
    guessed: bool
    grades: dict[tuple[int, int], Grade]


def grade(expected: Expected, calls: Sequence[ToolCall], scorer: CallScorer) -> Graded:
    """Return how well ``calls`` do what is expected.

    Example:
        >>> from reward_synth.verify.gold import expect
        >>> gold = expect([{"name": "f"}, {"name": "g"}])
        >>> round(grade(gold, [ToolCall("f")], CallScorer(Policy())).score, 3)
        0.6
    """
    aligned = _aligned(expected.calls, calls, scorer)
    if aligned is not None:
        return aligned
    groups, strangers = _groups(expected.calls, calls, scorer)
    excess = strangers + sum(group.excess + group.duplicates for group in groups)
    counted = excess + sum(group.counted for group in groups)
    quality = sum(group.quality for group in groups)
    order = _order(expected, groups) if expected.ordered else 1.0
    score = _score(scorer.policy, quality, len(expected.calls), counted, excess, order)
    return _summed(groups, strangers, score, quality, order)


def _aligned(
    golds: Sequence[GoldCall], calls: Sequence[ToolCall], scorer: CallScorer
) -> Graded | None:
    """Return the grade of calls that name the expected tools in the expected order.

    None where the general way is needed: such calls are their own best matching only if
    all are right, or no tool is expected twice.
    """
    count = len(golds)
    if count != len(calls) or not count:
        return None
    quality = keys = values = 0.0
    pairs = []
    names = set()
    for place in range(count):
        gold, call = golds[place], calls[place]
        if gold.name != call.name:
            return None
        names.add(gold.name)
        one, named, right = scorer.grade(gold, call)
        quality += one
        keys += named
        values += right
        pairs.append((place, place, one))
    if quality < count and len(names) < count:
        return None
    score = _score(scorer.policy, quality, count, count, 0, 1.0)
    return Graded(score, quality, count, keys, values, 0, 0, 1.0, tuple(pairs))


def _score(
    policy: Policy,
    quality: float,
    expected: int,
    counted: int,
    excess: int,
    order: float,
) -> float:
    """Return the F-measure of the qualities less the share of superfluous calls."""
    if not excess and expected == counted == quality and order == 1.0:
        return 1.0  # exactly; also where nothing is expected and nothing was called
    square = policy.beta**2
    measure = (1 + square) * quality / (square * expected + counted)
    measure *= 1 - policy.order * (1 - order)
    return measure - policy.penalty * excess / (expected + counted)


def _groups(
    golds: Sequence[GoldCall], calls: Sequence[ToolCall], scorer: CallScorer
) -> tuple[list[_Group], int]:
    """Return one group a name that is expected, and how many calls have no such name."""
    asked: dict[str, list[int]] = defaultdict(list)
    for place, gold in enumerate(golds):
        asked[gold.name].append(place)
    made: dict[str, list[int]] = defaultdict(list)
    strangers = 0
    for place, call in enumerate(calls):
        if call.name in asked:
            made[call.name].append(place)
        else:
            strangers += 1
    groups = [_group(golds, calls, asked[name], made[name], scorer) for name in asked]
    return groups, strangers


def _group(
    golds: Sequence[GoldCall],
    calls: Sequence[ToolCall],
    rows: list[int],
    columns: list[int],
    scorer: CallScorer,
) -> _Group:
    if len(rows) == len(columns) == 1:
        return _pair(golds, calls, (rows[0], columns[0]), scorer)
    grades = {(r, c): scorer.grade(golds[r], calls[c]) for r in rows for c in columns}
    kept, right = _without_copies(calls, rows, columns, grades, scorer)
    quality = [[grades[r, c][0] for c in kept] for r in rows]
    guessed = len(kept) > len(rows)
    if guessed:
        total, pairs = least_favourable(quality)
        excess = max(0, len(kept) - right - len(rows))
    else:
        total, pairs = best_assignment(quality)
        excess = 0
    return _Group(
        total,
        min(len(kept), len(rows)),
        excess,
        len(columns) - len(kept),
        max(0, len(columns) - len(rows)),
        [(rows[r], kept[c]) for r, c in pairs],
        guessed,
        grades,
    )


def _pair(
    golds: Sequence[GoldCall],
    calls: Sequence[ToolCall],
    pair: tuple[int, int],
    scorer: CallScorer,
) -> _Group:
    """Return the group of a name that is expected once and was called once."""
    found = scorer.grade(golds[pair[0]], calls[pair[1]])
    return _Group(found[0], 1, 0, 0, 0, [pair], False, {pair: found})


def _without_copies(
    calls: Sequence[ToolCall],
    rows: list[int],
    columns: list[int],
    grades: dict[tuple[int, int], Grade],
    scorer: CallScorer,
) -> tuple[list[int], int]:
    """Return the calls that are no copies, and how many of them are right.

    A right call is a copy if every expected call that it answers is answered by another
    right one; a wrong call, if it equals an earlier one.
    """
    if len(columns) == 1:
        return columns, int(any(grades[r, columns[0]][0] >= 1.0 for r in rows))
    exact = [[float(grades[r, c][0] >= 1.0) for c in columns] for r in rows]
    answered = {columns[c] for _, c in best_assignment(exact)[1]}
    kept: list[int] = []
    for place, column in enumerate(columns):
        if column in answered:
            kept.append(column)
        elif any(row[place] for row in exact):
            continue
        elif not any(_same(calls[column], calls[k], scorer) for k in kept):
            kept.append(column)
    return kept, len(answered)


def _same(left: ToolCall, right: ToolCall, scorer: CallScorer) -> bool:
    return equal(left.arguments, right.arguments, scorer.policy.compare)


def _order(expected: Expected, groups: Sequence[_Group]) -> float:
    """Return 1 less the share of expected calls that come out of order.

    The calls of a tool that was called too often are out of order: a further try must
    not find a better place.
    """
    tidy = [group for group in groups if not (group.guessed or group.duplicates)]
    pairs = sorted(pair for group in tidy for pair in group.pairs)
    apart = len(pairs) - longest_rising([column for _, column in pairs])
    apart += sum(len(group.pairs) for group in groups) - len(pairs)
    return 1.0 - apart / len(expected.calls) if expected.calls else 1.0


def _summed(
    groups: Sequence[_Group], strangers: int, score: float, quality: float, order: float
) -> Graded:
    found = [(r, c, group.grades[r, c]) for group in groups for r, c in group.pairs]
    return Graded(
        score,
        quality,
        sum(
            group.counted - group.excess if group.guessed else group.counted
            for group in groups
        ),
        sum(grade[1] for *_, grade in found),
        sum(grade[2] for *_, grade in found),
        strangers + sum(group.extra for group in groups),
        sum(group.duplicates for group in groups),
        order,
        tuple((r, c, grade[0]) for r, c, grade in found),
    )
