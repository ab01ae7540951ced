"""All tasks together: a mean with its interval, profiles, and who beats whom how often."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from reward_synth.report.page.svg import Axes, tag
from reward_synth.report.summary import DesignSummary, Summary
from reward_synth.report.words import MISSING, TO, cut, percent
from reward_synth.statistics import Interval

_ROW = 28
_DOT = 5.0
_WIDE = 460
_METER_WIDE, _METER_HIGH = 84, 14
_NOTABLE = 0.5


def middle(item: DesignSummary) -> Interval:
    """Return what a design is ranked by: the IQM over tasks, the mean of one task."""
    return item.iqm if len(item.tasks) > 1 else item.mean


def ranked(summary: Summary) -> list[DesignSummary]:
    """Return the designs that have results, the best first."""
    done = [item for item in summary.designs if item.runs]
    return sorted(done, key=lambda item: -middle(item).value)


def whiskers(rows: Sequence[DesignSummary], styles: Mapping[str, str]) -> Markup:
    """Return a dot for each design with its interval."""
    axes = Axes(_WIDE, _ROW * len(rows) + 50, (0.0, 1.0), (0.0, 1.0), left=124, top=8)
    marks = [
        _whisker(axes, row, styles[row.name], axes.top + _ROW * (index + 0.5))
        for index, row in enumerate(rows)
    ]
    frame = axes.frame(percent, percent, "success", most_x=6, most_y=0)
    label = "Success of each design with its interval; the table beside says the same."
    return axes.drawn(frame, *marks, label=label)


def _whisker(axes: Axes, row: DesignSummary, style: str, y: float) -> Markup:
    found = middle(row)
    name = tag("text", cut(row.name), x=axes.left - 10, y=y + 4, text_anchor="end")
    marks = _range(axes.x, found, y, _DOT)
    return tag("g", name, *marks, class_=f"whisker {style}")


def _range(
    place: Callable[[float], float], item: Interval, y: float, size: float
) -> list[Markup]:
    """Return a line for the interval, where it is known, and a dot for the estimate."""
    dot = tag("circle", cx=place(item.value), cy=y, r=size)
    if not item.known:
        return [dot]
    return [tag("line", x1=place(item.low), x2=place(item.high), y1=y, y2=y), dot]


def meter(item: Interval, style: str) -> Markup:
    """Return a small dot with its interval, for a table in which the numbers stand too."""
    if not math.isfinite(item.value):
        return Markup("")
    axes = Axes(_METER_WIDE, _METER_HIGH, (0.0, 1.0), (0.0, 1.0), 4, 4, 0, 0)
    y = _METER_HIGH / 2
    track = tag("line", x1=4, x2=_METER_WIDE - 4, y1=y, y2=y, class_="track")
    marks = tag("g", *_range(axes.x, item, y, 3.5), class_=f"whisker {style}")
    size = {"width": _METER_WIDE, "height": _METER_HIGH}
    return tag("svg", track, marks, aria_hidden="true", class_="meter", **size)


def profiles(rows: Sequence[DesignSummary], styles: Mapping[str, str]) -> Markup:
    """Return, for each design, the share of trainings above each level of success."""
    axes = Axes(_WIDE, 240, (0.0, 1.0), (0.0, 1.0))
    parts = [axes.frame(percent, percent, "success above", most_x=6)]
    for row in rows:
        if row.profile is not None:
            at = row.profile.thresholds.tolist()
            ends = (row.profile.low.tolist(), row.profile.high.tolist())
            fill = axes.band(at, *ends, class_="band")
            line = axes.line(at, row.profile.value.tolist(), class_="line")
            parts.append(tag("g", fill, line, class_=styles[row.name]))
    label = "Share of trainings above each level of success, for each design."
    return axes.drawn(*parts, label=label)


def matrix(summary: Summary, names: Sequence[str]) -> list[list[tuple[str, str, str]]]:
    """Return for each pair: the probability that a beats b, its interval, and a shade."""
    return [[_duel(summary, a, b) for b in names] for a in names]


def _duel(summary: Summary, a: str, b: str) -> tuple[str, str, str]:
    pair = summary.pair(a, b) if a != b else None
    if pair is None or not math.isfinite(pair.improvement.value):
        return MISSING, "", ""
    found = pair.improvement
    ends = f"{found.low:.2f}{TO}{found.high:.2f}" if found.known else ""
    sure = found.excludes(_NOTABLE)
    shade = ("beats" if found.value > _NOTABLE else "loses") if sure else ""
    return f"{found.value:.2f}", ends, shade
