"""Laws that hold for all scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from reward_synth.statistics import (
    Statistic,
    area_under_curve,
    difference,
    hacking_gap,
    iqm,
    mean,
    mean_interval,
    median,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    rate_interval,
    stratified_bootstrap,
)
from reward_synth.statistics.arrays import Array

NUMBERS = st.integers(-1000, 1000).map(lambda tenths: tenths / 10)
RUNS = st.lists(NUMBERS, min_size=2, max_size=8)
TASKS = st.dictionaries(st.sampled_from("abc"), RUNS, min_size=1)
SHARES = st.integers(0, 20).map(lambda wins: wins / 20)
SEEDS = st.integers(0, 2**32 - 1)
FEW = 100


@st.composite
def two_designs(
    draw: st.DrawFn,
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    first = draw(TASKS)
    return first, {task: draw(RUNS) for task in first}


@st.composite
def curves(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    steps = sorted(draw(st.sets(st.integers(0, 1000), min_size=1, max_size=10)))
    values = draw(st.lists(SHARES, min_size=len(steps), max_size=len(steps)))
    return [float(step) for step in steps], values


@pytest.mark.parametrize("statistic", [iqm, mean, median])
@given(st.data())
def test_an_average_lies_among_the_scores(
    statistic: Statistic, data: st.DataObject
) -> None:
    """It is between the least and the greatest, and the order does not matter."""
    scores = data.draw(arrays(float, array_shapes(max_dims=2), elements=NUMBERS))
    flat = scores.ravel()
    found = float(statistic(flat, axis=-1))
    mixed = np.random.default_rng(0).permutation(flat)
    assert flat.min() - 1e-9 <= found <= flat.max() + 1e-9
    assert float(statistic(mixed, axis=-1)) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("statistic", [iqm, mean, median])
@given(scores=RUNS, shift=NUMBERS, scale=NUMBERS)
def test_an_average_follows_shift_and_scale(
    statistic: Statistic, scores: list[float], shift: float, scale: float
) -> None:
    """Also by negative factors, since both tails are treated alike."""
    array = np.array(scores)
    moved = float(statistic(shift + scale * array, axis=-1))
    expected = shift + scale * float(statistic(array, axis=-1))
    assert moved == pytest.approx(expected, abs=1e-6)


@given(scores=RUNS, target=NUMBERS)
def test_the_optimality_gap_is_zero_only_at_the_target(
    scores: list[float], target: float
) -> None:
    """It is never negative, and 0 exactly where every score reaches the target."""
    found = float(optimality_gap(scores, target=target))
    assert found >= 0.0
    assert (found == 0.0) == (min(scores) >= target)


@settings(max_examples=40)
@given(scores=TASKS, shift=NUMBERS, scale=st.sampled_from([0.5, 2.0, 8.0]), seed=SEEDS)
def test_an_interval_follows_shift_and_scale(
    scores: dict[str, list[float]], shift: float, scale: float, seed: int
) -> None:
    """Other units give the same interval in other units, from the same generator."""
    moved = {task: shift + scale * np.array(runs) for task, runs in scores.items()}
    one = stratified_bootstrap(scores, iqm, np.random.default_rng(seed), 0.9, FEW)
    two = stratified_bootstrap(moved, iqm, np.random.default_rng(seed), 0.9, FEW)
    assert one.low <= one.value <= one.high
    for before, after in zip(
        (one.low, one.value, one.high), (two.low, two.value, two.high), strict=True
    ):
        assert after == pytest.approx(shift + scale * before, abs=1e-6)


@settings(max_examples=40)
@given(designs=two_designs(), seed=SEEDS)
def test_swapped_designs_give_the_other_sign(
    designs: tuple[dict[str, list[float]], dict[str, list[float]]], seed: int
) -> None:
    """The estimates of difference and improvement are exactly opposite."""
    x, y = designs
    rng = np.random.default_rng(seed)
    there = difference(x, y, rng, mean, resamples=FEW)
    back = difference(y, x, rng, mean, resamples=FEW)
    assert there.value == pytest.approx(-back.value, abs=1e-9)
    better = probability_of_improvement(x, y, rng, resamples=FEW)
    worse = probability_of_improvement(y, x, rng, resamples=FEW)
    assert better.value + worse.value == pytest.approx(1.0)
    assert 0.0 <= better.low <= better.value <= better.high <= 1.0


@settings(max_examples=40)
@given(scores=TASKS, seed=SEEDS)
def test_a_profile_never_rises(scores: dict[str, list[float]], seed: int) -> None:
    """Nor do its bands, which hold it."""
    levels = np.linspace(-100.0, 100.0, 9)
    found = performance_profile(
        scores, levels, np.random.default_rng(seed), resamples=FEW
    )
    for line in (found.value, found.low, found.high):
        assert (np.diff(line) <= 1e-12).all()
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    assert found.value[-1] == 0.0


@given(curve=curves(), extra=st.integers(1, 500))
def test_an_area_lies_between_the_values(
    curve: tuple[list[float], list[float]], extra: int
) -> None:
    """It is a mean height; a curve that is higher everywhere has more of it."""
    steps, values = curve
    total = steps[-1] + extra
    area = area_under_curve(steps, values, total)
    assert min(values) <= area <= max(values)
    higher = [value + 0.1 for value in values]
    assert area_under_curve(steps, higher, total) == pytest.approx(area + 0.1)


@given(
    curve=curves(),
    dense=st.lists(NUMBERS, min_size=10, max_size=10),
    shift=NUMBERS,
    scale=st.sampled_from([0.25, 1.0, 16.0]),
)
def test_a_hacking_gap_is_bounded_and_without_unit(
    curve: tuple[list[float], list[float]],
    dense: list[float],
    shift: float,
    scale: float,
) -> None:
    """From 0 to 1; the unit of the dense return does not matter."""
    success = curve[1]
    earned = np.array(dense[: len(success)])
    found = hacking_gap(earned, success)
    if np.ptp(earned) == 0.0:
        assert math.isnan(found)
        return
    assert 0.0 <= found <= 1.0
    assert hacking_gap(shift + scale * earned, success) == pytest.approx(found)
    best = int(np.argmax(earned))
    if success[best] < max(success) and (earned == earned[best]).sum() == 1:
        assert found > 0.0


@given(success=st.lists(SHARES, min_size=2, max_size=10, unique=True))
def test_a_return_that_rises_with_success_has_no_gap(success: list[float]) -> None:
    """Whatever the shape of the relation, as long as it rises; and all if it falls."""
    array = np.array(success)
    assert hacking_gap(np.exp(3 * array), array) == 0.0
    assert hacking_gap(-(array**3), array) == 1.0


@given(wins=st.integers(0, 50), more=st.integers(0, 50), level=st.floats(0.5, 0.99))
def test_wilson_is_symmetric_and_within_0_and_1(
    wins: int, more: int, level: float
) -> None:
    """Failures mirror successes, and the interval is never of zero width."""
    trials = wins + more + 1
    found = rate_interval(wins, trials, level)
    mirrored = rate_interval(trials - wins, trials, level)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.width > 0.0
    assert found.low == pytest.approx(1.0 - mirrored.high, abs=1e-12)


@given(runs=st.lists(SHARES, min_size=2, max_size=8))
def test_a_mean_of_shares_stays_within_its_bounds(runs: list[float]) -> None:
    """And has room on at least one side, whatever the runs."""
    found = mean_interval(runs, bounds=(0.0, 1.0))
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.width > 0.0


def test_the_same_generator_gives_the_same_interval() -> None:
    """Randomness comes from the argument alone."""
    scores: dict[str, Array] = {"a": np.array([0.1, 0.5, 0.7, 0.9])}
    found = [
        stratified_bootstrap(scores, iqm, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]
