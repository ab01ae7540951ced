"""Learning curves as they print, and as they look where no script runs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reward_synth.report.curves import Band
from reward_synth.report.looks import Look
from reward_synth.report.page.svg import Axes, tag
from reward_synth.report.words import METRICS, count, number, percent

_ROOM = 0.05


def static(
    found: Sequence[Band], looks: Sequence[Look], metric: str, task: str
) -> Markup:
    """Return a chart with a line and a band for each design.

    Example:
        >>> "Success at any step on Reach" in static([], [], "success_any", "Reach")
        True
    """
    share = metric.startswith("success")
    last = max((float(item.steps[-1]) for item in found), default=1.0)
    axes = Axes(460, 250, (0.0, last), (0.0, 1.0) if share else _heights(found))
    parts = [axes.frame(count, percent if share else number, "steps", most_x=5)]
    for item in found:
        look = looks[item.design]
        xs = item.steps.tolist()
        fill = axes.band(xs, item.low.tolist(), item.high.tolist(), class_="band")
        line = axes.line(xs, item.mean.tolist(), class_="line")
        shown = "" if look.shown else "off"
        group = {"class_": f"{look.style} {shown}".strip(), "data_design": look.index}
        parts.append(tag("g", fill, line, **group))
    label = (
        f"{METRICS[metric]} on {task} during training; the table below has the values."
    )
    return axes.drawn(*parts, label=label)


def _heights(found: Sequence[Band]) -> tuple[float, float]:
    low = min((float(item.low.min()) for item in found), default=0.0)
    high = max((float(item.high.max()) for item in found), default=1.0)
    room = _ROOM * (high - low) or 1.0
    return low - room, high + room
