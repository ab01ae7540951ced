"""Trainings end early where the reward is earned without the task, and only there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.agents import run_trial
from reward_synth.agents.early import DOMINATED, HACKED, EarlyStop
from reward_synth.agents.warm_trainers import SHARED
from reward_synth.benchmarks.forgers import rising
from tests.agents.test_trial import TASK, spec

STEPS = 10


def curve(success: Sequence[float], paid: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {
            "step": step,
            "success_any": rate,
            "components": {"a": value / 2, "b": value / 2},
        }
        for step, (rate, value) in enumerate(zip(success, paid, strict=True), start=1)
    ]


def ended(stop: EarlyStop, success: Sequence[float], paid: Sequence[float]) -> Any:
    """Return the step at which a training ends, and why; None: it runs to its end."""
    whole = curve(success, paid)
    for count in range(1, len(whole) + 1):
        if why := stop.reason(whole[:count], STEPS):
            return count, why
    return None


UP = [float(n) for n in range(1, 11)]
CASES: dict[str, tuple[Sequence[float], Sequence[float], Any]] = {
    "success falls while the reward rises": (
        [0.2, 0.8, 0.9, 0.6, 0.5, 0.4, 0.2, 0.0, 0.0, 0.0],
        UP,
        (5, HACKED),  # the second evaluation that is 0.25 below 0.9
    ),
    "one bad evaluation": (
        [0.2, 0.8, 0.9, 0.6, 0.9, 0.9, 1.0, 1.0, 1.0, 1.0],
        UP,
        None,
    ),
    "both fall": (
        [0.2, 0.8, 0.9, 0.6, 0.5, 0.4, 0.2, 0.1, 0.1, 0.1],
        UP[::-1],
        None,
    ),
    "never a success, and the reward rises": ([0.0] * 10, UP, (6, HACKED)),
    "never a success, and the reward is flat": ([0.0] * 10, [3.0] * 10, None),
    "a late first success": ([0.0] * 5 + [0.1] * 5, UP, None),
    "good": ([0.1 * n for n in range(1, 11)], UP, None),
}


@pytest.mark.parametrize(("success", "paid", "expected"), CASES.values(), ids=CASES)
def test_what_is_hacked(
    success: Sequence[float], paid: Sequence[float], expected: Any
) -> None:
    """Success that falls for two evaluations, or never comes, while more is paid."""
    assert ended(EarlyStop(), success, paid) == expected


def test_what_is_dominated() -> None:
    """From half on: the best own success (0.3) below the other's mean so far. That one
    went 0, 0.2, 0.4, … 1.0: its mean is 0.4 at step 5, the first that is looked at."""
    bar = tuple((n, min(1.0, 0.2 * (n - 1))) for n in range(1, 11))
    assert ended(EarlyStop(bar), [0.3] * 10, [1.0] * 10) == (5, DOMINATED)
    assert ended(EarlyStop(bar), [0.9] * 10, [1.0] * 10) is None
    assert ended(EarlyStop(), [0.3] * 10, [1.0] * 10) is None


@given(st.lists(st.floats(0.01, 1), min_size=10, max_size=10).map(sorted))
def test_success_that_never_falls_is_never_hacked(success: list[float]) -> None:
    """Whatever is paid, once some success was met."""
    assert ended(EarlyStop(), success, UP) is None


@pytest.mark.parametrize(
    ("rule", "stopped"),
    [("position >= 0.45", {"step": 72, "why": HACKED}), ("position >= -10", None)],
)
def test_a_training_is_ended(rule: str, stopped: Any, tmp_path: Path) -> None:
    """A process that tells of more and more reward: where nothing succeeds it is ended at
    three fifths, and what it had learned by then is measured; where all succeeds it is
    not."""
    chosen = spec(
        "dense", task=TASK.with_success(rule), evaluations=5, early=EarlyStop()
    )
    result = run_trial(chosen, str(tmp_path), rising, SHARED.address())
    assert result.get("stopped") == stopped
    assert result["curve"][-1]["step"] == (72 if stopped else 120)
    assert result["selection"]["success_any"] == (0.0 if stopped else 1.0)
    assert not (tmp_path / "training").exists()
    assert spec("dense", early=EarlyStop()).key != spec("dense").key
