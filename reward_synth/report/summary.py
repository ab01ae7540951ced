"""From trials to numbers with intervals: per task, per design, per pair of designs.

Every number comes from the last evaluation of a training, never from its best one, and
from other episodes than those that candidates were chosen by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from reward_synth.report.data import DesignData, Measured, RunData, TrialData
from reward_synth.report.standings import standings
from reward_synth.report.summary_data import (
    EQUAL,
    Cell,
    DesignSummary,
    Pair,
    Standing,
    Summary,
)
from reward_synth.report.summary_words import summary_table, verdict, warnings_of
from reward_synth.statistics import (
    Fall,
    Interval,
    Normalised,
    area_under_curve,
    difference,
    fall_after_best,
    hacking_gap,
    human_normalised,
    iqm,
    mean,
    mean_interval,
    median_steps,
    performance_profile,
    probability_of_improvement,
    steps_to,
    stratified_bootstrap,
)

SEED = 0
"""Of the resampling, so that the same run gives the same report."""

__all__ = [
    "SEED",
    "Cell",
    "DesignSummary",
    "Pair",
    "Standing",
    "Summary",
    "summarise",
    "summary_table",
    "verdict",
]

_SHARE = (0.0, 1.0)
_THRESHOLDS = np.linspace(0.0, 1.0, 21)
_MOST_PAIRED = 400
_UNFINISHED = ("running", "waiting")
_NOTHING = Interval(math.nan, math.nan, math.nan)
_Runs = dict[str, tuple[float, ...]]
"""The scores of one design, by task."""


def summarise(run: RunData, rng: np.random.Generator) -> Summary:
    """Return what a run's results come to; trials without a result are only counted.

    Args:
        run: May be empty, or still going on.
        rng: What the intervals' resamples are drawn from.

    Raises:
        MissingExtraError: If SciPy is not installed.

    Example:
        >>> from reward_synth.report.data import TaskData
        >>> end = Measured(100, success_any=1.0, success_last=1.0, env_return=5.0)
        >>> trials = [TrialData("reach", "sparse", "ppo", seed, 100, "ok", curve=(end,))
        ...           for seed in range(5)]
        >>> run = RunData("t", "", "cmd", 0.0, "finished", (TaskData("reach"),),
        ...               (DesignData("sparse", "sparse"),), tuple(trials))
        >>> found = summarise(run, np.random.default_rng(0))
        >>> found.cells[0].success_any.value, found.designs[0].runs
        (1.0, 5)
    """
    groups: dict[tuple[str, str], list[TrialData]] = {}
    for trial in run.trials:
        groups.setdefault((trial.task, trial.design), []).append(trial)
    order = [(task.name, design.name) for task in run.tasks for design in run.designs]
    cells = tuple(_cell(*key, groups[key]) for key in order if key in groups)
    seen = {cell.design for cell in cells}
    scores: dict[str, _Runs] = {
        design.name: {
            cell.task: cell.scores
            for cell in cells
            if cell.design == design.name and cell.runs
        }
        for design in run.designs
        if design.name in seen
    }
    kinds: dict[str, str] = {
        design.kind: design.name for design in reversed(run.designs)
    }
    designs = tuple(
        _design(design, scores, kinds, rng)
        for design in run.designs
        if design.name in seen
    )
    pairs = tuple(
        _pair(a, b, scores, rng)
        for a, b in combinations(scores, 2)
        if scores[a].keys() & scores[b].keys()
    )
    strange = sorted(groups.keys() - set(order))
    warnings = (*warnings_of(cells), *map(_left_out, strange))
    leader = _leader(scores)
    found = standings(cells, pairs, leader, rng)
    return Summary(cells, designs, pairs, leader, found, warnings)


def _left_out(key: tuple[str, str]) -> str:
    return (
        f"Trainings of {key[1]!r} on {key[0]!r} are left out: the run does not list "
        "that task and design."
    )


def _cell(task: str, design: str, trials: Sequence[TrialData]) -> Cell:
    done = [(trial, trial.final) for trial in trials]
    ended = [(trial, final) for trial, final in done if final and _sound(final)]
    waiting = sum(trial.status in _UNFINISHED for trial in trials)
    curves = [_Curve(trial) for trial, _ in ended]
    return Cell(
        task,
        design,
        scores=tuple(final.success_any for _, final in ended),
        failed=len(trials) - len(ended) - waiting,
        unfinished=waiting,
        success_any=_mean([final.success_any for _, final in ended], share=True),
        success_last=_mean([final.success_last for _, final in ended], share=True),
        auc=_mean([curve.area() for curve in curves], share=True),
        to_half=median_steps([curve.steps_to(0.5) for curve in curves]),
        to_most=median_steps([curve.steps_to(0.9) for curve in curves]),
        env_return=_mean([final.env_return for _, final in ended]),
        gap=_mean([curve.gap() for curve in curves], share=True),
        seconds=float(sum(trial.seconds for trial in trials)),
        steps=sum(trial.steps for trial, _ in ended),
        fall=_fall(curves),
    )


def _fall(curves: Sequence[_Curve]) -> Fall | None:
    """Compare the end with before, where runs were measured at the same steps."""
    steps = {tuple(curve.steps) for curve in curves}
    dense = [curve.dense() for curve in curves]
    if len(steps) != 1 or not np.isfinite(np.concatenate(dense)).all():
        return None
    return fall_after_best(steps.pop(), dense, [curve.success for curve in curves])


class _Curve:
    """The evaluations of one training, in order, one for each step."""

    def __init__(self, trial: TrialData) -> None:
        points = {point.step: point for point in trial.curve if _sound(point)}
        self._points = [points[step] for step in sorted(points)]
        self.steps = [float(step) for step in sorted(points)]
        self.success = [point.success_any for point in self._points]
        self._total = max(float(trial.steps), self.steps[-1], 1.0)

    def area(self) -> float:
        return area_under_curve(self.steps, self.success, self._total)

    def steps_to(self, level: float) -> float:
        return steps_to(self.steps, self.success, level)

    def dense(self) -> list[float]:
        """Return what the components gave; not finite for a reward without any."""
        return [
            sum(point.components.values()) if point.components else math.nan
            for point in self._points
        ]

    def gap(self) -> float:
        """Return the hacking gap; NaN for a reward without components.

        Of a long curve some hundred points, evenly spread: every pair is compared.
        """
        last = len(self._points) - 1
        spread = np.linspace(0, last, min(last + 1, _MOST_PAIRED)).round().astype(int)
        points = [self._points[place] for place in spread]
        dense = [sum(point.components.values()) for point in points]
        if not np.isfinite(dense).all():
            return math.nan
        return hacking_gap(dense, [point.success_any for point in points])


def _sound(point: Measured) -> bool:
    return 0.0 <= point.success_any <= 1.0 and 0.0 <= point.success_last <= 1.0


def _mean(values: Sequence[float], *, share: bool = False) -> Interval:
    known = [value for value in values if math.isfinite(value)]
    return mean_interval(known, bounds=_SHARE if share else None) if known else _NOTHING


def _design(
    design: DesignData,
    scores: Mapping[str, _Runs],
    kinds: Mapping[str, str],
    rng: np.random.Generator,
) -> DesignSummary:
    mine = scores[design.name]
    sparse = scores.get(kinds.get("sparse", ""), {})
    expert = scores.get(kinds.get("expert", ""), {})
    normalised = {
        task: _normalised(runs, sparse[task], expert[task])
        for task, runs in mine.items()
        if task in sparse and task in expert
    }
    clipped = [item.clipped for item in normalised.values()]
    known = [value for value in clipped if math.isfinite(value)]
    return DesignSummary(
        design.name,
        design.kind,
        tuple(mine),
        sum(len(runs) for runs in mine.values()),
        stratified_bootstrap(mine, iqm, rng, bounds=_SHARE) if mine else _NOTHING,
        stratified_bootstrap(mine, mean, rng, bounds=_SHARE) if mine else _NOTHING,
        normalised,
        float(np.mean(known)) if known else math.nan,
        performance_profile(mine, _THRESHOLDS, rng) if mine else None,
    )


def _normalised(
    runs: Sequence[float], sparse: Sequence[float], expert: Sequence[float]
) -> Normalised:
    method, low, high = (float(np.mean(item)) for item in (runs, sparse, expert))
    return human_normalised(method, low, high)


def _pair(
    a: str, b: str, scores: Mapping[str, _Runs], rng: np.random.Generator
) -> Pair:
    tasks = tuple(task for task in scores[a] if task in scores[b])
    of_a = {task: scores[a][task] for task in tasks}
    of_b = {task: scores[b][task] for task in tasks}
    change = [np.mean(of_a[task]) - np.mean(of_b[task]) for task in tasks]
    statistic = iqm if len(tasks) > 1 else mean
    return Pair(
        a,
        b,
        tasks,
        sum(bool(step > EQUAL) for step in change),
        sum(bool(step < -EQUAL) for step in change),
        "IQM" if len(tasks) > 1 else "mean",
        float(statistic(np.concatenate(list(of_a.values())))),
        float(statistic(np.concatenate(list(of_b.values())))),
        difference(of_a, of_b, rng, statistic, bounds=_SHARE),
        probability_of_improvement(of_a, of_b, rng),
    )


def _leader(scores: Mapping[str, _Runs]) -> str:
    """Return the design with the highest score on the tasks that all share, or ""."""
    measured = {name: runs for name, runs in scores.items() if runs}
    if not measured:
        return ""
    common = set.intersection(*(set(runs) for runs in measured.values()))
    if not common:
        return ""
    statistic = iqm if len(common) > 1 else mean

    def height(name: str) -> float:
        runs = [measured[name][task] for task in sorted(common)]
        return float(statistic(np.concatenate(runs)))

    return max(measured, key=height)
