"""What is learned from preferences: closed forms, recovered truths, circles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.preference import (
    Fit,
    Kind,
    Pairs,
    Segments,
    compared_with,
    cyclic_share,
    fit,
    gaps,
    random_pairs,
    score_table,
    von_neumann_winner,
)
from reward_synth.preference.model import contest

pytest.importorskip("torch")
TWO = Segments.of([[1.0, 0.0], [0.0, 1.0]])
LINEAR_ONCE = Fit(steps=1, hidden=(), held_out=0.0)
LINEAR = Fit(hidden=(), held_out=0.0, decay=0.0, rate=0.03, steps=500)


def answers(won: int, tied: int, lost: int) -> Pairs:
    """Return answers about the same two segments."""
    label = np.repeat([1.0, 0.5, 0.0], [won, tied, lost])
    zero = np.zeros(len(label), np.int64)
    return Pairs(zero, zero + 1, label)


def test_bradley_terry_finds_the_log_odds() -> None:
    """Of two segments compared n times the gap is the log of won over lost; a tie is half
    of each."""
    found = fit(TWO, answers(6, 2, 2), LINEAR)
    gap = gaps(found.model, TWO, answers(1, 0, 0))[0]
    assert gap == pytest.approx(math.log(7 / 3), abs=1e-3)
    chance = found.model.preferred(TWO.rows[:1], TWO.rows[1:])
    assert chance == pytest.approx(0.7, abs=1e-3)


def test_davidson_finds_the_three_shares() -> None:
    """Gap and width have a closed form: log(won / lost), and 2 log(tied / sqrt(won lost))."""
    found = fit(TWO, answers(12, 6, 3), replace(LINEAR, ties="davidson"))
    assert gaps(found.model, TWO, answers(1, 0, 0))[0] == pytest.approx(
        math.log(4), abs=2e-3
    )
    assert found.tie_width[0] == pytest.approx(2 * math.log(6 / 6), abs=2e-3)
    assert found.loss == pytest.approx(entropy(12, 6, 3), abs=1e-5)


def test_rao_kupper_finds_the_three_shares() -> None:
    """Two numbers explain three shares exactly, so the loss is their entropy."""
    found = fit(TWO, answers(12, 6, 3), replace(LINEAR, ties="rao_kupper"))
    assert found.loss == pytest.approx(entropy(12, 6, 3), abs=1e-5)
    # P(first) = sigmoid(gap - width) = 12/21, P(second) = sigmoid(-gap - width) = 3/21
    first, second = math.log(12 / 9), math.log(3 / 18)
    gap = gaps(found.model, TWO, answers(1, 0, 0))[0]
    assert gap == pytest.approx((first - second) / 2, abs=2e-3)
    assert found.tie_width[0] == pytest.approx(-(first + second) / 2, abs=2e-3)


def entropy(*counts: int) -> float:
    shares = np.array(counts) / sum(counts)
    return float(-(shares * np.log(shares)).sum())


def test_a_linear_reward_is_found_from_trajectories() -> None:
    """The reward of a step that explains answers about sums is the one of most likelihood,
    found here by Newton's steps of logistic regression; it lies near the truth."""
    rng = np.random.default_rng(0)
    truth = np.array([1.0, -2.0, 0.5])
    segments = Segments.of([rng.normal(size=(5, 3)) for _ in range(200)])
    first, second = random_pairs(200, 2000, rng)
    sums = np.stack([segments.totals(column) for column in segments.rows.T], 1)
    apart = sums[first] - sums[second]
    label = (rng.random(2000) < sigmoid(apart @ truth)).astype(float)
    newton = np.zeros(3)
    for _ in range(20):
        chance = sigmoid(apart @ newton)
        bend = (apart * (chance * (1 - chance))[:, None]).T @ apart
        newton += np.linalg.solve(bend, apart.T @ (label - chance))
    assert newton == pytest.approx(truth, abs=0.25)
    whole = Fit(hidden=(), steps=600, rate=0.1, batch=2000, decay=0.0, held_out=0.0)
    model = fit(segments, Pairs(first, second, label), whole).model
    slope = model.scores(np.eye(3))[0] - model.scores(np.zeros((1, 3)))[0]
    assert slope == pytest.approx(newton, abs=0.01)


def sigmoid(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    made: npt.NDArray[np.float64] = 1 / (1 + np.exp(-x))
    return made


def test_a_general_model_learns_a_circle_that_no_worth_explains() -> None:
    """Rock, paper, scissors: a worth gets at most two of three right, a general model
    all."""
    three = Segments.of(np.eye(3)[:, None])
    circle = Pairs(np.array([0, 1, 2]), np.array([1, 2, 0]), np.ones(3))
    quick = Fit(steps=300, hidden=(16,), held_out=0.0, rate=0.02)
    assert fit(three, circle, quick).accuracy <= 2 / 3
    found = fit(three, circle, replace(quick, kind="general"))
    assert found.accuracy == 1.0
    table = score_table(found.model, three)
    assert cyclic_share(table) == 1.0
    chance = found.model.preferred(three.rows[:1], three.rows[1:2])
    assert chance == pytest.approx(1 / (1 + math.exp(-table[0, 1])))
    # Paid against the winner of the game, no move is better than another.
    fair = compared_with(found.model, three, von_neumann_winner(table))
    assert fair.scores(three.rows)[0] == pytest.approx(np.zeros(3), abs=1e-6)


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=20, deadline=None)
def test_steps_add_up_to_segments(seed: int, general: bool) -> None:
    """The rewards of a segment's steps sum to its score: against another segment by
    difference, against the reference of a general model."""
    rng = np.random.default_rng(seed)
    segments = Segments.of([rng.normal(size=(n, 2)) for n in (1, 4, 3)])
    pair = Pairs(np.array([0]), np.array([1]), np.ones(1))
    kind: Kind = "general" if general else "scalar"
    model = fit(
        segments, pair, Fit(kind=kind, steps=2, seed=seed, hidden=(4,), held_out=0.0)
    ).model
    paid = segments.totals(model.scores(segments.rows)[0])
    if general:
        (vectors,) = model.embed(segments.rows)
        whole = np.stack([segments.totals(column) for column in vectors.T], 1)
        assert paid == pytest.approx(contest(whole, model.references[0][None]))
        swapped = gaps(model, segments, Pairs(pair.second, pair.first, pair.label))
        assert gaps(model, segments, pair) == pytest.approx(-swapped)
    else:
        assert gaps(model, segments, pair)[0] == pytest.approx(paid[0] - paid[1])


