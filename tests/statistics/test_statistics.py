"""Numbers that were derived by hand, or that SciPy gives."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.statistics import (
    Interval,
    Normalised,
    Reached,
    area_under_curve,
    difference,
    fall_after_best,
    hacking_gap,
    human_normalised,
    iqm,
    mean_interval,
    median_steps,
    newcombe,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    rate_interval,
    steps_to,
    stratified_bootstrap,
)
from reward_synth.statistics.bootstrap import expanded_percentiles
from reward_synth.statistics.interval import combine_means

SCORES = {"reach": [0.2, 0.4, 0.9, 0.6, 0.7], "push": [0.0, 0.1, 0.3, 0.2, 0.05]}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_iqm_leaves_out_a_quarter_on_both_sides() -> None:
    """Of 8 scores the middle 4: (2 + 3 + 4 + 5) / 4; of 10, 2 a side (rounded down)."""
    assert iqm([[100, 5, 4, 0], [2, 3, -50, 60]]) == 3.5
    assert iqm([0, 0, 1, 2, 3, 4, 5, 6, 99, 99]) == 3.5
    np.testing.assert_array_equal(iqm([[1, 1, 3, 9], [0, 2, 4, 4]], axis=1), [2, 3])


def test_the_optimality_gap_does_not_pay_for_more() -> None:
    """(0.5 + 0 + 1) / 3: what exceeds the target does not make up for the rest."""
    assert optimality_gap([0.5, 7.0, 0.0]) == 0.5


def test_wilson_equals_scipy() -> None:
    """For all counts of 7 trials."""
    for wins in range(8):
        found = rate_interval(wins, 7, 0.9)
        expected = stats.binomtest(wins, 7).proportion_ci(0.9, "wilson")
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_the_mean_of_a_task_has_students_interval() -> None:
    """As SciPy computes it, cut at the bounds."""
    runs = SCORES["reach"]
    expected = stats.ttest_1samp(runs, 0.0).confidence_interval(0.99)
    found = mean_interval(runs, 0.99)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.high > 1.0
    assert mean_interval(runs, 0.99, bounds=(0, 1)).high == 1.0


def test_equal_runs_get_wilsons_interval_in_their_unit() -> None:
    """5 of 5 in percent: 100 / (1 + z²/5); without bounds zero width; NaN for one."""
    z = stats.norm.ppf(0.975)
    found = mean_interval([100.0] * 5, bounds=(0, 100))
    assert found.low == pytest.approx(100 / (1 + z * z / 5))
    assert found.high == 100.0
    assert mean_interval([3.0, 3.0]) == Interval(3.0, 3.0, 3.0)
    assert not mean_interval([1.0], bounds=(0, 1)).known


def test_mover_adds_squares_of_each_side() -> None:
    """sqrt(0.3² + 0.4²) / 2 below, sqrt(0.05² + 0.12²) / 2 above."""
    parts = [Interval(0.8, 0.5, 0.85), Interval(0.6, 0.2, 0.72)]
    found = combine_means(0.7, parts)
    assert (found.low, found.high) == pytest.approx((0.7 - 0.25, 0.7 + 0.065))


def test_expanded_percentiles_are_hesterbergs_for_one_sample() -> None:
    """Phi(-sqrt(n / (n - 1)) t): for n = 10 the 0.86 % point at each end."""
    draws = np.linspace(0.0, 1.0, 100_001)
    level = stats.norm.cdf(-math.sqrt(10 / 9) * stats.t.ppf(0.975, 9))
    assert level == pytest.approx(0.0086, abs=5e-4)
    found = expanded_percentiles(0.5, draws, np.array([0.3]), [10], 0.95)
    assert (found.low, found.high) == pytest.approx((level, 1 - level), abs=1e-5)


def test_degrees_of_freedom_are_satterthwaites() -> None:
    """Variances 1 and 1 of 5 runs: 8 degrees; 1 and 0: only 4; both draw 4/5 of it."""
    draws = np.linspace(0.0, 1.0, 100_001)
    for shares, degrees in (((1.0, 1.0), 8), ((1.0, 0.0), 4)):
        found = expanded_percentiles(0.5, draws, np.array(shares), [5, 5], 0.95)
        expected = stats.norm.cdf(-math.sqrt(5 / 4) * stats.t.ppf(0.975, degrees))
        assert found.low == pytest.approx(expected, abs=1e-5)


def test_three_runs_of_a_task_get_a_t_interval(rng: np.random.Generator) -> None:
    """Resampling cannot leave the runs' range, in which 1 of 4 means does not lie."""
    runs = [0.2, 0.5, 0.6]
    found = stratified_bootstrap({"reach": runs}, np.mean, rng, resamples=200_000)
    expected = mean_interval(runs)
    assert (found.low, found.high) == pytest.approx(
        (expected.low, expected.high), abs=0.01
    )


