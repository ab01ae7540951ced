"""What an agent did, in ten rows: of real episodes with a known course."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reward_synth.agents.traces import best_and_worst, record
from reward_synth.envs import resolve
from tests.agents.test_trial import TASK, Still, Swing, spec


def episode(model: Any, seed: int = 0, **kwargs: Any) -> Any:
    return record(model, spec(**kwargs).build_for_measurement(), TASK, seed)


def test_states_are_those_after_each_step() -> None:
    """The last state of a success is where the rule holds, and only there."""
    found = episode(Swing(), env=resolve(TASK.id))
    assert found.success[-1]
    assert not any(found.success[:-1])
    assert found.states[-1]["position"][0] >= 0.45 > found.states[-2]["position"][0]
    assert len(found.states) == len(found.success)


def test_ten_rows_from_the_first_to_the_last_step() -> None:
    """50 steps: rows evenly spaced, both ends among them, in the order of time."""
    (text,) = best_and_worst([episode(Still())])
    rows = [line for line in text.splitlines() if line[2:3].isdigit()]
    steps = [int(row.split("|")[1]) for row in rows]
    assert steps == [round(x) + 1 for x in np.linspace(0, 49, 10)]
    assert "50 steps, never a success." in text
    assert "| step | position | velocity | success |" in text


def test_success_counts_before_return() -> None:
    """The best is the one that succeeds, although it pays less; the worst never does."""
    still, swing = episode(Still()), episode(Swing())
    won = replace(swing, success=(*swing.success[:-1], True), env_return=-1.0)
    best, worst = best_and_worst([still, won])
    assert best.startswith(
        "Its best episode of 2: 50 steps, success first after step 50"
    )
    assert worst.startswith("Its worst episode: 50 steps, never")


@pytest.mark.parametrize("count", [1, 3])
def test_few_steps_have_few_rows(count: int) -> None:
    """No row stands twice."""
    short = episode(Still())
    cut = replace(short, states=short.states[:count], success=short.success[:count])
    (text,) = best_and_worst([cut])
    assert len([line for line in text.splitlines() if line[2:3].isdigit()]) == count
