"""Learning curves: one line a design, a band over its seeds, and the seeds themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.report.data import RunData, TrialData
from reward_synth.report.downsample import Floats, downsample, kept_points
from reward_synth.report.words import METRICS

BAND_POINTS = 400
"""The most points of a design's line."""
SEED_POINTS = 300
"""The most points of a single seed's line."""
_ALL_POINTS = 60_000
"""The most points of all seeds' lines in a page."""
ROWS = 9
"""Rows of the table that says what a chart shows."""
_USED = ("ok", "running")


@dataclass(frozen=True, slots=True)
class Band:
    """Seeds of one design on one task: their mean, lowest and highest at each step."""

    design: int
    """Its place among the run's designs."""
    seeds: int
    steps: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class SeedLine:
    """One seed's measurements."""

    design: int
    label: str
    steps: Floats
    values: Floats


def band(trials: Sequence[TrialData], metric: str, design: int = 0) -> Band | None:
    """Return mean and range over seeds, at every step that any of them was measured at.

    Between two measurements of a seed lies a straight line; after its last one it no
    longer counts.

    Example:
        >>> from reward_synth.report.data import Measured
        >>> rows = [TrialData("t", "d", "ppo", seed, 10, "ok", curve=(
        ...     Measured(0, 0.0, 0.0, 0.0), Measured(10, end, end, 0.0)))
        ...     for seed, end in enumerate((0.5, 1.0))]
        >>> got = band(rows, "success_any")
        >>> got.mean.tolist(), got.low.tolist(), got.high.tolist()
        ([0.0, 0.75], [0.0, 0.5], [0.0, 1.0])
    """
    lines = [points(row, lambda at: getattr(at, metric)) for row in trials]
    lines = [line for line in lines if len(line[0])]
    if not lines:
        return None
    steps = np.unique(np.concatenate([xs for xs, _ in lines]))
    mean, low, high = _over_seeds(lines, steps)
    kept = _kept(mean, low, high)
    return Band(design, len(lines), steps[kept], mean[kept], low[kept], high[kept])


def _over_seeds(
    lines: Sequence[tuple[Floats, Floats]], steps: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return mean, lowest and highest, adding one seed after the other."""
    total, number = np.zeros(len(steps)), np.zeros(len(steps))
    low, high = np.full(len(steps), np.inf), np.full(len(steps), -np.inf)
    for xs, ys in lines:
        values = np.interp(steps, xs, ys, left=np.nan, right=np.nan)
        there = np.isfinite(values)
        total[there] += values[there]
        number += there
        low = np.fmin(low, values)
        high = np.fmax(high, values)
    return total / number, low, high


def _kept(*rows: Floats) -> Any:
    """Return which steps are told, so that no row loses an extreme."""
    if len(rows[0]) <= BAND_POINTS:
        return slice(None)
    most = BAND_POINTS // len(rows)
    return np.unique(np.concatenate([kept_points(row, most) for row in rows]))


def points(trial: TrialData, value: Callable[[Any], float]) -> tuple[Floats, Floats]:
    """Return steps and values of a training, in order, without what is not finite."""
    xs = np.array([at.step for at in trial.curve], np.float64)
    ys = np.array([value(at) for at in trial.curve], np.float64)
    there = np.isfinite(ys)
    xs, ys = xs[there], ys[there]
    xs, first = np.unique(xs, return_index=True)
    return xs, ys[first]


def bands(run: RunData, task: str, metric: str) -> list[Band]:
    """Return a band for each design that was trained on a task."""
    found = []
    for index, design in enumerate(run.designs):
        rows = [row for row in _trials(run, task, design.name) if row.status in _USED]
        if (made := band(rows, metric, index)) is not None:
            found.append(made)
    return found


def seed_lines(run: RunData, task: str, metric: str) -> list[SeedLine]:
    """Return every training on a task, those that failed too."""
    most = max(8, min(SEED_POINTS, _ALL_POINTS // (3 * max(1, len(run.trials)))))
    lines = []
    for index, design in enumerate(run.designs):
        for row in _trials(run, task, design.name):
            xs, ys = downsample(*points(row, lambda at: getattr(at, metric)), most)
            if len(xs):
                lines.append(SeedLine(index, f"seed {row.seed}", xs, ys))
    return lines


def _trials(run: RunData, task: str, design: str) -> list[TrialData]:
    return [row for row in run.trials if (row.task, row.design) == (task, design)]


def chart_data(
    run: RunData, task: str, found: Mapping[str, Sequence[Band]]
) -> dict[str, Any]:
    """Return what the page's script draws of each measure's bands, ready for JSON."""
    metrics = {
        metric: {
            "bands": [_told_band(item) for item in found[metric]],
            "seeds": [_told_line(item) for item in seed_lines(run, task, metric)],
        }
        for metric in METRICS
    }
    return {"names": [item.name for item in run.designs], "metrics": metrics}


def _told_band(item: Band) -> dict[str, Any]:
    rows = {"x": item.steps, "mean": item.mean, "low": item.low, "high": item.high}
    return {"design": item.design} | {key: told(row) for key, row in rows.items()}


def _told_line(item: SeedLine) -> dict[str, Any]:
    xs, ys = told(item.steps), told(item.values)
    return {"design": item.design, "label": item.label, "x": xs, "y": ys}


def told(values: Floats) -> list[float | None]:
    """Return numbers for JSON: four digits, and nothing where there is none.

    Example:
        >>> told(np.array([0.123456, 200000.0, np.nan]))
        [0.1235, 200000, None]
    """
    return [_told(float(value)) for value in values]


def _told(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else float(f"{value:.4g}")


def table_rows(found: Sequence[Band]) -> list[tuple[float, list[Any]]]:
    """Return, for a few steps, what each band is there: (mean, low, high) or None.

    Example:
        >>> rows = np.arange(3.0)
        >>> table_rows([Band(0, 2, rows, rows, rows, rows)])[-1]
        (2.0, [(2.0, 2.0, 2.0)])
    """
    if not found:
        return []
    last = max(float(item.steps[-1]) for item in found)
    steps = np.linspace(0, last, ROWS)
    return [(float(step), [_at(item, step) for item in found]) for step in steps]


def _at(item: Band, step: float) -> tuple[float, float, float] | None:
    if not item.steps[0] <= step <= item.steps[-1]:
        return None
    rows = (item.mean, item.low, item.high)
    mean, low, high = (float(np.interp(step, item.steps, row)) for row in rows)
    return mean, low, high
