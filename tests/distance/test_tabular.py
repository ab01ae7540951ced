"""STARC distances on finite processes: golden numbers, laws, bad input."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.distance import (
    KINDS,
    Kind,
    Successors,
    canonical,
    canonicalise,
    reachable,
    starc,
    starc_matrix,
)
from reward_synth.distance.process import as_process
from reward_synth.errors import UsageError
from tests.distance.mdps import (
    Values,
    golden_mdp,
    mdp,
    redistributed,
    reward,
    shaped,
)

ORIGINALS: tuple[tuple[Kind, str], ...] = (
    ("epic", "EPIC"),
    ("dard", "DARD"),
    ("value", "Value"),
    ("value_potential", "ValuePotential"),
)
DISCOUNT = 0.9
NORMS: tuple[Any, ...] = (1, 2, 3.5, np.inf, "weighted_1", "weighted_2", "weighted")
INVARIANT_TO_SPREAD: tuple[Kind, ...] = ("value", "minimal")
seeds = st.integers(0, 10_000)


def stopped_values(base: Values, process: Any, gamma: float) -> Values:
    """Return the uniform policy's values where the original stops: sweeps in place,
    until no value changes by 1e-8."""
    moves = process.weights
    paid = (moves * base).sum(2).mean(1)
    values, change = np.zeros(len(moves)), 1.0
    while change >= 1e-8:
        before = values.copy()
        for s in range(len(moves)):
            values[s] = paid[s] + gamma * (moves[s] @ values).mean()
        change = np.abs(values - before).max()
    return values


def errors(kind: Kind, name: str) -> float:
    """Return the largest difference from what the original printed."""
    moves, first, second, golden = golden_mdp()
    theirs = golden[name]
    form = canonicalise(first, moves, DISCOUNT, kind)
    apart = [
        starc(first, second, moves, DISCOUNT, kind, order, order, False)
        - theirs[f"dist_norm{key}_ord{key}"]
        for order, key in ((1, "1"), (2, "2"), (np.inf, "inf"))
    ]
    total = np.abs(form).sum() - theirs["canon_R1_sum"]
    return float(np.abs([*apart, *(form[0, 0] - theirs["canon_R1[0,0]"]), total]).max())


@pytest.mark.parametrize(("kind", "name"), ORIGINALS[:2])
def test_epic_and_dard_equal_the_originals(kind: Kind, name: str) -> None:
    """Canonical forms and un-halved distances are the original code's to 1e-9."""
    assert errors(kind, name) < 1e-9


