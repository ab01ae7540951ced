"""The parts of a page that only some runs have: labels, distances, audits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from reward_synth.report.data import AuditData, LabelData, MatrixData, RunData
from reward_synth.report.page.templating import filled
from reward_synth.report.summary import Summary
from reward_synth.report.words import number, percent

_SHADES = 4
"""The farthest pair has the last shade."""
_ORDER = ("failed", "not checked", "passed")


def labels(run: RunData, _: Summary) -> str | None:
    """Tell what was labelled, by whom, and which labels were given how often."""
    items = [{"of": item, "given": _shares(item)} for item in run.labels]
    return filled("labels.html", items=items) if items else None


def _shares(item: LabelData) -> list[tuple[str, int, str]]:
    """Return each label, how often it was given, and its share of all that was asked.

    Example:
        >>> _shares(LabelData("pairs", "person", given={"first": 1}, asked=4))
        [('first', 1, '25 %'), ('no label', 3, '75 %')]
    """
    given = sum(item.given.values())
    asked = max(item.asked, given)
    rows = sorted(item.given.items(), key=lambda row: (-row[1], row[0]))
    if asked > given:
        rows.append(("no label", asked - given))
    return [(name, times, percent(times / asked)) for name, times in rows]


def distances(run: RunData, _: Summary) -> str | None:
    """Tell how far apart things are, as a table in which far pairs are shaded."""
    items = [{"of": item, "rows": _shaded(item)} for item in run.distances]
    return filled("distances.html", items=items) if items else None


def _shaded(item: MatrixData) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return for each name its numbers, each with a shade from 0 to 4.

    Example:
        >>> _shaded(MatrixData("", "", ("a", "b"), ((0.0, 2.0), (2.0, 0.0))))
        [('a', [('0', 0), ('2', 4)]), ('b', [('2', 4), ('0', 0)])]
    """
    known = [abs(x) for row in item.values for x in row if math.isfinite(x)]
    most = max(known, default=0.0) or 1.0
    return [
        (name, [(number(value), _shade(value / most)) for value in row])
        for name, row in zip(item.names, item.values, strict=False)
    ]


def _shade(part: float) -> int:
    return round(_SHADES * abs(part)) if math.isfinite(part) else 0


def audits(run: RunData, _: Summary) -> str | None:
    """Tell which checks of an audit failed, first of all."""
    if not run.audits:
        return None
    times = Counter(item.outcome for item in run.audits)
    counts = sorted(times.items(), key=lambda item: _place(item[0]))
    return filled("audits.html", counts=counts, rows=_sorted(run.audits))


def _sorted(items: Sequence[AuditData]) -> list[AuditData]:
    return sorted(items, key=lambda item: _place(item.outcome))


def _place(outcome: str) -> int:
    return _ORDER.index(outcome) if outcome in _ORDER else -1
