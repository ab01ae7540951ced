"""The screen: numbers derived by hand, and Spearman against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.kernels import RewardKernel
from reward_synth.language import parse
from reward_synth.reward import Rollout
from reward_synth.search import Screen, screen
from reward_synth.search.screening import alike, first_success
from tests.checks.small import SMALL, episode, reward


def kernel(*components: str) -> RewardKernel:
    ir = parse(reward(*components), SMALL).ir
    assert ir is not None
    assert ir.reward is not None
    return RewardKernel(ir.reward)


X = kernel('"a": x')


def win(*x: float, at: int = -1) -> Rollout:
    marks = [False] * len(x)
    marks[at] = True
    return episode(x, marks)


def fail(*x: float) -> Rollout:
    return episode(x, [False] * len(x))


def test_a_long_failure_does_not_beat_a_short_success() -> None:
    """Ten steps of 1 sum to 10, two of 1 and 3 to 4; over two steps it is 1 against 2.

    Two steps are too few for a correlation, so the preference alone is the score.
    """
    found = screen(X, [win(1.0, 3.0), fail(*[1.0] * 10)])
    assert (found.preference, found.progress, found.score) == (1.0, None, 1.0)
    assert found.basis == "1 successes and 1 failures among the rollouts"


def test_the_end_of_the_longer_one_is_compared() -> None:
    """The window is the last two steps before success (5) and of the failure (6)."""
    found = screen(X, [win(9.0, 5.0, 5.0), fail(6.0, 6.0)])
    assert found.preference == 0.0


def test_nothing_after_the_first_success_counts() -> None:
    """Up to success at step 1 the reward is 0, 1; what follows is not looked at."""
    assert (
        screen(X, [win(0.0, 1.0, -9.0, -9.0, at=1), fail(0.0, 0.0)]).preference == 1.0
    )


def test_preference_is_the_share_of_pairs() -> None:
    """Successes of mean 1 and 3 against failures of 2 and 3: wrong, wrong, right, tie.

    (0 + 0 + 1 + 0.5) / 4 = 0.375.
    """
    rollouts = [win(1.0, 1.0), win(3.0, 3.0), fail(2.0, 2.0), fail(3.0, 3.0)]
    assert screen(X, rollouts).preference == 0.375


def test_progress_is_the_rank_correlation_with_time() -> None:
    """0, 2, 1 has ranks 1, 3, 2: rho = 1 - 6 * (0 + 1 + 1) / (3 * 8) = 0.5."""
    found = screen(X, [win(0.0, 2.0, 1.0)])
    assert found.progress == pytest.approx(0.5)
    assert found.score == pytest.approx(0.5)
    both = screen(X, [win(0.0, 2.0, 1.0), win(5.0, 6.0, 7.0)])  # 0.5 and 1
    assert both.progress == pytest.approx(0.75)


def test_equal_values_share_their_rank() -> None:
    """0, 0, 1 has ranks 1.5, 1.5, 3: covariance 1.5, so rho = 1.5 / sqrt(1.5 * 2)."""
    assert screen(X, [win(0.0, 0.0, 1.0)]).progress == pytest.approx(1.5 / 3.0**0.5)
    assert screen(X, [win(2.0, 2.0, 2.0)]).progress == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3, 3).map(float), min_size=3, max_size=12))
def test_progress_is_spearmans(x: list[float]) -> None:
    """SciPy computes the same correlation, also with many ties."""
    stats = pytest.importorskip("scipy.stats")
    found = screen(X, [win(*x)]).progress
    if np.ptp(x) == 0.0:
        assert found == 0.0  # SciPy has no number for a constant
    else:
        expected = stats.spearmanr(x, np.arange(len(x))).statistic
        assert found == pytest.approx(expected, abs=1e-12)


def test_the_score_is_the_mean_of_both_less_warnings() -> None:
    """Preference 1 and progress 0.5 make 0.75; two warnings cost 0.1."""
    rollouts = [win(0.0, 2.0, 1.0), fail(-1.0, -1.0)]
    assert screen(X, rollouts).score == pytest.approx(0.75)
    assert screen(X, rollouts, warnings=2).score == pytest.approx(0.65)


@pytest.mark.parametrize("rollouts", [[fail(0.0, 1.0)], [episode((0.0, 1.0))]])
def test_without_success_only_variation_is_known(rollouts: list[Rollout]) -> None:
    """One of two components varies: half of 0.5, and the basis says why."""
    found = screen(kernel('"a": x', '"b": 1.0'), rollouts)
    basis = "no success among the rollouts, so by variation alone"
    assert found == Screen(0.25, None, None, 0.5, basis)


def test_first_success_needs_one() -> None:
    """The first of several successes counts; without any there is no index."""
    assert first_success(episode((0.0, 1.0, 2.0), [False, True, True])) == 1
    for rollout in (fail(0.0), episode((0.0,))):
        with pytest.raises(ValueError, match="success"):
            first_success(rollout)


def test_programs_that_order_steps_alike_count_as_one() -> None:
    """A scaled and shifted reward is alike; its negative and an unrelated one are not."""
    steps = np.array([0.0, 3.0, 1.0, 2.0, 5.0, 4.0])
    first = Screen(0.0, None, None, 1.0, "", order=steps)
    same = Screen(0.0, None, None, 1.0, "", order=steps.copy())
    turned = Screen(0.0, None, None, 1.0, "", order=5.0 - steps)
    other = Screen(0.0, None, None, 1.0, "", order=np.array([0.0, 1, 2, 3, 4, 5]))
    assert alike(first, same)
    assert not alike(first, turned)
    assert not alike(first, other)


def test_a_reward_without_order_is_alike_only_to_its_kind() -> None:
    """Two constant rewards are alike; a constant and a varying one are not."""
    flat = Screen(0.0, None, None, 0.0, "", order=np.ones(3))
    varied = Screen(0.0, None, None, 1.0, "", order=np.array([0.0, 1.0, 2.0]))
    assert alike(flat, flat)
    assert not alike(flat, varied)
