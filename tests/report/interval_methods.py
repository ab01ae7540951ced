"""Four ways to make an interval of an IQM over tasks, and how often each holds the truth.

``python -m tests.report.interval_methods`` prints the second table of
docs/statistics.md. All four are made from the same simulated benchmarks and, but for
the one that reports use, from the same draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, ndtri

from reward_synth.statistics import iqm, stratified_bootstrap
from reward_synth.statistics.arrays import Array
from tests.statistics.coverage import WORLDS, World, returns, scores, truth

TASKS = 5
RUNS = (3, 5, 10, 20)
METHODS = ("percentile", "BCa", "studentised", "expanded")
"""The last one is what reports use."""
EXPERIMENTS = 1000
RESAMPLES = 1000
_ENDS = np.array([0.025, 0.975])
_ROUNDING = 2e-3


def without_each(rows: Array) -> Array:
    """Return the IQM of each row with each of its scores left out; same shape.

    Rows are sorted once: what is left out shifts only where the middle half begins.
    """
    size = rows.shape[1]
    order = np.argsort(rows, axis=1)
    ranked = np.take_along_axis(rows, order, axis=1)
    # With up to three scores the IQM is their mean, and nothing is cut.
    first = (size - 1) // 4
    last = size - 2 - first
    sums = np.cumsum(np.pad(ranked, ((0, 0), (1, 0))), axis=1)
    whole = sums[:, [last + 2]] - sums[:, [first]]
    place = np.arange(size)
    gone = np.where(
        place < first,
        ranked[:, [first]],
        np.where(place > last + 1, ranked[:, [last + 1]], ranked),
    )
    left = (whole - gone) / (last - first + 1)
    found: Array = np.empty_like(left)
    np.put_along_axis(found, order, left, axis=1)
    return found


def jackknife(rows: Array, runs: int) -> tuple[Array, Array]:
    """Return the variance of each row's IQM, and its acceleration; tasks are strata."""
    parts = without_each(rows).reshape(len(rows), -1, runs)
    pulls = (runs - 1) * (parts.mean(axis=2, keepdims=True) - parts) / runs
    squares = (pulls**2).sum(axis=(1, 2))
    cubes = (pulls**3).sum(axis=(1, 2))
    bend = np.divide(
        cubes, 6 * squares**1.5, out=np.zeros_like(squares), where=squares > 0
    )
    return squares * runs / (runs - 1), bend


def bca(value: float, draws: Array, bend: float) -> Array:
    """Return the ends that are corrected for bias and skew (Efron 1987)."""
    below = np.mean(draws < value) + np.mean(draws == value) / 2
    levels: Array = _ENDS
    if 0.0 < below < 1.0:
        shift = ndtri(below)
        steps = shift + ndtri(_ENDS)
        levels = ndtr(shift + steps / (1 - bend * steps))
    found: Array = np.quantile(draws, levels)
    return found


def studentised(value: float, error: float, draws: Array, errors: Array) -> Array:
    """Return the bootstrap-t interval; draws without spread say nothing."""
    spread = errors > 1e-9
    if error <= 0.0 or not spread.any():
        return np.array([value, value])
    steps = (draws[spread] - value) / errors[spread]
    high, low = np.quantile(steps, _ENDS)
    return value - error * np.array([low, high])


def ends(runs: Array, rng: np.random.Generator, bounds: bool) -> dict[str, Array]:
    """Return each method's ends for scores of shape ``(tasks, runs)``."""
    tasks, size = runs.shape
    chosen = rng.integers(0, size, (RESAMPLES, tasks, size))
    drawn = runs[np.arange(tasks)[:, None], chosen].reshape(RESAMPLES, -1)
    draws = np.asarray(iqm(drawn, axis=1))
    value = float(iqm(runs.ravel()))
    variance, bend = jackknife(runs.reshape(1, -1), size)
    errors = np.sqrt(jackknife(drawn, size)[0])
    named = {str(task): row for task, row in enumerate(runs)}
    limits = (0.0, 1.0) if bounds else None
    used = stratified_bootstrap(named, iqm, rng, resamples=RESAMPLES, bounds=limits)
    return {
        "percentile": np.quantile(draws, _ENDS),
        "BCa": bca(value, draws, float(bend[0])),
        "studentised": studentised(value, float(variance[0] ** 0.5), draws, errors),
        "expanded": np.array([used.low, used.high]),
    }


def held(
    world: World, runs: int, experiments: int, tasks: int = TASKS
) -> dict[str, float]:
    """Return for each method the share of experiments in which it held the truth."""
    true = truth("IQM", world, tasks)
    rng = np.random.default_rng(runs)
    counts = dict.fromkeys(METHODS, 0)
    for _ in range(experiments):
        rows = np.array(list(scores(world, rng, tasks, runs).values()))
        for name, (low, high) in ends(rows, rng, world is not returns).items():
            counts[name] += bool(low - _ROUNDING <= true <= high + _ROUNDING)
    return {name: number / experiments for name, number in counts.items()}


def main(write: Callable[[str], object] = sys.stdout.write) -> None:
    """Print the table of docs/statistics.md."""
    for name, world in WORLDS.items():
        for runs in RUNS:
            found = held(world, runs, EXPERIMENTS)
            told = " | ".join(f"{100 * found[method]:.1f}" for method in METHODS)
            write(f"| {runs} runs | {name} | {told} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
