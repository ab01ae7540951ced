"""Proxy up, truth down: found where it is there, and seldom where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.errors import UsageError
from reward_synth.probe import detect_hacking

STEPS = np.arange(30) * 1000.0
UP = np.linspace(0.0, 1.0, 30)
HILL = np.concatenate([np.linspace(0, 1, 12), np.linspace(1, 0.1, 19)[1:]])


def noise(seed: int, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return 0.05 * np.random.default_rng(seed).normal(size=shape)


def test_a_fall_under_a_rising_reward_is_found() -> None:
    """The peak, rise and fall are told; the finding names them in words."""
    found = detect_hacking(STEPS, UP + noise(0, 3, 30), HILL + noise(1, 3, 30))
    assert found is not None
    assert found.start == pytest.approx(11_000, abs=2000)
    assert found.proxy_gain == pytest.approx(18 / 29, abs=0.1)
    assert found.truth_loss == pytest.approx(0.9, abs=0.12)
    told = str(found.finding())
    assert "[reward-hacking]" in told
    assert "29000" in told


@pytest.mark.parametrize(
    ("proxy", "truth"),
    [
        (UP, UP),  # both rise
        (HILL, HILL),  # both fall
        (HILL, UP),  # the truth rises
        (UP, np.ones(30)),  # the truth stands still
        (UP, np.append(UP[:28], [0.5, 0.0])),  # two measurements are no trend
    ],
)
def test_other_courses_are_no_hacking(
    proxy: np.ndarray[tuple[int], np.dtype[np.float64]],
    truth: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """Only a lasting fall under a rising reward counts."""
    assert detect_hacking(STEPS, proxy, truth) is None


def test_noise_alone_is_seldom_taken_for_it() -> None:
    """Of 60 pairs of curves of pure noise at most 3 are flagged: both must trend."""
    flagged = [
        detect_hacking(STEPS, noise(2 * k, 30), noise(2 * k + 1, 30), permutations=199)
        for k in range(60)
    ]
    assert sum(item is not None for item in flagged) <= 3


def test_curves_that_cannot_be_read_are_refused() -> None:
    """Lengths agree, numbers are finite; too few measurements say nothing."""
    with pytest.raises(UsageError, match="each of 30 steps"):
        detect_hacking(STEPS, UP[:-1], HILL)
    with pytest.raises(UsageError, match="finite"):
        detect_hacking(STEPS, UP, np.append(HILL[:-1], np.nan))
    assert detect_hacking(range(5), range(5), range(5, 0, -1)) is None
