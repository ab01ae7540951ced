"""Pictures of a reward as one PNG file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.report.plain import plain
from reward_synth.report.plots_apart import Apart
from reward_synth.report.plots_data import Axis, Map, RewardPlots, Story
from reward_synth.report.plots_draw import (
    RISING,
    Segment,
    arrows,
    edges,
    lines_of,
    outline,
    pixels,
    stacked,
)
from reward_synth.report.words import cut

_WIDE, _HIGH = 4.6, 3.6
_ACROSS = 3
_DPI = 150
_AREAS = ("#77aadd", "#ee8866", "#44bb99", "#ddc95c", "#e795ab", "#8fcde8", "#a9b72f")
"""As in the page."""
_LINES = {"d0": "#0068b3", "d1": "#c44900", "sparse": "#6b7280"}
"""As in the page's light theme."""
Panel = Callable[[Any], None]


def write_reward_png(found: RewardPlots, path: Path) -> None:
    """Draw every picture of a reward into one file.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    found = plain(found)
    axes, success = (found.across, found.up), found.success
    first = _map_panel(found.maps[0], axes, success)
    more = [_map_panel(item, axes) for item in found.maps[1:]]
    blended = [_map_panel(item, axes) for item in found.blended]
    lines = [_stack_panel(found.story), _lines_panel(found.story)]
    title = f"{found.name} on {found.env}"
    _written([first, *more], [*blended, *lines], title, path)


def write_apart_png(found: Apart, path: Path) -> None:
    """Draw where two rewards disagree.

    Raises:
        MissingExtraError: Matplotlib is not installed.
        UsageError: No two rewards differ.
    """
    found = plain(found)
    if found.map is None or found.across is None or found.up is None:
        raise UsageError("No two rewards differ, so there is no picture to draw.")
    panel = _map_panel(found.map, (found.across, found.up), marks=found.marks)
    _written([panel], [], f"Disagreement on {found.found.env}", path)


def _written(
    first: Sequence[Panel], second: Sequence[Panel], title: str, path: Path
) -> None:
    """Draw panels in rows; the second kind begins a row of its own."""
    across = min(_ACROSS, max(len(first), len(second)))
    rows = [
        part[i : i + across]
        for part in (first, second)
        for i in range(0, len(part), across)
    ]
    try:
        module: Any = import_module("matplotlib.figure")
    except ModuleNotFoundError as cause:
        raise MissingExtraError("matplotlib", "report") from cause
    size = (_WIDE * across, _HIGH * len(rows) + 0.4)
    figure = module.Figure(figsize=size, layout="constrained")
    figure.suptitle(_text(title, 80), fontsize=11, fontweight="bold")
    grid = figure.subplots(len(rows), across, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for row, panels in zip(grid, rows, strict=True):
        for axes, panel in zip(row, panels, strict=False):
            axes.set_visible(True)
            panel(axes)
    figure.savefig(path, dpi=_DPI, format="png")


def _map_panel(
    item: Map,
    axes: tuple[Axis, Axis],
    success: Any = None,
    marks: Sequence[tuple[float, float]] = (),
) -> Panel:
    def draw(panel: Any) -> None:
        extent = (*edges(item.xs), *edges(item.ys))
        panel.imshow(
            pixels(item), extent=extent, aspect="auto", interpolation="nearest"
        )
        _arrows(panel, item)
        if success is not None:
            _border(panel, outline(success, item.xs, item.ys))
        if marks:
            for colour, width in (("#000000", 3.0), ("#ffffff", 1.4)):
                style = {"color": colour, "markeredgewidth": width, "fillstyle": "none"}
                panel.plot(*zip(*marks, strict=True), "o", markersize=8, **style)
        _scale(panel, item)
        panel.set_xlim(*extent[:2])
        panel.set_ylim(*extent[2:])
        _named(panel, item.title, axes[0].label, axes[1].label)

    return draw


def _arrows(panel: Any, item: Map) -> None:
    found = np.array(arrows(item))
    if found.size:
        style = {"facecolor": "#ffffff", "edgecolor": "#000000", "linewidth": 0.4}
        how = {"angles": "xy", "scale_units": "xy", "scale": 1, "pivot": "mid"}
        panel.quiver(*found.T, width=0.006, **style, **how)


def _border(panel: Any, segments: Sequence[Segment]) -> None:
    made: Any = import_module("matplotlib.collections").LineCollection
    panel.add_collection(made(segments, colors="#ffffff", linewidths=1.6))
    panel.add_collection(
        made(segments, colors="#000000", linewidths=1.2, linestyles=":")
    )


def _scale(panel: Any, item: Map) -> None:
    """Draw what colours mean, beside a map."""
    colours: Any = import_module("matplotlib.colors")
    mappable: Any = import_module("matplotlib.cm").ScalarMappable(
        colours.Normalize(*item.ends),
        colours.LinearSegmentedColormap.from_list("values", RISING),
    )
    bar = panel.figure.colorbar(mappable, ax=panel, fraction=0.06, pad=0.02)
    bar.ax.tick_params(labelsize=7, length=0)
    bar.outline.set_visible(False)


def _stack_panel(story: Story) -> Panel:
    def draw(panel: Any) -> None:
        steps = np.arange(1, len(story.sparse) + 1)
        for number, (low, high) in enumerate(stacked(story.parts)):
            colour = _AREAS[number % len(_AREAS)]
            name = _text(story.names[number], 24)
            panel.fill_between(steps, low, high, color=colour, lw=0, label=name)
        panel.plot(steps, story.total, color="#1b1f24", linewidth=1, label="sum")
        panel.grid(color="#dde2e8", linewidth=0.6)
        panel.legend(frameon=False, fontsize=7)
        _named(panel, f"components, {_episode(story)}", "step", "paid")

    return draw


def _lines_panel(story: Story) -> Panel:
    def draw(panel: Any) -> None:
        steps = np.arange(1, len(story.sparse) + 1)
        for name, style, values in lines_of(story.sparse, story.total, story.combined):
            dash = "--" if style == "sparse" else "-"
            sums = np.cumsum(values)
            panel.plot(steps, sums, dash, color=_LINES[style], lw=1.6, label=name)
        panel.grid(color="#dde2e8", linewidth=0.6)
        panel.legend(frameon=False, fontsize=7)
        _named(panel, "summed up over the episode", "step", "paid so far")

    return draw


def _episode(story: Story) -> str:
    how = "with" if story.succeeded else "without"
    return f"{story.policy} episode {how} success"


def _named(panel: Any, title: str, across: str, up: str) -> None:
    panel.set_title(_text(title, 50), fontsize=9, loc="left", fontweight="bold")
    panel.set_xlabel(_text(across, 40), fontsize=8)
    panel.set_ylabel(_text(up, 40), fontsize=8)
    panel.tick_params(labelsize=7, length=0)
    panel.spines[:].set_visible(False)


def _text(text: str, most: int) -> str:
    """Return a text in which nothing is a formula."""
    return cut(text, most).replace("$", r"\$")
