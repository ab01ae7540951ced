"""Preferences from ranked factors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.preference import (
    Factor,
    Fit,
    Segments,
    fit,
    heron_pairs,
    ranked_preference,
)

number = st.integers(-3, 3).map(float)
rows = st.lists(st.tuples(number, number, number), min_size=1, max_size=6)


def by_hand(first: list[float], second: list[float], margins: list[float]) -> float:
    """Walk down the tree as the paper tells it."""
    for a, b, margin in zip(first, second, margins, strict=True):
        if a > b + margin:
            return 1.0
        if b > a + margin:
            return 0.0
    return 0.5


@given(rows, rows, st.tuples(*[st.sampled_from([0.0, 1.0, 2.0])] * 3))
@settings(max_examples=100)
def test_the_first_factor_that_differs_decides(
    first: list[list[float]], second: list[list[float]], margins: tuple[float, ...]
) -> None:
    """Level by level: more than the margin better wins, else the next factor is asked."""
    size = min(len(first), len(second))
    found = ranked_preference(
        np.array(first[:size]), np.array(second[:size]), np.array(margins)
    )
    pairs = zip(first[:size], second[:size], strict=True)
    assert found.tolist() == [by_hand(a, b, list(margins)) for a, b in pairs]


def test_margins_are_standard_deviations_and_signs_turn_factors() -> None:
    """Values 0 and 4 have a deviation of 2: a margin of 1.9 lets 4 decide, one of 2 leaves
    it to energy, of which less is better."""
    table = np.array([[0.0, 1.0], [4.0, 5.0]])

    def winner(margin: float) -> int:
        pairs = heron_pairs(
            table,
            (Factor("done", margin), Factor("energy", sign=-1)),
            np.random.default_rng(0),
        )
        better = np.where(pairs.label == 1, pairs.first, pairs.second)
        assert len(set(better.tolist())) == 1
        return int(better[0])

    assert winner(1.9) == 1
    assert winner(2.0) == 0


def test_ties_are_left_out_unless_asked_for() -> None:
    """Pairs that no factor tells apart teach nothing about which is better."""
    table = np.array([[1.0], [1.0], [2.0]])
    rng = np.random.default_rng(0)
    some = heron_pairs(table, (Factor("a"),), rng, partners=20)
    assert not some.ties.any()
    every = heron_pairs(
        table, (Factor("a"),), np.random.default_rng(0), partners=20, keep_ties=True
    )
    assert every.ties.any()
    assert every.count == 60
    with pytest.raises(UsageError, match="No factor tells any of 2 pairs apart"):
        heron_pairs(np.ones((2, 1)), (Factor("a"),), rng)


def test_a_table_that_does_not_fit_is_refused() -> None:
    """Columns are factors, and numbers are finite."""
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match=r"shape \(segments, 1\)"):
        heron_pairs(np.ones((3, 2)), (Factor("a"),), rng)
    with pytest.raises(UsageError, match="not finite"):
        heron_pairs(np.array([[np.nan], [1.0]]), (Factor("a"),), rng)


def test_a_model_learns_the_ranking_of_the_tree() -> None:
    """Where a success outranks any amount of energy, so does the learned reward, although
    energy varies a hundred times as much."""
    rng = np.random.default_rng(0)
    table = np.stack(
        [rng.integers(0, 2, 200).astype(float), rng.uniform(0, 100, 200)], 1
    )
    pairs = heron_pairs(
        table, (Factor("success"), Factor("energy", sign=-1)), rng, partners=10
    )
    found = fit(
        Segments.of(table[:, None]), pairs, Fit(steps=400, hidden=(32,), rate=0.01)
    )
    assert found.held_out_accuracy > 0.9
    worst_success, best_failure = found.model.scores(
        np.array([[1.0, 95.0], [0.0, 5.0]])
    )[0]
    assert worst_success > best_failure
    frugal, wasteful = found.model.scores(np.array([[1.0, 10.0], [1.0, 90.0]]))[0]
    assert frugal > wasteful
