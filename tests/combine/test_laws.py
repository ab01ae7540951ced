"""The law of each combiner, for random components and on cases done by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.combine import (
    And,
    Anneal,
    ClipDelta,
    DynamicPotential,
    DynamicScale,
    Geometric,
    GroupNormalised,
    Hybrid,
    Lagrange,
    LogSigmoid,
    LookBack,
    Nearness,
    Or,
    OutcomeGate,
    Potential,
    Relative,
    Robust,
    Running,
    Schedule,
    SignBounded,
    Soft,
    Stratified,
    Uncertain,
    Worst,
    delta,
    look_ahead,
    regularised_relevance,
)
from reward_synth.distance import optimal_actions
from reward_synth.distance.process import Dense
from reward_synth.errors import UsageError
from tests.combine.every import Values, marks

number = st.floats(-50, 50)
tables = st.integers(1, 5).flatmap(
    lambda k: st.lists(st.lists(number, min_size=3, max_size=3), min_size=k, max_size=k)
)
NAMES = ("a", "b", "c", "d", "e")


def mixed(mix: Any, table: Any) -> Values:
    """Apply a mixture to rows of components."""
    given_ = np.array(table, np.float64)
    found: Values = mix(given_, NAMES[: len(given_)])
    return found


def episode(
    combiner: Any, rewards: Any, sparse: Any = None, **ends: Any
) -> list[float]:
    """Return what each step of one episode pays; it ends with the last."""
    state, paid = combiner.init({}), []
    for step, value in enumerate(rewards):
        last = step == len(rewards) - 1
        given_ = np.array([0.0 if sparse is None else sparse[step]])
        context = marks(1, last) if not ends else marks(1, truncated=last)
        reward, state = combiner.combine(
            state, given_, {"r": np.array([value])}, context
        )
        paid.append(float(reward[0]))
    return paid


def test_shaping_leaves_the_optimal_policies_of_1000_random_tasks() -> None:
    """The combiner's rewards on all transitions have the same optimal actions, while
    adding the potential itself as a reward changes them in most tasks."""
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(1000):
        moves = rng.dirichlet(np.ones(5), (5, 3))
        paid = rng.integers(0, 2, (5, 3, 5)).astype(float)
        phi = 5 * rng.normal(size=5)
        s, a, t = (x.reshape(-1) for x in np.indices(paid.shape))
        shaping = Potential(0.9)
        given_ = {"potential": phi[t]}
        shaped, _ = shaping.combine(
            shaping.init({"potential": phi[s]}), paid[s, a, t], given_, marks(len(s))
        )
        process = Dense(moves)
        rewards = [paid, shaped.reshape(paid.shape), paid + phi]
        best = [optimal_actions((moves * r).sum(2), process, 0.9) for r in rewards]
        assert (best[0] == best[1]).all()
        changed += bool((best[0] != best[2]).any())
    assert changed > 500


@given(st.lists(number, min_size=2, max_size=12), st.floats(0.1, 1.0), st.booleans())
@settings(max_examples=50, deadline=None)
def test_shaping_that_changes_telescopes(
    phi: list[float], gamma: float, terminated: bool
) -> None:
    """With weights w_t, sum gamma^t F_t = gamma^T w_T phi(s_T) - w_0 phi(s_0)."""
    schedule = Schedule(2.0, -1.0, 5)
    shaping = DynamicPotential(gamma, schedule)
    state = shaping.init({"potential": np.array(phi[:1])})
    earned = 0.0
    for step, value in enumerate(phi[1:]):
        last = step == len(phi) - 2
        paid, state = shaping.combine(
            state,
            np.zeros(1),
            {"potential": np.array([value])},
            marks(1, terminated and last),
        )
        earned += gamma**step * float(paid[0])
    count = len(phi) - 1
    end = 0.0 if terminated else gamma**count * schedule(count) * phi[-1]
    assert earned == pytest.approx(end - schedule(0) * phi[0], abs=1e-7)


@given(st.lists(number, min_size=1, max_size=12), st.floats(0.2, 1.0))
@settings(max_examples=50, deadline=None)
def test_advice_telescopes_and_looks_back_on_what_looking_ahead_pays(
    phi: list[float], gamma: float
) -> None:
    """Look-back sums up, discounted, to gamma^T phi_T; divided by gamma and a step
    earlier it is look-ahead, which sums up to -phi_0 at a terminal state."""
    back = episode(LookBack(gamma), phi)
    whole = sum(gamma**t * x for t, x in enumerate(back))
    assert whole == pytest.approx(gamma ** (len(phi) - 1) * phi[-1], abs=1e-6)
    ahead = look_ahead(np.array(phi), gamma, terminated=True)
    np.testing.assert_allclose(
        ahead[:-1], gamma * np.array(back[1:]), rtol=1e-9, atol=1e-9
    )
    whole = sum(gamma**t * x for t, x in enumerate(ahead))
    assert whole == pytest.approx(-phi[0], abs=1e-6)


def test_advice_after_a_truncated_step_is_not_made_up() -> None:
    """The next action is unknown, so the last step has none."""
    assert look_ahead(np.array([1.0, 4.0]), 0.5, terminated=False).tolist() == [
        1.0,
        0.0,
    ]


@given(tables, st.floats(0, 5))
@settings(deadline=None)
def test_uncertainty_never_pays_more_than_the_mean(table: Any, strength: float) -> None:
    """At most the mean, falling with the strength, equal where members agree; the two
    variances differ by k / (k - 1)."""
    mean = np.mean(table, 0)
    weak, strong = (mixed(Uncertain(x), table) for x in (strength, strength + 1))
    assert (strong <= weak + 1e-9).all()
    assert (weak <= mean + 1e-9).all()
    agreed = mixed(Uncertain(strength), [table[0]] * 3)
    np.testing.assert_allclose(agreed, table[0], atol=1e-9)
    count = len(table)
    if count > 1:
        zero, one = (mean - mixed(Uncertain(1.0, ddof), table) for ddof in (0, 1))
        np.testing.assert_allclose(one * (count - 1), zero * count, atol=1e-6)


@given(tables, st.floats(0, 1))
@settings(deadline=None)
def test_the_worst_case_bounds_and_trust_interpolates(table: Any, trust: float) -> None:
    """The least is below every member; BRME lies between it and the nominal one."""
    worst = mixed(Worst(), table)
    assert (worst <= np.array(table)).all()
    robust = mixed(Robust(trust, nominal="a"), table)
    expected = trust * np.array(table[0]) + (1 - trust) * worst
    np.testing.assert_allclose(robust, expected, atol=1e-9)


@given(tables)
@settings(deadline=None)
def test_and_or_are_logs_of_chances(table: Any) -> None:
    """AND is below every member's log-chance and OR above; AND, OR <= 0; with one member
    both are log sigmoid; De Morgan: 1 - exp(OR(r)) = exp(AND(-r))."""
    both, any_ = mixed(And(), table), mixed(Or(), table)
    each = LogSigmoid()(np.array(table))
    assert (both <= each.min(0) + 1e-12).all()
    assert (any_ >= each.max(0) - 1e-9).all()
    assert (any_ <= 0).all()
    np.testing.assert_allclose(
        1 - np.exp(any_), np.exp(mixed(And(), -np.array(table))), atol=1e-9
    )
    np.testing.assert_allclose(mixed(And(), table[:1]), each[0])
    np.testing.assert_allclose(mixed(Or(), table[:1]), each[0], atol=1e-9)


def test_and_or_limits() -> None:
    """A member far above its reference drops out of AND and decides OR (0); one far
    below drops out of OR and decides AND (its own value). Both stay exact where chances
    leave floats: OR of two at -800 is log 2 - 800."""
    high, low = 500.0, -500.0
    np.testing.assert_allclose(
        mixed(And(), [[high], [0.3]]), LogSigmoid()(np.array([0.3]))
    )
    np.testing.assert_allclose(
        mixed(Or(), [[low], [0.3]]), LogSigmoid()(np.array([0.3]))
    )
    assert mixed(Or(), [[high], [0.3]])[0] == 0.0
    assert mixed(And(), [[low], [high]])[0] == pytest.approx(low)
    assert mixed(Or(), [[-800.0], [-800.0]])[0] == pytest.approx(np.log(2) - 800)
    centred = And(references={"a": 2.0, "b": 1.0})
    assert mixed(centred, [[2.0], [1.0]])[0] == pytest.approx(-2 * np.log(2))


@given(tables, st.floats(0.05, 10))
@settings(deadline=None)
def test_soft_extremes_lie_between_the_mean_and_the_extreme(
    table: Any, tau: float
) -> None:
    """Soft max from the mean up to the greatest, soft min mirrored; equal members stay."""
    mean, high, low = (f(table, 0) for f in (np.mean, np.max, np.min))
    above, below = mixed(Soft(tau), table), mixed(Soft(-tau), table)
    assert ((mean - 1e-9 <= above) & (above <= high + 1e-9)).all()
    assert ((low - 1e-9 <= below) & (below <= mean + 1e-9)).all()
    np.testing.assert_allclose(mixed(Soft(-tau), -np.array(table)), -above, atol=1e-9)


@pytest.mark.parametrize(("tau", "expected"), [(1e-3, 5.0), (-1e-3, 1.0), (1e6, 3.0)])
def test_limits_of_soft_extremes(tau: float, expected: float) -> None:
    """Near 0 the greatest or the least, far from it the mean."""
    assert mixed(Soft(tau), [[1.0], [5.0]])[0] == pytest.approx(expected, abs=1e-3)


@given(tables)
@settings(deadline=None)
def test_geometric_signs_and_size(table: Any) -> None:
    """Positive iff all are, 0 iff one is 0, else negative: two negatives too; its size
    is the geometric mean of sizes; scaling all scales it."""
    given_ = np.array(table)
    found = mixed(Geometric(), given_)
    if len(given_) == 1:
        np.testing.assert_array_equal(found, given_[0])
        return
    zero = (given_ == 0).any(0)
    sign = np.where(zero, 0, np.where((given_ > 0).all(0), 1, -1))
    with np.errstate(divide="ignore"):
        size = np.exp(np.log(np.abs(given_)).mean(0))
    np.testing.assert_allclose(found, sign * size, rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose(mixed(Geometric(), 4 * given_), 4 * found, rtol=1e-9)


def test_geometric_means_neither_overflow_nor_vanish() -> None:
    """Five of 1e300 are 1e300, of 1e-300 they are 1e-300."""
    for size in (1e300, 1e-300):
        assert mixed(Geometric(), [[size]] * 5)[0] == pytest.approx(size)


def test_nearness_falls_from_one() -> None:
    """1 at 0, exp(-½) at the reach; dispersion widens and density lifts it."""
    near = Nearness(2.0)
    found = near(np.array([-1.0, 0.0, 2.0, 9.0]))
    assert found[:2].tolist() == [1.0, 1.0]
    assert found[2] == pytest.approx(np.exp(-0.5))
    assert found[3] < found[2]
    wide = Nearness(2.0, dispersion=3.0)(np.array([6.0]))[0]
    lifted = Nearness(2.0, density=2.0)(np.array([2.0]))[0]
    assert (wide, lifted) == (pytest.approx(np.exp(-0.5)), pytest.approx(np.exp(-0.25)))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 1))
@settings(deadline=None)
def test_clipped_differences_have_a_bounded_sum(
    rewards: list[float], ceiling: float
) -> None:
    """After step k all that is paid sums up to r_k clipped, so the return is that of
    the first step, in [-ceiling, 0], however long the episode."""
    paid = episode(ClipDelta(ceiling), rewards)
    clipped = np.minimum(np.array(rewards) - ceiling, 0.0)
    for k in range(len(rewards)):
        assert sum(paid[k + 1 :]) + (k == len(rewards) - 1) * paid[k] == pytest.approx(
            clipped[k] if k < len(rewards) - 1 else paid[k], abs=1e-9
        )
    assert sum(paid) == pytest.approx(clipped[0], abs=1e-9)
    assert -ceiling - 1e-9 <= sum(paid) <= 1e-9
    whole = delta(np.array(rewards))
    np.testing.assert_allclose(np.cumsum(whole[::-1])[::-1], rewards, atol=1e-9)
    only = episode(ClipDelta(ceiling, differenced=False), rewards)
    np.testing.assert_allclose(only, clipped, atol=1e-12)


def test_a_step_that_cannot_be_read_leaves_the_sum() -> None:
    """3, NaN, 1: the NaN pays nothing, then 3 - 1, then what is left: 3 in all."""
    paid = episode(ClipDelta(clipped=False), [3.0, np.nan, 1.0])
    assert paid == [0.0, 0.0, 3.0]


@pytest.mark.parametrize("form", ["mu", "xi"])
def test_multipliers_converge_where_the_answer_is_known(
    form: Any,
) -> None:
    """A choice p pays the task -p and the constraint p, which is to be 0.3. A learner
    climbs the mixture's advantages: the mean of p over time becomes 0.3, and on the mean
    neither choice is better: the pull s x 1 + (1 - |s|) x -1 is 0."""
    mix = Lagrange(
        {"safe": 0.3}, form=form, rate=0.5, momentum=0.1, acts_on="advantage"
    )
    state, logit, met, shares = mix.init({}), 0.0, [], []
    advantages = np.array([-0.5, 0.5])  # of not choosing and choosing
    for step in range(6000):
        p = 1 / (1 + np.exp(-logit))
        mixed_, _ = mix.combine(state, -advantages, {"safe": advantages}, marks(2))
        logit += 0.5 * p * (1 - p) * (mixed_[1] - mixed_[0])
        state = mix.learn(state, {"safe": p})
        if step >= 3000:
            met.append(p)
            shares.append(mix.shares(state)[0])
    assert np.mean(met) == pytest.approx(0.3, abs=0.02)
    pull = np.array(shares) - (1 - np.abs(shares))
    assert np.mean(pull) == pytest.approx(0.0, abs=0.05)


def test_multipliers_learn_from_episodes() -> None:
    """On steps the sum of an episode counts: 1 + 1 of 3 are missing 1, so mu = rate; a
    truncated episode counts as well, and running ones do not."""
    mix = Lagrange({"r": 3.0}, rate=0.25, momentum=0.0)
    state = mix.init({})
    one = {"r": np.ones(2)}
    _, state = mix.combine(state, np.zeros(2), one, marks(2))
    assert state.shared["multipliers"].tolist() == [0.0]
    _, state = mix.combine(
        state, np.zeros(2), one, marks(2, truncated=np.array([True, False]))
    )
    assert state.shared["multipliers"].tolist() == [0.25]
    assert state.lanes["r"].tolist() == [0.0, 2.0]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(0.1, 100), number)
@settings(deadline=None)
def test_groups_are_told_apart_whatever_their_scale(
    rewards: list[float], scale: float, shift: float
) -> None:
    """Per group the mean is 0; scaling and shifting a component changes little: eps is
    all that sees the scale."""
    r = np.array(rewards * 2)
    if np.std(rewards) < 0.1:
        return
    group = np.repeat([7, 3], len(rewards))
    context = marks(len(r))
    context = type(context)(context.terminated, context.valid, group=group)
    plain = GroupNormalised({"sparse": 0.0, "a": 1.0}, whiten=False)
    found, _ = plain.combine(None, 0 * r, {"a": r}, context)
    np.testing.assert_allclose(found[: len(rewards)].mean(), 0, atol=1e-9)
    other, _ = plain.combine(None, 0 * r, {"a": scale * r + shift}, context)
    np.testing.assert_allclose(other, found, atol=0.05)


def test_normalising_first_keeps_what_summing_first_hides() -> None:
    """GDPO's reason: a component a hundred times as large drowns another one in the
    sum, and does not where each is normalised first."""
    small, large = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 100.0, 100.0])
    rows = {"small": small, "large": large}
    first, _ = GroupNormalised().combine(None, 0 * small, rows, marks(4))
    summed, _ = GroupNormalised(together=True).combine(None, 0 * small, rows, marks(4))
    assert first[1] - first[0] == pytest.approx(first[2] - first[0], rel=1e-2)
    assert summed[1] - summed[0] < 0.02 * (summed[2] - summed[0])


def test_what_does_not_apply_is_left_out_of_its_group() -> None:
    """A NaN gets 0 and leaves the others' mean alone: 1 and 3 around 2."""
    r = np.array([1.0, np.nan, 3.0])
    found, _ = GroupNormalised(whiten=False).combine(None, 0 * r, {"a": r}, marks(3))
    root = 1 / np.sqrt(2)
    np.testing.assert_allclose(found, [-root, 0, root], atol=1e-3)


