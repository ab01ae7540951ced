"""Learning curves as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from reward_synth.errors import MissingExtraError
from reward_synth.report.curves import Band, bands
from reward_synth.report.data import RunData
from reward_synth.report.looks import Look, looks
from reward_synth.report.plain import plain
from reward_synth.report.words import METRICS, count, cut

_WIDE, _HIGH = 4.6, 3.0
_ACROSS = 3
"""Charts side by side."""
_SQUARE = 4
"""Charts that stand two by two."""
_COLOURS = {
    "sparse": "#6b7280",
    "d0": "#0068b3",
    "d1": "#c44900",
    "d2": "#007a5a",
    "d3": "#a2467f",
    "d4": "#7a6a00",
    "d5": "#5b4fc4",
    "d6": "#007f99",
}
"""As in the page's light theme."""


def write_png(run: RunData, path: Path, metric: str = "success_any") -> None:
    """Draw a chart for each task: mean over seeds, and the range from lowest to highest.

    Args:
        run: The run.
        path: Where to write.
        metric: One of ``METRICS``.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    drawn(run, metric).savefig(path, dpi=150, format="png")


def drawn(run: RunData, metric: str) -> Any:
    """Return the figure that :func:`write_png` writes."""
    run = plain(run)
    found = {row.name: bands(run, row.name, metric) for row in run.tasks}
    found = {task: rows for task, rows in found.items() if rows}
    every = looks(run, _ranked(run, found))
    across = 2 if len(found) == _SQUARE else max(1, min(_ACROSS, len(found)))
    down = max(1, -(-len(found) // across))
    figure = _figure((_WIDE * across, _HIGH * down + 0.8))
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for axes, (task, rows) in zip(grid, found.items(), strict=False):
        _chart(axes, task, [(every[row.design], row) for row in rows], metric)
    for axes in grid[len(found) :]:
        axes.set_visible(False)
    _legend(figure, grid, 3 * across)
    return figure


def _ranked(run: RunData, found: Mapping[str, Sequence[Band]]) -> list[str]:
    """Return the designs' names, those first that end highest on average."""
    ends: dict[int, list[float]] = {}
    for rows in found.values():
        for row in rows:
            ends.setdefault(row.design, []).append(float(row.mean[-1]))
    best = sorted(ends, key=lambda index: -sum(ends[index]) / len(ends[index]))
    return [run.designs[index].name for index in best]


def _legend(figure: Any, grid: list[Any], across: int) -> None:
    """Name each design once, below all charts."""
    pairs = [
        pair
        for axes in grid
        for pair in zip(*axes.get_legend_handles_labels(), strict=True)
    ]
    marks = {text: mark for mark, text in pairs}
    if marks:
        place = {"loc": "outside lower center", "ncols": min(across, len(marks))}
        figure.legend(marks.values(), marks.keys(), frameon=False, fontsize=8, **place)


def _figure(size: tuple[float, float]) -> Any:
    try:
        module: Any = import_module("matplotlib.figure")
    except ModuleNotFoundError as cause:
        raise MissingExtraError("matplotlib", "report") from cause
    return module.Figure(figsize=size, layout="constrained")


def _chart(
    axes: Any, task: str, rows: Sequence[tuple[Look, Band]], metric: str
) -> None:
    for look, item in rows:
        if look.shown:
            _line(axes, look, item)
    axes.set_title(_text(task, 50), fontsize=10, loc="left", fontweight="bold")
    axes.set_ylabel(METRICS[metric], fontsize=8)
    axes.xaxis.set_major_formatter(lambda value, _: count(value))
    axes.tick_params(labelsize=8, length=0)
    axes.grid(color="#dde2e8", linewidth=0.6)
    axes.spines[:].set_visible(False)
    if metric.startswith("success"):
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _line(axes: Any, look: Look, item: Band) -> None:
    colour = _COLOURS[look.style]
    style = "--" if look.style == "sparse" else "-"
    name = _text(look.design.name, 30)
    axes.plot(item.steps, item.mean, style, color=colour, linewidth=1.6, label=name)
    axes.fill_between(item.steps, item.low, item.high, color=colour, alpha=0.15, lw=0)


def _text(text: str, most: int) -> str:
    """Return a text in which nothing is a formula."""
    return cut(text, most).replace("$", r"\$")