@pytest.mark.parametrize(("kind", "name"), ORIGINALS[2:])
def test_value_kinds_equal_the_originals(
    kind: Kind, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original's values err by up to 1e-8 gamma / (1 - gamma) = 9e-8, ours are
    solved for. With the original's values the rest is its own to 1e-9."""
    assert errors(kind, name) < 48 * 9e-8  # 48 entries are summed up
    monkeypatch.setattr(canonical, "uniform_values", stopped_values)
    assert errors(kind, name) < 1e-9


@given(seeds, st.sampled_from(KINDS), st.sampled_from(NORMS), st.floats(0.01, 100))
@settings(max_examples=60, deadline=None)
def test_shaping_and_scale_change_nothing(
    seed: int, kind: Kind, norm: Any, scale: float
) -> None:
    """A shaped and positively scaled reward is at distance 0, its negative at 1."""
    moves = mdp(seed)
    base = reward(seed, moves)
    phi = 3 * np.random.default_rng(seed).normal(size=len(moves))
    other = scale * shaped(base, phi, DISCOUNT)
    assert starc(base, other, moves, DISCOUNT, kind, norm, norm) < 1e-7
    apart = starc(base, -other, moves, DISCOUNT, kind, norm, norm)
    assert apart == pytest.approx(1.0, abs=1e-7)


@given(seeds, st.sampled_from(KINDS))
@settings(max_examples=40, deadline=None)
def test_only_two_kinds_forget_how_a_reward_is_spread(seed: int, kind: Kind) -> None:
    """Redistribution over s' with the same expectation is 0 for VAL and minimal alone."""
    moves = mdp(seed)
    base = reward(seed, moves)
    apart = starc(base, redistributed(base, moves, seed), moves, DISCOUNT, kind)
    assert (apart < 1e-7) == (kind in INVARIANT_TO_SPREAD)


@given(seeds, st.sampled_from(KINDS), st.sampled_from(NORMS))
@settings(max_examples=40, deadline=None)
def test_distances_are_a_pseudometric(seed: int, kind: Kind, norm: Any) -> None:
    """Symmetric, at most 1 when halved, and no way round is shorter."""
    moves = mdp(seed)
    rewards = [reward(seed + number, moves) for number in range(3)]
    apart = starc_matrix(rewards, moves, DISCOUNT, kind, norm, norm)
    assert (apart == apart.T).all()
    assert apart.max() <= 1 + 1e-9
    assert apart[0, 2] <= apart[0, 1] + apart[1, 2] + 1e-9
    whole = starc_matrix(rewards, moves, DISCOUNT, kind, norm, norm, halved=False)
    np.testing.assert_allclose(whole, 2 * apart)


@given(seeds, st.sampled_from(("minimal", "minimal_potential")))
@settings(max_examples=30, deadline=None)
def test_minimal_forms_are_shortest(seed: int, kind: Kind) -> None:
    """No shaping, and for minimal no redistribution, makes the form shorter (L2)."""
    moves = mdp(seed)
    base = reward(seed, moves)
    form = canonicalise(base, moves, DISCOUNT, kind)
    phi = np.random.default_rng(seed).normal(size=len(moves))
    other = shaped(form, phi, DISCOUNT)
    if kind == "minimal":
        other = redistributed(other, moves, seed)
    for part in (0.01, 0.3, 1.0):
        mixed = form + part * (other - form)
        assert np.linalg.norm(mixed) >= np.linalg.norm(form) - 1e-9


def test_the_canonical_value_form_is_the_advantage_of_the_uniform_policy() -> None:
    """By hand: two states that stay, two actions; action 1 pays 1 in state 0.

    V(0) = 0.5 / (1 - 0.5) = 1, so action 1 has 1 + 0.5 - 1 = 0.5 and action 0 -0.5.
    """
    stay = np.zeros((2, 2, 2))
    stay[0, :, 0] = stay[1, :, 1] = 1.0
    paid = np.array([[0.0, 1.0], [0.0, 0.0]])
    form = canonicalise(paid, stay, 0.5)
    np.testing.assert_allclose(form[0, :, 0], [-0.5, 0.5])
    np.testing.assert_allclose(form[1], 0.0, atol=1e-15)


@pytest.mark.parametrize("kind", ["value", "minimal"])
def test_lists_of_successors_give_the_same(kind: Kind) -> None:
    """The two kinds that ignore s' are equal from arrays, lists and SciPy's matrices."""
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(5)
    moves = mdp(1, states=6) * (rng.random((6, 3, 6)) < 0.5)
    moves[:, :, 0] += 0.1
    moves /= moves.sum(2, keepdims=True)
    first, second = reward(1, moves), reward(2, moves)
    dense = starc(first, second, moves, DISCOUNT, kind)
    matrix = sparse.csr_matrix(moves.reshape(18, 6))
    one, two = (
        sparse.csr_matrix((r * (moves > 0)).reshape(18, 6)) for r in (first, second)
    )
    assert starc(one, two, matrix, DISCOUNT, kind) == pytest.approx(dense, abs=1e-9)


@pytest.mark.parametrize("kind", ["value_potential", "minimal_potential"])
def test_lists_of_successors_count_possible_transitions(kind: Kind) -> None:
    """Kinds that see s' run over possible transitions: shaping 0, negation 1."""
    rng = np.random.default_rng(3)
    following = np.stack([np.arange(8), (np.arange(8) + 1) % 8], 1)[:, None, :]
    process = Successors(following, rng.dirichlet(np.ones(2), (8, 1)))
    base, phi = rng.normal(size=(8, 1, 2)), rng.normal(size=8)
    other = 2 * base + 2 * (DISCOUNT * phi[following] - phi[:, None, None])
    assert starc(base, other, process, DISCOUNT, kind) < 1e-7
    assert starc(base, -other, process, DISCOUNT, kind) == pytest.approx(1, abs=1e-7)


def test_ten_thousand_states_take_less_than_five_seconds() -> None:
    """A wide and a long process; what is measured is in benchmarks/distances.py."""
    rng = np.random.default_rng(0)
    count = 10_000
    jumps = np.array([-1, 1, -100, 100])
    line = np.clip(np.arange(count)[:, None] + jumps, 0, count - 1)[:, :, None]
    process = Successors(line, np.ones((count, 4, 1)))
    goal, noise = np.zeros((count, 4)), rng.normal(size=(count, 4))
    goal[4_999, 1] = 1.0
    start = time.perf_counter()
    apart = starc(goal, noise, process, 0.99)
    assert time.perf_counter() - start < 5.0
    assert 0 < apart < 1


def test_a_constant_reward_is_nothing() -> None:
    """Its form is zero: ½ from every other reward, 0 from another constant one."""
    moves = mdp(0)
    constant = np.ones_like(moves)
    for kind in KINDS:
        assert starc(constant, reward(0, moves), moves, 0.9, kind) == pytest.approx(0.5)
        assert starc(constant, 0 * constant, moves, 0.9, kind) == 0.0


def test_norm_zero_divides_by_nothing() -> None:
    """Then the scale of rewards counts: twice a reward is its length away."""
    moves = mdp(0)
    base = reward(0, moves)
    form = canonicalise(base, moves, 0.9)
    apart = starc(base, 2 * base, moves, 0.9, norm=0, halved=False)
    assert apart == pytest.approx(np.linalg.norm(form))


def test_unreachable_states_count_unless_they_are_left_out() -> None:
    """A difference in a state that cannot be met is seen on the whole process, and not
    on the reachable part."""
    moves = mdp(0, states=4)
    moves[:3, :, 3] = 0.0
    moves /= moves.sum(2, keepdims=True)
    base = reward(0, moves)
    other = base.copy()
    other[3, 0] += 5.0
    met = reachable(moves, [0])
    assert met.tolist() == [True, True, True, False]
    assert starc(base, other, moves, 0.9) > 0.01
    part = np.ix_(met, np.arange(3), met)
    assert starc(base[part], other[part], moves[part], 0.9) < 1e-9


@pytest.mark.parametrize("kind", ["value", "value_potential"])
def test_values_need_a_discount_below_one(kind: Kind) -> None:
    """gamma=1 is refused with the kinds that can take it, and those take it."""
    moves = mdp(0)
    base = reward(0, moves)
    with pytest.raises(UsageError, match="gamma below 1, or kind='epic'"):
        canonicalise(base, moves, 1.0, kind)
    for other in ("epic", "dard", "minimal", "minimal_potential"):
        assert (
            starc(base, 3 * shaped(base, base[:, 0, 0], 1.0), moves, 1.0, other) < 1e-7
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reward": np.ones((4, 3))[:2]}, "shape"),
        ({"reward": np.full((4, 3, 4), np.nan)}, r"holds nan at \(0, 0, 0\)"),
        ({"transitions": np.ones((4, 3, 4))}, "sum to 4"),
        ({"transitions": np.ones((4, 4))}, r"\(states, actions, states\)"),
        ({"transitions": np.zeros((0, 2, 0))}, "empty"),
        ({"gamma": 1.5}, r"\[0, 1\]"),
        ({"kind": "valeu"}, "Did you mean 'value'"),
    ],
)
def test_misuse_is_named(change: dict[str, Any], said: str) -> None:
    """What cannot be canonicalised is refused with what was expected."""
    moves = mdp(0)
    given_: Any = {
        "reward": reward(0, moves),
        "transitions": moves,
        "gamma": 0.9,
    } | change
    with pytest.raises(UsageError, match=said):
        canonicalise(**given_)