def test_a_group_of_huge_equal_rewards_is_told_nothing() -> None:
    """Equal rewards have the score 0, however large."""
    for size in (1e308, 1e50, 0.1):
        r = np.full(3, size)
        for together in (False, True):
            combiner = GroupNormalised(together=together)
            found, _ = combiner.combine(None, 0 * r, {"a": r}, marks(3))
            assert np.abs(found).max() < 1e-9


@given(
    st.lists(st.tuples(number, st.booleans()), min_size=1, max_size=9),
)
@settings(deadline=None)
def test_no_wrong_sample_earns_more_than_a_right_one(samples: Any) -> None:
    """Right ones in [0.7, 1], wrong ones in [0, 0.3]; within a band in the order of
    their process rewards."""
    process, outcome = (np.array(x, np.float64) for x in zip(*samples, strict=True))
    found, _ = Stratified().combine(None, outcome, {"p": process}, marks(len(process)))
    right = outcome == 1
    assert ((found[right] >= 0.7) & (found[right] <= 1.0)).all()
    assert ((found[~right] >= 0.0) & (found[~right] <= 0.3)).all()
    for band in (right, ~right):
        order = np.argsort(process[band], kind="stable")
        assert (np.diff(found[band][order]) >= -1e-12).all()


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=9), st.booleans())
@settings(deadline=None)
def test_process_rewards_have_the_sign_of_the_outcome(
    process: list[float], won: bool
) -> None:
    """Nothing is paid before the end; then at most 0 if the outcome is wrong, at least 0
    if it is right, and sum of p + o - 1 with p cut to [0, 1]."""
    sparse = [0.0] * (len(process) - 1) + [float(won)]
    paid = episode(OutcomeGate(), process, sparse)
    assert paid[:-1] == sparse[:-1]
    gated = paid[-1] - sparse[-1]
    assert gated == pytest.approx(float((np.clip(process, 0, 1) + won - 1).sum()))
    assert gated >= 0 if won else gated <= 0


