"""Distances from samples: they approach the exact ones, and keep the laws."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.distance import (
    Batch,
    Fourier,
    LinearModel,
    LinearValue,
    OneHot,
    dard,
    epic,
    starc,
    starc_sampled,
)
from reward_synth.errors import UsageError
from tests.distance.mdps import Values, mdp, redistributed, reward

GAMMA = 0.9


def walk(moves: Values, count: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """Return states, actions and next states of a uniform policy, states drawn alike."""
    rng = np.random.default_rng(seed)
    states = rng.integers(0, len(moves), count)
    actions = rng.integers(0, moves.shape[1], count)
    ends = (moves[states, actions].cumsum(1) < rng.random((count, 1))).sum(1)
    return states, actions, ends


def slide(seed: int, count: int = 1000) -> Batch:
    """Return one long walk of a point that is pushed in the plane."""
    push = np.random.default_rng(seed).normal(size=(count + 1, 2))
    places = np.zeros((count + 1, 2))
    for number in range(count):
        places[number + 1] = 0.9 * places[number] + 0.3 * push[number]
    return Batch(places[:-1], push[:-1], places[1:])


def test_sampled_starc_approaches_the_exact_distance() -> None:
    """With one feature a state and expectations over s', 100,000 samples are within
    0.01 of VAL weighted by how often each state and action is drawn, here alike."""
    moves = mdp(3)
    first, second = reward(3, moves), reward(4, moves)
    exact = starc(first, second, moves, GAMMA)
    s, a, t = walk(moves, 100_000)
    batch = Batch(s, a, t)
    found = starc_sampled(
        [first[s, a, t], second[s, a, t], redistributed(first, moves, 1)[s, a, t]],
        batch,
        GAMMA,
        values=LinearValue(OneHot()),
        spread=OneHot(),
    )
    assert found[0, 1] == pytest.approx(exact, abs=0.01)
    assert found[0, 2] < 0.02


@given(st.integers(0, 1000), st.floats(0.1, 10))
@settings(max_examples=6, deadline=None)
def test_shaping_within_the_features_changes_nothing(seed: int, scale: float) -> None:
    """Scale and a linear potential: 0, the negative: 1; a triangle holds."""
    batch = slide(seed)
    paid = (batch.before**2).sum(1)
    moved = scale * (paid + GAMMA * batch.after[:, 0] - batch.before[:, 0])
    noise = np.random.default_rng(seed).normal(size=batch.count)
    apart = starc_sampled([paid, moved, -paid, noise], batch, GAMMA)
    assert apart[0, 1] < 1e-3
    assert apart[0, 2] == pytest.approx(1.0, abs=1e-9)
    assert apart[0, 3] <= apart[0, 1] + apart[1, 3] + 1e-12


def test_a_terminal_state_is_worth_nothing() -> None:
    """Shaping with a potential of 0 at the end, in a batch of one-step episodes."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=(500, 1))
    batch = Batch(before, before, before + 1, np.ones(500, np.bool_))
    paid = rng.normal(size=500)
    shaped = paid - 2 * before[:, 0]
    assert starc_sampled([paid, shaped], batch, GAMMA)[0, 1] < 1e-6


def test_a_network_finds_what_cosines_find() -> None:
    """Both estimates of the same distance agree to 0.05, and keep the laws."""
    pytest.importorskip("torch")
    from reward_synth.distance.learned import NetworkValue

    batch = slide(0, 500)
    paid = -np.abs(batch.after).sum(1)
    other = batch.action[:, 0] - 0.2 * (batch.after**2).sum(1)
    shaped = 2 * paid + GAMMA * batch.after[:, 0] - batch.before[:, 0]
    rewards = [paid, other, -paid, shaped]
    network = starc_sampled(rewards, batch, GAMMA, values=NetworkValue(steps=100))
    linear = starc_sampled(rewards, batch, GAMMA)
    assert network[0, 1] == pytest.approx(linear[0, 1], abs=0.05)
    assert network[0, 2] == pytest.approx(1.0, abs=1e-6)
    assert network[0, 3] < 0.1