@pytest.mark.parametrize("norm", [0.5, -1, "weighed"])
def test_what_is_no_norm_is_refused(norm: Any) -> None:
    """Numbers below 1 but 0, and unknown names."""
    moves = mdp(0)
    base = reward(0, moves)
    with pytest.raises(UsageError, match="norm="):
        starc(base, base, moves, 0.9, norm=norm)


@pytest.mark.parametrize("kind", ["epic", "dard"])
def test_kinds_that_ask_for_the_impossible_refuse_lists(kind: Kind) -> None:
    """EPIC and DARD read rewards that lists of successors do not hold."""
    process = Successors(np.zeros((1, 1, 1), int), np.ones((1, 1, 1)))
    with pytest.raises(UsageError, match="cannot happen"):
        starc(np.ones((1, 1)), np.ones((1, 1)), process, 0.9, kind)


@pytest.mark.parametrize(
    ("following", "chance", "said"),
    [
        ([[[0, 0]]], [[[0.5, 0.5]]], "twice"),
        ([[[1]]], [[[1.0]]], "numbers of states"),
        ([[[0]]], [[[0.9]]], "sum to 0.9"),
        ([[0]], [[1.0]], "must be"),
    ],
)
def test_lists_that_are_no_process_are_refused(
    following: Any, chance: Any, said: str
) -> None:
    """Doubled successors, unknown states, wrong sums and wrong shapes."""
    with pytest.raises(UsageError, match=said):
        Successors(np.array(following), np.array(chance))


def test_no_rewards_are_refused() -> None:
    """An empty list has no distances."""
    with pytest.raises(UsageError, match="at least one"):
        starc_matrix([], mdp(0), 0.9)


def test_a_sparse_matrix_must_be_whole() -> None:
    """Rows are a whole number of actions for each state."""
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(UsageError, match="states \\* actions"):
        as_process(sparse.csr_matrix(np.ones((3, 2)) / 2))