@given(
    st.lists(st.tuples(st.integers(-9, 9), number), min_size=1, max_size=6),
    st.floats(0.01, 99),
)
@settings(deadline=None)
def test_the_scale_of_a_component_does_not_matter(rows: Any, factor: float) -> None:
    """Dynamic scaling pays the same for a component multiplied by a positive number."""

    def played(scale: float) -> list[Values]:
        combiner, paid = DynamicScale(), []
        state = combiner.init({})
        for a, b in rows:
            given_ = {"a": np.array([scale * a]), "b": np.array([b])}
            reward, state = combiner.combine(state, np.zeros(1), given_, marks(1))
            paid.append(reward)
        return paid

    np.testing.assert_allclose(played(factor), played(1.0), rtol=1e-6, atol=1e-6)


@given(st.lists(number, min_size=1, max_size=30))
@settings(deadline=None)
def test_running_moments_are_those_of_all_rewards(rewards: list[float]) -> None:
    """Met in three batches, mean and deviation are NumPy's of everything."""
    scale = Running("z_score")
    state = scale.init({})
    for part in np.array_split(np.array(rewards), 3):
        _, state = scale.combine(state, 0 * part, {"r": part}, marks(len(part)))
    assert state.shared["mean"] == pytest.approx(np.mean(rewards), abs=1e-9)
    spread = np.sqrt(state.shared["square"] / state.shared["count"])
    assert spread == pytest.approx(np.std(rewards), abs=1e-6)