def test_the_same_seed_learns_the_same() -> None:
    """Training draws from its seed alone; another seed learns something else."""
    rng = np.random.default_rng(0)
    segments = Segments.of([rng.normal(size=(3, 2)) for _ in range(30)])
    first, second = random_pairs(30, 50, rng)
    pairs = Pairs(first, second, (first > second).astype(float))
    made = [fit(segments, pairs, Fit(steps=20, seed=seed)) for seed in (1, 1, 2)]
    scores = [item.model.scores(segments.rows) for item in made]
    assert np.array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])


def test_members_agree_where_answers_are_and_differ_elsewhere() -> None:
    """Members are trained on pairs drawn anew: far from the data they differ more."""
    rng = np.random.default_rng(0)
    segments = Segments.of(rng.uniform(-1, 1, size=(200, 1, 1)))
    first, second = random_pairs(200, 400, rng)
    worth = segments.rows[:, 0]
    pairs = Pairs(first, second, (worth[first] > worth[second]).astype(float))
    model = fit(
        segments, pairs, Fit(members=3, steps=100, hidden=(16,), rate=0.01)
    ).model
    near, far = (model.scores(np.array([[x], [x + 0.2]])) for x in (0.0, 6.0))
    slopes = [np.diff(table, axis=1)[:, 0] for table in (near, far)]
    assert model.names == ("preference_1", "preference_2", "preference_3")
    assert (slopes[0] > 0).all()
    unsure = [x.std() / np.abs(x).mean() for x in slopes]
    assert unsure[0] < unsure[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "cyclic"}, "scalar or general"),
        ({"steps": 0}, "at least 1"),
        ({"held_out": 1.0}, "held_out"),
        ({"rate": 0.0}, "rate above 0"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    change: dict[str, object], words: str
) -> None:
    """Each setting has its range, and the message names it."""
    with pytest.raises(UsageError, match=words):
        Fit(**change)  # type: ignore[arg-type]


def test_data_that_cannot_be_learned_from_is_refused() -> None:
    """Missing segments, labels beyond 1, empty lists, NaN, odd references."""
    one = np.array([0])
    with pytest.raises(UsageError, match="there are 2"):
        fit(TWO, Pairs(one, one + 2, np.ones(1)))
    with pytest.raises(UsageError, match=r"lie in \[0, 1\]"):
        Pairs(one, one, np.array([1.5]))
    with pytest.raises(UsageError, match="at least one"):
        Pairs(one[:0], one[:0], np.ones(0))
    with pytest.raises(UsageError, match="not finite"):
        Segments.of([[math.nan]])
    with pytest.raises(UsageError, match="equally many numbers"):
        Segments.of([[1.0], [1.0, 2.0]])
    made = fit(TWO, answers(1, 0, 0), Fit(kind="general", steps=1)).model
    with pytest.raises(UsageError, match="not all 0"):
        compared_with(made, TWO, np.zeros(2))
    with pytest.raises(UsageError, match="a scalar model"):
        compared_with(fit(TWO, answers(1, 0, 0), LINEAR_ONCE).model, TWO, np.ones(2))
    with pytest.raises(UsageError, match="ties='half' for probabilities"):
        fit(
            TWO,
            Pairs(one, one + 1, np.array([0.3])),
            Fit(ties="davidson", held_out=0.0),
        )
    with pytest.raises(UsageError, match="at least two segments"):
        random_pairs(1, 1, np.random.default_rng(0))


def test_preferences_that_are_none_are_refused() -> None:
    """p and its transpose add up to 1."""
    with pytest.raises(UsageError, match=r"off by 0\.2"):
        von_neumann_winner(np.array([[0.5, 0.9], [0.3, 0.5]]))
    with pytest.raises(UsageError, match=r"\(n, n\)"):
        cyclic_share(np.zeros((1, 2)))


@given(st.integers(2, 7), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_nothing_beats_the_von_neumann_winner(n: int, seed: int) -> None:
    """Its chance against each item is at least a half."""
    upper = np.triu(np.random.default_rng(seed).random((n, n)), 1)
    table = upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(n)
    share = von_neumann_winner(table)
    assert share.sum() == pytest.approx(1.0)
    assert (share @ table).min() >= 0.5 - 1e-7


def test_a_ranking_has_no_circle() -> None:
    """Chances by worth are transitive; of five in a ring of two ahead, all but the
    transitive triples are circles."""
    worth = np.arange(5.0)
    assert cyclic_share(1 / (1 + np.exp(worth[None] - worth[:, None]))) == 0.0
    ring = np.array([[(b - a) % 5 in (1, 2) for b in range(5)] for a in range(5)])
    table = np.where(ring, 0.9, 0.1) * (1 - np.eye(5)) + 0.5 * np.eye(5)
    # Everybody beats two: 10 triples less 5 * C(2, 2) transitive ones.
    assert cyclic_share(table) == pytest.approx(5 / 10)
