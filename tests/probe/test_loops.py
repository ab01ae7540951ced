"""Loops that pay most: against every loop of small graphs."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.probe import best_cycle

Edge = tuple[int, int, int]
graphs = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-5, 5)),
    min_size=1,
    max_size=14,
)


def every_loop(edges: list[Edge]) -> float | None:
    """Return the best mean over all simple loops, by trying all orders of places."""
    pays: dict[tuple[int, int], int] = {}
    for tail, head, pay in edges:
        pays[tail, head] = max(pay, pays.get((tail, head), -99))
    means = []
    for size in range(1, 6):
        for places in permutations(range(5), size):
            steps = list(zip(places, [*places[1:], places[0]], strict=True))
            if all(step in pays for step in steps):
                means.append(sum(pays[step] for step in steps) / size)
    return max(means) if means else None


@given(graphs)
@settings(max_examples=150, deadline=None)
def test_the_loop_is_the_best_of_all(edges: list[Edge]) -> None:
    """Its mean is the highest over all simple loops, and its steps do make a loop."""
    tail, head, pay = np.array(edges).T
    found = best_cycle(tail, head, pay)
    expected = every_loop(edges)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert found.mean == pytest.approx(expected)
    steps = list(found.edges)
    assert pay[steps].mean() == pytest.approx(expected)
    assert head[steps].tolist() == [*tail[steps][1:], tail[steps][0]]


@given(graphs, st.lists(st.integers(-9, 9), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_shaping_changes_no_loop(edges: list[Edge], potential: list[int]) -> None:
    """A potential adds phi(head) - phi(tail) to each step, which every loop undoes."""
    tail, head, pay = np.array(edges).T
    phi = np.array(potential)
    plain = best_cycle(tail, head, pay)
    shaped = best_cycle(tail, head, pay + phi[head] - phi[tail])
    assert (plain is None) == (shaped is None)
    if plain is not None and shaped is not None:
        assert shaped.mean == pytest.approx(plain.mean)


def test_large_graphs_are_searched_in_little_time() -> None:
    """Twenty thousand places in a ring with one shortcut that pays: it is found."""
    count = 20_000
    tail = np.append(np.arange(count), 777)
    head = np.append((np.arange(count) + 1) % count, 776)
    pays = np.zeros(count + 1)
    pays[-1] = 2.0
    found = best_cycle(tail, head, pays)
    assert found is not None
    assert found.mean == 1.0
    assert sorted(found.edges) == [776, count]


def test_graphs_that_are_none_are_refused() -> None:
    """Lengths agree and numbers are finite."""
    with pytest.raises(UsageError, match="2, 1 and 1"):
        best_cycle([0, 1], [0], [1.0])
    with pytest.raises(UsageError, match="finite"):
        best_cycle([0], [0], [np.nan])
    assert best_cycle([], [], []) is None