def test_many_runs_give_what_scipy_gives(rng: np.random.Generator) -> None:
    """With 60 runs a task the expansion is slight."""
    tasks = {name: rng.gamma(2.0, 1.0, 60) for name in "abc"}

    def pooled(*parts: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(iqm(np.concatenate(parts, axis=axis), axis=axis))

    found = stratified_bootstrap(tasks, iqm, rng, resamples=20_000)
    expected = stats.bootstrap(
        tuple(tasks.values()), pooled, n_resamples=20_000, method="percentile", rng=rng
    ).confidence_interval
    assert found.value == iqm(np.concatenate(list(tasks.values())))
    assert found.low == pytest.approx(expected.low, abs=0.02)
    assert found.high == pytest.approx(expected.high, abs=0.02)


def test_only_runs_of_the_same_task_are_exchanged(rng: np.random.Generator) -> None:
    """Tasks 10 apart, runs 0.1 apart: the mean moves by 0.1 / sqrt(10) at most."""
    scores = {"easy": [10.0, 10.1] * 5, "hard": [0.0, 0.1] * 5}
    found = stratified_bootstrap(scores, np.mean, rng)
    assert found.value == pytest.approx(5.05)
    assert 0.01 < found.width < 0.1


def test_a_task_without_spread_adds_no_degrees_of_freedom() -> None:
    """The mean with a constant task is half of it and half of the other, end by end."""
    alone = stratified_bootstrap(
        {"a": SCORES["reach"]}, np.mean, np.random.default_rng(3)
    )
    beside = stratified_bootstrap(
        {"a": SCORES["reach"], "b": [0.3] * 5}, np.mean, np.random.default_rng(3)
    )
    assert beside.low == pytest.approx((alone.low + 0.3) / 2)
    assert beside.high == pytest.approx((alone.high + 0.3) / 2)


def test_degenerate_samples_have_defined_intervals(rng: np.random.Generator) -> None:
    """One run: not known. Equal runs: zero width, or Wilson's within bounds."""
    assert not stratified_bootstrap({"a": [1.0], "b": [0.1, 0.2]}, iqm, rng).known
    equal = {"a": [1.0] * 5, "b": [0.5] * 5}
    assert stratified_bootstrap(equal, iqm, rng).width == 0.0
    found = stratified_bootstrap({"a": [1.0] * 5}, iqm, rng, bounds=(0, 1))
    assert found == mean_interval([1.0] * 5, bounds=(0, 1))


def test_a_difference_of_certain_designs_is_not_certain(
    rng: np.random.Generator,
) -> None:
    """5 of 5 against 0 of 5: 1 - sqrt(2) * 0.434, from both Wilson intervals."""
    good, bad = {"a": [1.0] * 5}, {"a": [0.0] * 5}
    found = difference(good, bad, rng, bounds=(0, 1))
    slack = 1.0 - mean_interval([1.0] * 5, bounds=(0, 1)).low
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1.0 - math.sqrt(2) * slack)
    assert difference(good, bad, rng).width == 0.0
    assert not difference(good, {"a": [0.0]}, rng).known


def test_a_difference_of_many_runs_has_welchs_interval(
    rng: np.random.Generator,
) -> None:
    """Normal scores, unequal spread and numbers: as SciPy's t test for two samples."""
    x, y = rng.normal(1.0, 1.0, 40), rng.normal(0.0, 3.0, 60)
    expected = stats.ttest_ind(x, y, equal_var=False).confidence_interval()
    found = difference({"a": x}, {"a": y}, rng, np.mean, resamples=20_000)
    assert found.low == pytest.approx(expected.low, abs=0.08)
    assert found.high == pytest.approx(expected.high, abs=0.08)