def test_equal_rewards_have_no_scale() -> None:
    """Where nothing differs: 0, the reward itself, ½; the original divides by 0."""
    same = np.full(3, 4.0)
    for how, expected in (("z_score", 0.0), ("clip", 4.0), ("min_max", 0.5)):
        scale: Any = Running(how)  # type: ignore[arg-type]  # the names of Scaling
        paid, _ = scale.combine(scale.init({}), 0 * same, {"r": same}, marks(3))
        assert paid.tolist() == [expected] * 3


@given(number, st.lists(number, min_size=1, max_size=4))
@settings(deadline=None)
def test_signs_bound_the_dense_part(sparse: float, parts: list[float]) -> None:
    """A right step with the worst dense reward beats a neutral one with the best."""
    rows = {NAMES[k]: np.array([x]) for k, x in enumerate(parts)}
    paid, _ = SignBounded(0.1).combine(None, np.array([sparse]), rows, marks(1))
    assert abs(paid[0] - np.sign(sparse)) <= 0.1 + 1e-12


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 1))
@settings(deadline=None)
def test_aspects_without_confidence_drop_out(a: float, b: float, sure: float) -> None:
    """Equal aspects give themselves; at confidence 0 the other one alone; a length
    beyond the limit costs its price, one below nothing."""
    judge = Hybrid({"a": 2.0, "b": 1.0}, {"b": "c"})
    assert mixed(judge, [[a], [a], [sure]])[0] == pytest.approx(a)
    assert mixed(judge, [[a], [b], [0.0]])[0] == pytest.approx(a)
    assert mixed(Hybrid({"a": 1.0}, {"a": "b"}), [[a], [0.0]])[0] == 0.0
    long = Hybrid({"a": 1.0}, length="b", limit=10.0, price=0.5)
    paid = mixed(long, [[a] * 3, [5.0, 10.0, 30.0]])
    np.testing.assert_allclose(paid, [a, a, a - 1.0])


