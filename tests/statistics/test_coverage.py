"""Intervals at 95 % hold the truth in about 95 % of simulated benchmarks."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.statistics import mean_interval
from tests.statistics.coverage import (
    World,
    all_or_none,
    coverage,
    returns,
    scores,
    shares,
)

EXPERIMENTS = 400
SAMPLING = 0.022
"""Two standard errors of a coverage of 95 % that is counted in 400 experiments."""


@pytest.mark.parametrize("kind", ["mean", "IQM", "difference"])
@pytest.mark.parametrize("runs", [5, 10])
def test_intervals_over_tasks_cover(kind: str, runs: int) -> None:
    """Three tasks: 95 % within 2 on average over worlds, and in each but for chance."""
    found = [coverage(kind, world, 3, runs, EXPERIMENTS) for world in (shares, returns)]
    assert 0.93 <= np.mean(found) <= 0.97, found
    assert min(found) >= 0.93 - SAMPLING, found
    assert max(found) <= 0.97 + SAMPLING, found


def test_intervals_of_improvement_cover() -> None:
    """Of designs that overlap within 2 of 95 %; of others, told apart by ten, at least."""
    overlapping = coverage("improvement", returns, 3, 10, EXPERIMENTS)
    assert 0.93 - SAMPLING <= overlapping <= 0.97 + SAMPLING
    assert coverage("improvement", shares, 3, 5, EXPERIMENTS) >= 0.93
    assert coverage("improvement", shares, 3, 10, EXPERIMENTS) >= 0.93 - SAMPLING


@pytest.mark.parametrize("world", [shares, returns])
@pytest.mark.parametrize("runs", [3, 5, 10])
def test_the_mean_of_one_task_covers(world: World, runs: int) -> None:
    """Student's t for agents that differ by degrees, also for three of them."""
    found = coverage("mean of one task", world, 1, runs, 4 * EXPERIMENTS)
    assert 0.93 - SAMPLING / 2 <= found <= 0.97 + SAMPLING / 2


@pytest.mark.parametrize("runs", [3, 5])
def test_agents_that_fail_wholly_or_not_at_all_are_covered(runs: int) -> None:
    """Where t alone says 100 % for sure, Wilson's interval leaves room."""
    with_bounds = coverage("mean of one task", all_or_none, 1, runs, EXPERIMENTS)
    rng = np.random.default_rng(0)
    blind = [
        mean_interval(scores(all_or_none, rng, 1, runs)["0"])
        for _ in range(EXPERIMENTS)
    ]
    assert with_bounds >= 0.93
    assert np.mean([one.low <= 0.9 <= one.high for one in blind]) < 0.6


def test_plain_percentiles_would_cover_too_little() -> None:
    """What the expansion is for: with three runs a task they reach less than 90 %."""
    from scipy.stats import bootstrap

    rng = np.random.default_rng(7)
    held = []
    for _ in range(300):
        runs = tuple(scores(returns, rng, 3, 3).values())
        found = bootstrap(
            runs,
            lambda *parts, axis: np.concatenate(parts, axis=axis).mean(axis=axis),
            n_resamples=500,
            method="percentile",
            rng=rng,
        ).confidence_interval
        held.append(found.low <= 0.1 <= found.high)
    assert np.mean(held) < 0.9
    assert coverage("mean", returns, 3, 3, 300) >= 0.92
