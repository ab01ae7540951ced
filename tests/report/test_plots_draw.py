"""Colours and shapes of pictures: arrows, stacked areas, borders."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as tables

from reward_synth.report.plots_data import Map, Values
from reward_synth.report.plots_draw import arrows, outline, pixels, stacked


def test_a_hill_is_climbed_from_all_sides() -> None:
    """Of -(x² + y²), every arrow points to the middle."""
    xs = np.linspace(-1, 1, 9)
    high = -(xs[None, :] ** 2) - xs[:, None] ** 2
    upwards, right = np.gradient(high, xs, xs)
    drawn = np.array(arrows(Map("", xs, xs, high, np.array([right, upwards]))))
    towards = drawn[:, 0] * drawn[:, 2] + drawn[:, 1] * drawn[:, 3]
    assert len(drawn) == 80  # the top itself has none
    assert (towards < 0).all()


@given(tables(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)))
def test_components_stack_to_their_sum(parts: Values) -> None:
    """The highest edge plus the lowest is the sum; each area is as high as its component
    is large; no two areas of one step overlap."""
    areas = stacked(parts)
    top = np.max([high for _, high in areas], axis=0)
    foot = np.min([low for low, _ in areas], axis=0)
    assert top + foot == pytest.approx(parts.sum(axis=0), rel=1e-9, abs=1e-6)
    for part, (low, high) in zip(parts, areas, strict=True):
        assert high - low == pytest.approx(np.abs(part), rel=1e-9, abs=1e-6)
    for step in range(parts.shape[1]):
        ends = [(low[step], high[step]) for low, high in areas]
        spans = sorted(item for item in ends if item[1] - item[0] > 1e-6)
        for before, after in pairwise(spans):
            assert before[1] <= after[0] + 1e-6


def test_the_highest_value_has_the_last_colour() -> None:
    """Of two cells the lower has the first colour, the higher the last, unknown none."""
    line = np.array([[0.0, 1.0, np.nan]])
    image = pixels(Map("", np.arange(3.0), np.arange(1.0), line))
    assert image[0].tolist() == [[68, 1, 84, 255], [253, 231, 37, 255], [*image[0, 2]]]
    assert image[0, 2, 3] == 0


def test_the_border_goes_round() -> None:
    """One true cell in the middle of nine has a border of four sides."""
    mask = np.zeros((3, 3), np.bool_)
    mask[1, 1] = True
    found = outline(mask, np.arange(3.0), np.arange(3.0))
    assert sorted(found) == [
        ((0.5, 0.5), (0.5, 1.5)),
        ((0.5, 0.5), (1.5, 0.5)),
        ((0.5, 1.5), (1.5, 1.5)),
        ((1.5, 0.5), (1.5, 1.5)),
    ]