def test_relevance_takes_its_share() -> None:
    """(1 - 0.25) x 4 + 0.25 x 8 - 0.5 x 2 = 4."""
    blend = regularised_relevance("near", "long", share=0.25, price=0.5)
    rows = {"long": np.array([2.0]), "near": np.array([8.0])}
    assert blend.combine(None, np.array([4.0]), rows, marks(1))[0][0] == 4.0


@pytest.mark.parametrize("course", ["linear", "cosine", "exponential", "step"])
def test_schedules_go_from_first_to_last(course: Any) -> None:
    """They begin with the first number, never turn, and end at the last one."""
    schedule = Schedule(2.0, 0.5, 100, course)
    values = [schedule(step) for step in range(0, 201, 5)]
    assert values[0] == 2.0
    assert all(second <= first for first, second in pairwise(values))
    assert values[20] == pytest.approx(0.5, abs=0.02)
    assert min(values) >= 0.5


def test_annealing_counts_the_steps_of_all_environments() -> None:
    """Two lanes use up a schedule of 4 steps in two calls; reset steps count nothing."""
    fade = Anneal(Schedule(1.0, 0.0, 4), Schedule(0.0, 1.0, 4))
    state, ones = fade.init({}), np.ones(2)
    paid = []
    for valid in (True, False, True, True):
        reward, state = fade.combine(
            state, 10 * ones, {"r": ones}, marks(2, valid=valid)
        )
        paid.append(float(reward[0]))
    assert paid == [1.0, 5.0, 5.5, 10.0]


