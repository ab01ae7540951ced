"""Budgets of steps and time: nothing is begun that does not fit, and nothing counts twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reward_synth.api.limits import Limits, Meter
from reward_synth.errors import BudgetReachedError, UsageError
from reward_synth.store import RunStore
from reward_synth.store.rows import TrialRow
from tests.agents.test_trial import spec


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"steps": 0}, "--max-train-steps must be at least 1, received 0"),
        ({"minutes": 0.0}, "--max-minutes must be a number above 0, received 0"),
        ({"minutes": float("nan")}, "received nan"),
        ({"minutes": float("inf")}, "received inf"),
    ],
)
def test_limits_without_meaning_are_refused(
    settings: dict[str, Any], says: str
) -> None:
    """The option, the value and what is allowed."""
    with pytest.raises(UsageError, match=says):
        Limits(**settings)


def test_steps_that_were_trained_count_once(tmp_path: Path) -> None:
    """120 of 300 are spent: one more training of 120 fits, two do not, a known one always."""
    first, second, third = spec(), spec(seed=1), spec(seed=2)
    with RunStore.open(tmp_path / "run", {}) as store:
        store.record_trial(TrialRow(first.key, "sparse", 0, first.config(), "ok"))
        meter = Meter(Limits(steps=300), store)
        meter.require_steps([first, second])
        meter.require_steps([first])
        with pytest.raises(BudgetReachedError, match=r"120 are spent.*take 240"):
            meter.require_steps([second, third])
        Meter(Limits(steps=360), store).require_steps([second, third])
        Meter(Limits(), store).require_steps([second, third])


def test_the_time_is_that_of_this_call(tmp_path: Path) -> None:
    """Half a minute is over after 30 seconds, not before."""
    now = [100.0]
    with RunStore.open(tmp_path / "run", {}) as store:
        meter = Meter(Limits(minutes=0.5), store, lambda: now[0])
        meter.checkpoint()
        now[0] += 29.9
        meter.checkpoint()
        now[0] += 0.2
        with pytest.raises(BudgetReachedError, match=r"time of 0\.5 minutes"):
            meter.checkpoint()
