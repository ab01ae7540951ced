"""Fewer points of a curve tell the same about what stands out."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.report.downsample import downsample, kept_points

VALUES = st.lists(
    st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=300
)
MOST = st.integers(4, 60)


@given(VALUES, MOST)
def test_the_ends_and_the_extremes_stay(values: list[float], most: int) -> None:
    """The first, last, lowest and highest value are kept, whatever the curve."""
    steps, kept = downsample(np.arange(len(values)), values, most)
    assert (steps[0], steps[-1]) == (0, len(values) - 1)
    assert (kept[0], kept[-1]) == (values[0], values[-1])
    assert (kept.min(), kept.max()) == (min(values), max(values))


@given(VALUES, MOST)
def test_order_and_number(values: list[float], most: int) -> None:
    """Steps ascend strictly, and there are never more than `most`."""
    steps, _ = downsample(np.arange(len(values)), values, most)
    assert len(steps) == len(values) if len(values) <= most else len(steps) <= most
    assert np.all(np.diff(steps) > 0)


@given(VALUES, MOST)
def test_every_point_is_one_of_the_curve(values: list[float], most: int) -> None:
    """No value is made up: each kept one stood at its step."""
    steps, kept = downsample(np.arange(len(values)), values, most)
    assert [values[int(step)] for step in steps] == list(kept)


@given(VALUES, MOST)
def test_fewer_again_is_the_same(values: list[float], most: int) -> None:
    """A curve that is short enough is returned as it is."""
    once = downsample(np.arange(len(values)), values, most)
    twice = downsample(*once, most)
    np.testing.assert_array_equal(once, twice)


@given(st.lists(st.floats(), min_size=1, max_size=100), MOST)
def test_nan_is_neither_low_nor_high(values: list[float], most: int) -> None:
    """Among NaN, the lowest and highest of the numbers stay."""
    _, kept = downsample(np.arange(len(values)), values, most)
    numbers = [value for value in values if not np.isnan(value)]
    if numbers:
        assert (np.nanmin(kept), np.nanmax(kept)) == (min(numbers), max(numbers))


def test_no_points_are_no_points() -> None:
    """An empty curve stays empty."""
    assert kept_points([], 4).tolist() == []


def test_too_few_or_uneven_points_are_refused() -> None:
    """Fewer than four cannot hold ends and extremes; steps and values go together."""
    with pytest.raises(UsageError, match="at least 4"):
        kept_points([1.0], 3)
    with pytest.raises(UsageError, match="one length"):
        downsample([1.0, 2.0], [1.0], 4)


def test_a_million_points_take_under_a_second() -> None:
    """A long log is no reason to wait."""
    values = np.random.default_rng(0).normal(size=1_000_000)
    begin = time.perf_counter()
    steps, _ = downsample(np.arange(1_000_000), values, 500)
    assert time.perf_counter() - begin < 1.0
    assert len(steps) <= 500