@given(number, st.lists(number, min_size=1, max_size=5))
@settings(deadline=None)
def test_shapes_rise_and_stay_in_their_bounds(reward: float, refs: list[float]) -> None:
    """PAR lies in [0, 1], tanh in [-1, 1], and more reward is never paid less."""
    for how, low, high in (("sigmoid", 0, 1), ("tanh", -1, 1), ("slow", 0, 1)):
        shape: Any = Relative(tuple(refs), how)  # type: ignore[arg-type]  # of Against
        first, second = shape(np.array([reward, reward + 1.0]))
        assert low <= first <= second <= high


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uncertain(-1.0),
        lambda: Uncertain(1.0, ddof=2),
        lambda: Robust(2.0),
        lambda: mixed(Robust(0.5, nominal="z"), [[1.0]]),
        lambda: Relative(()),
        lambda: Relative((np.nan,)),
        lambda: Relative(how="sine"),  # type: ignore[arg-type]
        lambda: LogSigmoid.at([1.0]),
        lambda: Soft(0.0),
        lambda: Nearness(0.0),
        lambda: Hybrid({}),
        lambda: Lagrange({}),
        lambda: Lagrange({"a": 1.0}, rate=0.0),
        lambda: Lagrange({"a": 1.0}, form="nu"),  # type: ignore[arg-type]
        lambda: Lagrange({"a": 1.0}, acts_on="group"),
        lambda: Schedule(1.0, 0.0, 0),
        lambda: Schedule(1.0, 0.0, 5, "wave"),  # type: ignore[arg-type]
        lambda: Stratified(0.8, 0.2),
        lambda: Running("rank"),  # type: ignore[arg-type]
        lambda: DynamicScale(memory=0.0),
        lambda: regularised_relevance("a", "b", share=2.0),
        lambda: delta(np.zeros(0)),
        lambda: look_ahead(np.zeros(0), 0.9, terminated=True),
    ],
)
def test_settings_out_of_range_are_refused(make: Any) -> None:
    """Each raises a UsageError that names the value."""
    with pytest.raises(UsageError):
        make()
