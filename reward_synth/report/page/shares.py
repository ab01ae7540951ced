"""What the agent is paid for: each component's share of the reward over training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from reward_synth.report.curves import points
from reward_synth.report.data import RunData, TrialData
from reward_synth.report.downsample import Floats
from reward_synth.report.page.svg import Axes, tag
from reward_synth.report.words import count, percent

_POINTS = 80
_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Shares:
    """One design on one task."""

    task: str
    design: str
    steps: Floats
    names: tuple[str, ...]
    parts: Floats
    """A row for each name: its share of all that is paid, in absolute amounts."""
    negative: tuple[bool, ...]
    """For each name, whether it takes more than it gives."""

    def told(self) -> list[tuple[str, bool, str, str, str]]:
        """Return for each name: is it negative; its share at first, halfway, at last."""
        middle = self.parts.shape[1] // 2
        rows = zip(self.names, self.negative, self.parts, strict=True)
        return [
            (name, below, percent(row[0]), percent(row[middle]), percent(row[-1]))
            for name, below, row in rows
        ]


def shares(trials: Sequence[TrialData], task: str, design: str) -> Shares | None:
    """Return the shares, averaged over trainings; None where no reward has components.

    Example:
        >>> from reward_synth.report.data import Measured
        >>> rows = [Measured(step, 0.0, 0.0, 0.0, components={"near": 3.0, "effort": -1.0})
        ...         for step in (0, 10)]
        >>> got = shares([TrialData("t", "d", "ppo", 0, 10, "ok", curve=tuple(rows))], "t", "d")
        >>> got.parts.tolist(), got.negative
        ([[0.75, 0.75], [0.25, 0.25]], (False, True))
    """
    rows = [row for row in trials if (row.task, row.design) == (task, design)]
    names = list(
        dict.fromkeys(n for row in rows for at in row.curve for n in at.components)
    )
    steps = _steps(rows)
    if not names or not len(steps):
        return None
    sums = np.array([_mean(rows, name, steps) for name in names])
    total = np.abs(sums).sum(axis=0)
    parts = np.divide(np.abs(sums), total, out=np.zeros_like(sums), where=total > 0)
    below = tuple(bool(row.sum() < 0) for row in sums)
    return Shares(task, design, steps, tuple(names), parts, below)


def _steps(rows: Sequence[TrialData]) -> Floats:
    every: Floats = np.unique([float(at.step) for row in rows for at in row.curve])
    if len(every) <= _POINTS:
        return every
    spread = np.linspace(0, len(every) - 1, _POINTS).astype(np.int64)
    return np.take(every, spread)


def _mean(rows: Sequence[TrialData], name: str, steps: Floats) -> Floats:
    """Return a component's mean over trainings, which count as far as they got."""
    total, number = np.zeros(len(steps)), np.zeros(len(steps))
    for row in rows:
        xs, ys = points(row, lambda at: at.components.get(name, 0.0))
        if len(xs):
            values = np.interp(steps, xs, ys, right=np.nan)
            total += np.nan_to_num(values)
            number += np.isfinite(values)
    mean: Floats = total / np.maximum(number, 1)
    return mean


def all_shares(run: RunData) -> list[Shares]:
    """Return the shares of every design on every task that has components."""
    pairs = [(task.name, design.name) for task in run.tasks for design in run.designs]
    made = [shares(run.trials, task, design) for task, design in pairs]
    return [item for item in made if item is not None]


def stack(item: Shares) -> Markup:
    """Return areas on top of each other, from 0 to 100 %."""
    axes = Axes(300, 150, (float(item.steps[0]), float(item.steps[-1])), (0.0, 1.0))
    tops = np.cumsum(item.parts, axis=0)
    xs = item.steps.tolist()
    areas = []
    for index, (top, row) in enumerate(zip(tops, item.parts, strict=True)):
        colour = f"area c{index % _COLOURS}"
        low = (top - row).tolist()
        areas.append(axes.band(xs, low, top.tolist(), class_=colour))
    label = f"Shares of the reward's components: {item.design} on {item.task}."
    frame = axes.frame(count, percent, "steps", most_x=4, most_y=3)
    return axes.drawn(tag("g", *areas), frame, label=label)
