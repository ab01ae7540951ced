"""Regret: exact, with ties told apart, and invariant where it must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.distance import Successors, optimal_values, regret
from reward_synth.distance.process import as_process
from reward_synth.errors import UsageError
from tests.distance.mdps import Values, mdp, redistributed, reward, shaped

seeds = st.integers(0, 10_000)
GAMMA = 0.9


def iterated(paid: Values, moves: Values) -> Values:
    """Return optimal values by plain value iteration."""
    values = np.zeros(len(moves))
    for _ in range(400):  # 0.9^400 is 5e-19
        values = (paid + GAMMA * moves @ values).max(1)
    return values


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_optimal_values_are_those_of_value_iteration(seed: int) -> None:
    """Policy iteration ends where value iteration converges to."""
    moves = mdp(seed)
    paid = (moves * reward(seed, moves)).sum(2)
    found = optimal_values(paid, as_process(moves), GAMMA)
    np.testing.assert_allclose(found, iterated(paid, moves), atol=1e-10)


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_equivalent_rewards_cost_nothing_and_the_negative_everything(seed: int) -> None:
    """Shaped, scaled, redistributed: 0. The negative's best policy is the worst: 1."""
    moves = mdp(seed)
    truth = reward(seed, moves)
    phi = np.random.default_rng(seed).normal(size=len(moves))
    other = redistributed(3 * shaped(truth, phi, GAMMA), moves, seed)
    assert regret(other, truth, moves, GAMMA).regret == pytest.approx(0, abs=1e-9)
    assert regret(-truth, truth, moves, GAMMA).regret == pytest.approx(1, abs=1e-9)


def test_ties_have_a_best_and_a_worst_policy() -> None:
    """A reward that pays nothing allows every policy: from 0 to all that can be lost."""
    moves = np.ones((1, 2, 1))
    truth = np.array([[1.0, 3.0]])
    found = regret(np.zeros((1, 2)), truth, moves, 0.5)
    assert (found.optimum, found.lowest) == (6.0, 2.0)
    assert (found.best, found.worst) == (6.0, 2.0)
    assert (found.least, found.regret) == (0.0, 1.0)


def test_the_start_decides_what_counts() -> None:
    """A wrong choice in a state that is never met from the start costs nothing."""
    moves = np.zeros((2, 2, 2))
    moves[0, :, 0] = moves[1, :, 1] = 1.0
    truth = np.array([[0.0, 1.0], [0.0, 1.0]])
    wrong = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert regret(wrong, truth, moves, GAMMA, start=[0]).regret == 0.0
    assert regret(wrong, truth, moves, GAMMA, start=[1]).regret == 1.0
    assert regret(wrong, truth, moves, GAMMA).regret == pytest.approx(0.5)


def test_nothing_to_lose_is_no_regret() -> None:
    """Where every policy earns the same, the share is 0 and not 0 / 0."""
    moves = np.ones((1, 2, 1))
    assert regret(np.array([[0.0, 1.0]]), np.ones((1, 2)), moves, 0.5).regret == 0.0


def test_lists_of_successors_give_the_same_regret() -> None:
    """The iterative solver agrees with the direct one."""
    moves = mdp(7, states=5)
    lists = Successors(np.broadcast_to(np.arange(5), moves.shape).copy(), moves)
    truth, other = reward(7, moves), reward(8, moves)
    dense = regret(other, truth, moves, GAMMA)
    sparse = regret(other, truth, lists, GAMMA)
    assert sparse.worst == pytest.approx(dense.worst, abs=1e-9)
    assert sparse.optimum == pytest.approx(dense.optimum, abs=1e-9)


@pytest.mark.parametrize("gamma", [1.0, -0.1, 2.0])
def test_the_discount_must_be_below_one(gamma: float) -> None:
    """Endless sums need not exist."""
    with pytest.raises(UsageError, match=r"\[0, 1\)"):
        regret(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1, 1)), gamma)


@pytest.mark.parametrize(
    ("start", "said"), [([5], "beyond 0 to 0"), ([0.5, 0.6], "sum"), ([0.5], "sum 0.5")]
)
def test_a_wrong_start_is_named(start: list[float], said: str) -> None:
    """Unknown states, and what is no distribution."""
    with pytest.raises(UsageError, match=said):
        regret(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1, 1)), 0.5, start)