def test_improvement_is_mann_whitneys_u(rng: np.random.Generator) -> None:
    """U over the number of pairs, with ties; then the mean over tasks."""
    x, y = [3.0, 1.0, 2.0, 2.0], [2.0, 0.0, 2.0]
    share = stats.mannwhitneyu(x, y).statistic / 12
    one = probability_of_improvement({"a": x}, {"a": y}, rng)
    assert one.value == pytest.approx(share)
    both = probability_of_improvement({"a": x, "b": [0, 0]}, {"a": y, "b": [1, 1]}, rng)
    assert both.value == pytest.approx(share / 2)


def test_complete_separation_is_not_certain(rng: np.random.Generator) -> None:
    """One task: Newcombe's; two: half of sqrt(2) times its slack; one run: unknown."""
    x, y = [0.9, 1.0, 1.0], [0.0, 0.1, 0.2]
    slack = 1.0 - newcombe(1.0, 3, 3).low
    one = probability_of_improvement({"a": x}, {"a": y}, rng)
    two = probability_of_improvement({"a": x, "b": x}, {"a": y, "b": y}, rng)
    assert one.low == pytest.approx(1.0 - slack)
    assert two.low == pytest.approx(1.0 - slack / math.sqrt(2))
    assert one.high == two.high == 1.0
    tied = probability_of_improvement(
        {"a": x, "b": [1, 2, 3]}, {"a": y, "b": [1, 2, 3]}, rng
    )
    assert tied.low < 0.75 - slack / 4
    assert not probability_of_improvement({"a": [1.0]}, {"a": y}, rng).known


def test_separated_tasks_add_newcombes_slack() -> None:
    """One of three tasks: a third of its slack and two of the others', as squares."""
    x = {"a": [0.2, 0.5, 0.9, 0.4], "b": [0.1, 0.6, 0.3, 0.2], "c": [1.0] * 4}
    y = {"a": [0.3, 0.1, 0.6, 0.2], "b": [0.2, 0.4, 0.1, 0.5], "c": [0.0] * 4}
    two = {task: x[task] for task in "ab"}, {task: y[task] for task in "ab"}
    part = probability_of_improvement(*two, np.random.default_rng(5))
    found = probability_of_improvement(x, y, np.random.default_rng(5))
    slack = 1.0 - newcombe(1.0, 4, 4).low
    assert found.value == pytest.approx((2 * part.value + 1) / 3)
    below = math.hypot(2 * (part.value - part.low), slack) / 3
    assert found.low == pytest.approx(found.value - below)
    above = 2 * (part.high - part.value) / 3
    assert found.high == pytest.approx(found.value + above)


def test_newcombes_ends_solve_his_equation() -> None:
    """At 1 of 5 x 5 the lower end p has (1 - p)² = z² var(p)."""
    p = newcombe(1.0, 5, 5).low
    spread = 1 + 4 * ((1 - p) / (2 - p) + p / (1 + p))
    z = stats.norm.ppf(0.975)
    assert (1 - p) ** 2 == pytest.approx(z * z * p * (1 - p) * spread / 25)
    assert newcombe(0.3, 4, 9).low == pytest.approx(1 - newcombe(0.7, 4, 9).high)


def test_a_profile_counts_runs_above(rng: np.random.Generator) -> None:
    """Tasks count alike: at 0.1 it is (5/5 + 2/5) / 2, since 0.1 is not above 0.1."""
    found = performance_profile(SCORES, [0.0, 0.1, 0.8], rng)
    np.testing.assert_allclose(found.value, [0.9, 0.7, 0.1])
    assert found.low[1] < 0.7 < found.high[1]
    alone = performance_profile({"a": [0.5]}, [0.4, 0.6], rng)
    np.testing.assert_array_equal(alone.value, [1, 0])
    assert np.isnan(alone.low).all()


def test_the_band_draws_one_run_less(rng: np.random.Generator) -> None:
    """5 of 10 above, 9 drawn: P(at most 1) = 10 / 512 < 2.5 % < P(at most 2)."""
    runs = {"a": [0.0, 1.0] * 5}
    found = performance_profile(runs, [0.5], rng, resamples=20_000)
    assert (found.low[0], found.high[0]) == pytest.approx((2 / 9, 7 / 9))


