"""How often intervals hold the truth on simulated benchmarks.

``python -m tests.statistics.coverage`` prints the table in docs/statistics.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import numpy as np

from reward_synth.statistics import (
    Interval,
    difference,
    iqm,
    mean,
    mean_interval,
    probability_of_improvement,
    stratified_bootstrap,
)
from reward_synth.statistics.arrays import Array

EPISODES = 20
RESAMPLES = 1000
_MANY = 100_000
_SHAPES = ((2, 6), (8, 2), (5, 5), (20, 1), (0.7, 0.7), (1, 8), (3, 3), (6, 3), (10, 2))
_CHANCES = (0.9, 0.5, 0.95, 0.2, 0.8, 0.7, 0.3, 0.99, 0.6)
_ROUNDING = 2e-3
"""Of the truth, which is itself an average of many draws."""


def shares(rng: np.random.Generator, task: int, size: int) -> Array:
    """Success over 20 episodes, by agents that differ a little or a lot."""
    a, b = _SHAPES[task % len(_SHAPES)]
    return rng.binomial(EPISODES, rng.beta(a, b, size)) / EPISODES


def returns(rng: np.random.Generator, task: int, size: int) -> Array:
    """Normal, with another mean and spread for each task."""
    return rng.normal(0.1 * task, 0.3 + 0.1 * (task % 3), size)


def all_or_none(rng: np.random.Generator, task: int, size: int) -> Array:
    """Each agent solves a task or does not."""
    return (rng.random(size) < _CHANCES[task % len(_CHANCES)]).astype(float)


def rare_failures(rng: np.random.Generator, task: int, size: int) -> Array:
    """One agent in five hardly ever succeeds, the others nearly always."""
    rate = np.where(rng.random(size) < 0.8 - 0.02 * task, 0.95, 0.1)
    return rng.binomial(EPISODES, rate) / EPISODES


World = Callable[[np.random.Generator, int, int], Array]
WORLDS: Mapping[str, World] = {
    "shares": shares,
    "returns": returns,
    "all or none": all_or_none,
    "rare failures": rare_failures,
}


def scores(
    world: World, rng: np.random.Generator, tasks: int, runs: int, first: int = 0
) -> dict[str, Array]:
    """Return runs for tasks ``first`` and following of a world."""
    return {str(task): world(rng, task + first, runs) for task in range(tasks)}


def estimate(
    kind: str, world: World, tasks: int, runs: int, rng: np.random.Generator
) -> Interval:
    """Return one experiment's interval, as a summary makes it.

    Designs differ by their first task. One task is compared by the mean.
    """
    bounds = None if world is returns else (0.0, 1.0)
    mine = scores(world, rng, tasks, runs)
    if kind == "mean of one task":
        return mean_interval(mine["0"], bounds=bounds)
    statistic = mean if kind == "mean" else iqm
    if kind in {"mean", "IQM"}:
        return stratified_bootstrap(
            mine, statistic, rng, resamples=RESAMPLES, bounds=bounds
        )
    other = scores(world, rng, tasks, runs, first=1)
    if kind == "difference":
        compared = mean if tasks == 1 else iqm
        return difference(
            mine, other, rng, compared, resamples=RESAMPLES, bounds=bounds
        )
    return probability_of_improvement(mine, other, rng, resamples=RESAMPLES)


def truth(kind: str, world: World, tasks: int) -> float:
    """Return what the interval should hold, from very many runs."""
    rng = np.random.default_rng(99)
    mine = scores(world, rng, tasks, _MANY)
    other = scores(world, rng, tasks, _MANY, first=1)
    if kind == "improvement":
        shares = []
        for task, runs in mine.items():
            rivals = np.sort(other[task])
            less = np.searchsorted(rivals, runs, "left")
            less_or_equal = np.searchsorted(rivals, runs, "right")
            shares.append((less + less_or_equal).mean() / (2 * _MANY))
        return float(np.mean(shares))
    middle = kind == "IQM" or (kind == "difference" and tasks > 1)
    statistic = iqm if middle else mean
    first = float(statistic(np.concatenate(list(mine.values()))))
    second = float(statistic(np.concatenate(list(other.values()))))
    return first - second if kind == "difference" else first


def coverage(kind: str, world: World, tasks: int, runs: int, experiments: int) -> float:
    """Return the share of experiments whose interval holds the truth."""
    true = truth(kind, world, tasks)
    rng = np.random.default_rng(tasks * 1000 + runs)
    found = [estimate(kind, world, tasks, runs, rng) for _ in range(experiments)]
    held = [one.low - _ROUNDING <= true <= one.high + _ROUNDING for one in found]
    return float(np.mean(held))


def cases() -> list[tuple[str, int]]:
    """Return each kind of interval with each number of tasks."""
    kinds = ("mean", "IQM", "difference", "improvement")
    return [
        ("mean of one task", 1),
        *((kind, tasks) for kind in kinds for tasks in (1, 3, 10)),
    ]


def main() -> None:
    """Print the table of docs/statistics.md."""
    for kind, tasks in cases():
        for name, world in WORLDS.items():
            shown = [
                f"{100 * coverage(kind, world, tasks, runs, 1000):.1f}"
                for runs in (3, 5, 10)
            ]
            sys.stdout.write(f"| {kind} | {tasks} | {name} | {' | '.join(shown)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