def _paid(s: Values, a: Values, t: Values) -> Values:
    found: Values = (s**2).sum(1) + 0.3 * a[:, 0] * t[:, 1]
    return found


def _shaped(s: Values, a: Values, t: Values) -> Values:
    phi: Values = np.sin(t[:, 0]) * GAMMA - np.sin(s[:, 0])
    return 4 * (_paid(s, a, t) + phi)


def _constant(s: Values, a: Values, t: Values) -> Values:
    return np.ones(len(s))


@pytest.mark.parametrize("distance", [epic, dard])
def test_epic_and_dard_ignore_shaping_and_see_the_negative(distance: Any) -> None:
    """Any potential, not only linear ones, cancels exactly: 0; the negative: 1; a
    constant reward, where the original gives NaN: ½, and 0 from itself."""
    batch = slide(1, 300)
    assert distance(_paid, _shaped, batch, GAMMA) < 1e-6
    negative = distance(_paid, lambda *x: -_shaped(*x), batch, GAMMA)
    assert negative == pytest.approx(1.0, abs=1e-6)
    assert distance(_paid, _constant, batch, GAMMA) == pytest.approx(0.5)
    assert distance(_constant, _constant, batch, GAMMA) == 0.0


def test_sampled_epic_approaches_the_exact_distance() -> None:
    """On uniform samples EPIC is Pearson's distance of the exact canonical forms."""
    moves = np.full((4, 3, 4), 0.25)
    first, second = reward(5, moves), reward(6, moves)
    batch = Batch(*walk(moves, 10_000))

    def at(table: Values) -> Any:
        return lambda s, a, t: table[tuple(x[:, 0].astype(int) for x in (s, a, t))]

    exact = starc(first, second, moves, GAMMA, "epic")
    found = epic(at(first), at(second), batch, GAMMA, means=256)
    assert found == pytest.approx(exact, abs=0.05)


def test_the_fitted_model_leads_where_the_environment_does() -> None:
    """A linear environment is learned to 1e-3, so DARD needs no model given."""
    batch = slide(2)
    model = LinearModel(Fourier(count=32)).fit(batch)
    np.testing.assert_allclose(
        model(batch.before, batch.action), batch.after, atol=1e-3
    )


def test_a_hundred_thousand_transitions_take_less_than_ten_seconds() -> None:
    """STARC of three rewards; more is measured in benchmarks/distances.py."""
    batch = slide(0, 100_000)
    rewards = [batch.before[:, 0], batch.after[:, 1], (batch.action**2).sum(1)]
    start = time.process_time()  # of this process: others may use the machine, too
    starc_sampled(rewards, batch, 0.99)
    assert time.process_time() - start < 10.0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Batch(np.zeros(0), np.zeros(0), np.zeros(0)), "no transitions"),
        (lambda: Batch(np.zeros(3), np.zeros(2), np.zeros(3)), "action has 2 rows"),
        (lambda: Batch(np.zeros((3, 2)), np.zeros(3), np.zeros((3, 1))), "must agree"),
        (lambda: Batch(np.array([np.nan]), np.zeros(1), np.zeros(1)), "not finite"),
        (lambda: starc_sampled([], slide(0), 0.9), "at least one"),
        (lambda: starc_sampled([np.zeros(3)], slide(0), 0.9), "Reward 1 has shape"),
        (lambda: starc_sampled([np.full(1000, np.inf)], slide(0), 0.9), "not finite"),
        (lambda: starc_sampled([np.ones(1000)], slide(0), 1.0), r"\[0, 1\)"),
        (lambda: starc_sampled([np.ones(1000)], slide(0), 0.9, power=0.5), "power"),
        (lambda: epic(_paid, _paid, slide(0), 0.9, means=0), "means"),
        (lambda: epic(lambda s, a, t: s, _paid, slide(0), 0.9), "one finite number"),
        (lambda: OneHot().fit(np.arange(3000.0)[:, None]), "at most 2000"),
    ],
)
def test_misuse_is_named(make: Any, said: str) -> None:
    """Empty, uneven and unusable input is refused with what was expected."""
    with pytest.raises(UsageError, match=said):
        make()