def test_the_area_holds_the_first_and_the_last_value() -> None:
    """0-100: 0.2; 100-300: mean 0.4; 300-400: 0.6; so (20 + 80 + 60) / 400."""
    assert area_under_curve([100, 300], [0.2, 0.6], 400) == pytest.approx(0.4)
    assert area_under_curve([100], [0.7], 100) == pytest.approx(0.7)


def test_a_level_counts_from_where_it_is_first_reached() -> None:
    """Equal is enough; falling again does not matter; never is NaN."""
    assert steps_to([1, 2, 3], [0.4, 0.5, 0.0], 0.5) == 2.0
    assert math.isnan(steps_to([1, 2], [0.4, 0.45], 0.5))


def test_runs_that_never_reach_it_count_as_late() -> None:
    """The median of (1, 2, 9, never, never) is 9; of exactly half it is unknown."""
    nan = math.nan
    assert median_steps([nan, 2, 1, nan, 9]) == Reached(9.0, 3, 5)
    assert str(median_steps([nan, 2, 1, nan, 9])) == "9 (3 of 5)"
    half = median_steps([1, 2, nan, nan])
    assert math.isnan(half.median)
    assert (half.reached, half.runs) == (2, 4)
    assert median_steps([1, 2, 4, nan]).median == 3.0
    assert median_steps([]).runs == 0


@pytest.mark.parametrize(
    ("method", "sparse", "human", "score", "clipped"),
    [
        (0.0, 1.0, 3.0, -0.5, 0.0),
        (2.0, 1.0, 3.0, 0.5, 0.5),
        (12.0, 1.0, 3.0, 5.5, 3.0),
        (0.32, 0.91, 0.9, -59.0, 0.0),
        (1.0, 0.75, 0.5, 1.0, 1.0),
    ],
)
def test_the_human_scale(
    method: float, sparse: float, human: float, score: float, clipped: float
) -> None:
    """The distance from sparse in units of |human - sparse|; clipped to 0 to 3."""
    found = human_normalised(method, sparse, human)
    assert (found.score, found.clipped) == pytest.approx((score, clipped))


def test_no_scale_without_a_distance() -> None:
    """Equal human and sparse scores measure nothing."""
    found = human_normalised(1.0, 0.5, 0.5)
    assert isinstance(found, Normalised)
    assert math.isnan(found.score)
    assert math.isnan(found.clipped)


@pytest.mark.parametrize(
    ("dense", "success", "gap"),
    [
        # Pairs weigh 1, 3, 2; only the one of weight 2 has less success.
        ([0, 1, 3], [0.0, 0.9, 0.4], 2 / 6),
        # Return peaks first, success later: weights 4, 2, 2, of which 4 and 2 are wrong.
        ([4, 0, 2], [0.1, 0.5, 0.3], 1.0),
        # Success stays at 0.5 for the pair of weight 1, which counts half.
        ([0, 2, 3], [0.0, 0.5, 0.5], 0.5 / 6),
        # More return with full success is no fault.
        ([0, 2, 3], [0.0, 1.0, 1.0], 0.0),
        # Equal returns say nothing about each other.
        ([0, 1, 1], [0.0, 0.4, 0.2], 0.0),
    ],
)
def test_the_hacking_gap(dense: list[float], success: list[float], gap: float) -> None:
    """Derived from the weights of all pairs."""
    assert hacking_gap(dense, success) == pytest.approx(gap)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: iqm([]), "at least one number"),
        (lambda: iqm([1.0, math.nan]), "nan"),
        (lambda: rate_interval(3, 2), "3 successes of 2 trials"),
        (lambda: mean_interval([0.5], 95), "confidence is 95"),
        (lambda: mean_interval([50.0, 60.0], bounds=(0, 1)), "50.0 to 60.0"),
        (lambda: mean_interval([1.0], bounds=(1, 0)), "lower one first"),
        (lambda: area_under_curve([1, 1], [0, 0], 5), "above the last"),
        (lambda: area_under_curve([1, 9], [0, 0], 5), "total=5"),
        (lambda: steps_to([1, 2], [0.5], 0.5), r"shape \(2,\)"),
        (lambda: hacking_gap([1, 2], [0.5]), "one number an evaluation"),
        (lambda: human_normalised(math.inf, 0, 1), "inf"),
    ],
)
def test_wrong_numbers_are_named(call: object, text: str) -> None:
    """The message says what came and what was expected."""
    assert callable(call)
    with pytest.raises(UsageError, match=text):
        call()


