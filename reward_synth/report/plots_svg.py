"""Pictures of a reward as SVG text, coloured by the page's styles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from reward_synth.report.page.svg import Axes, tag
from reward_synth.report.plots_data import Axis, Map, Mask, Story, Values
from reward_synth.report.plots_draw import (
    Pixels,
    arrows,
    as_address,
    edges,
    lines_of,
    outline,
    pixels,
    stacked,
    thinned,
)
from reward_synth.report.words import number

_SHARE = 0.28
"""Of an arrow: its head."""
_AREAS = 8
_RIGHT, _BAR = 66, 10
"""Room for what colours mean, and how wide that bar is."""


def map_chart(
    item: Map,
    axes: tuple[Axis, Axis],
    success: Mask | None = None,
    marks: Sequence[tuple[float, float]] = (),
) -> Markup:
    """Return a heat map with its arrows, and what its colours mean.

    Args:
        item: The map.
        axes: What runs across, and what runs up.
        success: Cells to draw a line around.
        marks: Points to draw rings around.
    """
    wide, high = edges(item.xs), edges(item.ys)
    place = Axes(420, 300, wide, high, left=62, right=_RIGHT)
    image = _image(
        pixels(item),
        place.x(wide[0]),
        place.y(high[1]),
        place.x(wide[1]) - place.x(wide[0]),
        place.y(high[0]) - place.y(high[1]),
    )
    parts = [place.frame(number, number, axes[0].label), image]
    parts += [_arrow(place, *each) for each in arrows(item)]
    if success is not None:
        parts += _lines(place, outline(success, item.xs, item.ys))
    parts += [
        tag("circle", cx=place.x(x), cy=place.y(y), r=6, class_=kind)
        for x, y in marks
        for kind in ("ring under", "ring")
    ]
    parts += [_upright(place, axes[1].label), _colours(place, item)]
    low, high_ = item.ends
    label = (
        f"{item.title} over {axes[0].label} and {axes[1].label}: from {number(low)} to "
        f"{number(high_)}."
    )
    return place.drawn(*parts, label=label, class_="chart map")


def _image(image: Pixels, x: float, y: float, width: float, height: float) -> Markup:
    where = {"x": x, "y": y, "width": width, "height": height}
    how = {"preserveAspectRatio": "none", "image_rendering": "pixelated"}
    return tag("image", href=as_address(image), **where, **how)


def _arrow(place: Axes, x: float, y: float, right: float, up: float) -> Markup:
    """Return an arrow whose middle is at a point."""
    end = np.array([place.x(x + right / 2), place.y(y + up / 2)])
    start = np.array([place.x(x - right / 2), place.y(y - up / 2)])
    along = _SHARE * (end - start)
    aside = np.array([-along[1], along[0]])
    wings = (end - along + aside / 2, end, end - along - aside / 2)
    text = " L".join(f"{a:.1f},{b:.1f}" for a, b in wings)
    path = f"M{start[0]:.1f},{start[1]:.1f} L{end[0]:.1f},{end[1]:.1f} M{text}"
    return tag("path", d=path, class_="arrow under") + tag(
        "path", d=path, class_="arrow"
    )


def _lines(
    place: Axes, segments: Sequence[tuple[tuple[float, float], tuple[float, float]]]
) -> list[Markup]:
    text = "".join(
        f"M{place.x(a):.1f},{place.y(b):.1f} L{place.x(c):.1f},{place.y(d):.1f}"
        for (a, b), (c, d) in segments
    )
    if not text:
        return []
    return [tag("path", d=text, class_=f"border {kind}") for kind in ("under", "over")]


def _upright(place: Axes, label: str) -> Markup:
    """Return what runs up, above the axis."""
    middle = (place.top + place.height - place.bottom) / 2
    turn = f"rotate(-90 11 {middle:g})"
    how = {"text_anchor": "middle", "transform": turn, "class_": "axis-title"}
    return tag("text", label, x=11, y=middle, **how)


def _colours(place: Axes, item: Map) -> Markup:
    """Return what the first, the middle and the last colour mean."""
    low, high = item.ends
    steps = np.linspace(low, high, 32)[:, None]
    bar = Map("", np.arange(1.0), np.arange(32.0), steps)
    left, foot = place.width - _RIGHT + 10, place.height - place.bottom
    height = foot - place.top
    image = _image(pixels(bar), left, place.top, _BAR, height)
    words = [
        tag("text", number(value), x=left + _BAR + 4, y=foot - part * (height - 10))
        for value, part in ((low, 0.0), ((low + high) / 2, 0.5), (high, 1.0))
    ]
    return tag("g", image, *words, class_="scale")


def stack_chart(story: Story) -> Markup:
    """Return the components of each step of an episode on top of each other."""
    chosen = thinned(story.sparse)
    areas = stacked(story.parts[:, chosen])
    total = story.total[chosen]
    place = _over_steps(chosen, [total, *(edge for area in areas for edge in area)])
    xs = (chosen + 1.0).tolist()
    drawn = [
        place.band(xs, low.tolist(), high.tolist(), class_=f"area c{i % _AREAS}")
        for i, (low, high) in enumerate(areas)
    ]
    line = place.line(xs, total.tolist(), class_="sum")
    frame = place.frame(number, number, "step")
    label = f"What each of {len(story.sparse)} steps is paid, by component."
    return place.drawn(frame, *drawn, line, label=label)


def sums_chart(story: Story) -> Markup:
    """Return what has been paid so far, before and after blending."""
    chosen = thinned(story.sparse)
    rows = [
        (style, np.cumsum(values)[chosen])
        for _, style, values in lines_of(story.sparse, story.total, story.combined)
    ]
    place = _over_steps(chosen, [values for _, values in rows])
    xs = (chosen + 1.0).tolist()
    lines = [
        tag("g", place.line(xs, values.tolist(), class_="line"), class_=style)
        for style, values in rows
    ]
    label = "What has been paid so far: the reward alone, the environment, combined."
    return place.drawn(place.frame(number, number, "step"), *lines, label=label)


def _over_steps(chosen: npt.NDArray[np.int64], values: Sequence[Values]) -> Axes:
    every = np.concatenate([*values, np.zeros(1)])
    low, high = float(every.min()), float(every.max())
    ends = (1.0, float(max(2, chosen[-1] + 1)))
    return Axes(420, 260, ends, (low, high if high > low else low + 1.0), left=52)