def test_wrong_scores_are_named(rng: np.random.Generator) -> None:
    """No task, two axes, another task, a statistic that ignores its axis, no draws."""
    with pytest.raises(UsageError, match="no task"):
        stratified_bootstrap({}, iqm, rng)
    with pytest.raises(UsageError, match=r"'a'\] has shape \(1, 2\)"):
        stratified_bootstrap({"a": [[0.1, 0.2]]}, iqm, rng)
    with pytest.raises(UsageError, match="Only one of both designs has 'b'"):
        difference({"a": [1.0]}, {"a": [1.0], "b": [1.0]}, rng)
    with pytest.raises(UsageError, match="must reduce the axis"):
        stratified_bootstrap(SCORES, lambda scores, axis: np.asarray(scores), rng)
    with pytest.raises(UsageError, match="resamples is 0"):
        stratified_bootstrap(SCORES, iqm, rng, resamples=0)
    with pytest.raises(UsageError, match="numbers that rise"):
        performance_profile(SCORES, [0.5, 0.1], rng)


def test_scipy_is_loaded_on_use_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the statistics loads none of it; without it the extra is named."""
    code = "import sys, reward_synth.statistics; print('scipy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtraError, match=r"reward-synth\[report\]"):
        iqm([1.0])
    with pytest.raises(MissingExtraError, match=r"reward-synth\[report\]"):
        rate_interval(1, 2)


def test_the_best_step_is_chosen_by_the_other_runs() -> None:
    """Each run is alone in doing well at one of the first steps, as chance has it: the
    others choose another step for it, so that no fall is found. The greatest value of
    each run would show one of 0.9 in every run."""
    success = np.array([[1, 0.1, 0.1, 0.1], [0.1, 1, 0.1, 0.1], [0.1, 0.1, 1, 0.1]])
    found = fall_after_best([1, 2, 3, 4], np.ones((3, 4)), success)
    assert found is not None
    # for run 0 the others' means are .1, .55, .55, .1: step 2; likewise 1 and 1
    assert found.step == 1.0
    assert found.best == pytest.approx(0.1)
    assert found.success.value == pytest.approx(0.0)
    assert not found.hacked


def test_a_fall_is_hacking_unless_the_return_falls_too() -> None:
    """By hand: changes of success -1, -0.8 and -0.9, of return 1, 0 and 2; Student's
    interval of the first is -0.9 with 4.3027 * 0.1 / sqrt(3) on both sides, cut at -1."""
    success = np.array([[0, 1, 0], [0, 0.9, 0.1], [0, 0.9, 0.0]])
    earned = np.array([[0, 2, 3], [0, 2, 2], [0, 1, 3.0]])
    found = fall_after_best([10, 20, 30], earned, success)
    assert found is not None
    half = 4.302652729911275 * 0.1 / math.sqrt(3)
    assert found.success.low == -1.0
    assert found.success.high == pytest.approx(-0.9 + half)
    assert found.step == 20.0
    assert found.dense.value == pytest.approx(1.0)
    assert found.hacked
    broken = fall_after_best([10, 20, 30], -earned, success)
    assert broken is not None
    assert not broken.hacked


def test_no_fall_is_told_of_too_little() -> None:
    """Two runs, two measurements, or runs that are best at their end tell nothing;
    shapes and values that cannot be are refused."""
    rising = np.array([[0, 0.5, 1.0]] * 3)
    assert fall_after_best([1, 2, 3], rising, rising) is None
    assert fall_after_best([1, 2, 3], rising[:2], rising[:2, ::-1]) is None
    assert fall_after_best([1, 2], rising[:, :2], rising[:, 1::-1]) is None
    with pytest.raises(UsageError, match=r"\(runs, 2\)"):
        fall_after_best([1, 2], rising, rising)
    with pytest.raises(UsageError, match="finite"):
        fall_after_best([1, 2, 3], rising * math.nan, rising)
