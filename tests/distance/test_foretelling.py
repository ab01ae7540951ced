"""The benchmark of distances: its times, its candidates and its rank correlation."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.benchmarks.distances import (
    _spearman,
    candidates,
    foretelling,
    sampled_times,
    tabular_times,
)
from reward_synth.distance import KINDS, starc
from reward_synth.envs.gridworld import GridEnv
from reward_synth.envs.gridworld_tasks import TASKS


def test_the_first_candidate_is_the_truth_in_other_words() -> None:
    """It is at distance 0, and the last one is noise."""
    moves, truth = GridEnv("GridCliff-v0").tables.dense()
    rewards = candidates(truth, moves, 3, seed=0)
    assert starc(rewards[0], truth, moves, 0.99) < 1e-6
    assert starc(rewards[-1], truth, moves, 0.99) > 0.2


def test_ranks_share_ties() -> None:
    """1, 2, 2, 4 against itself is 1, against its mirror -1."""
    x = np.array([1.0, 2.0, 2.0, 4.0])
    assert _spearman(x, x) == pytest.approx(1.0)
    assert _spearman(x, -x) == pytest.approx(-1.0)


def test_a_tiny_run_has_a_row_for_each_task_and_kind() -> None:
    """Every kind on every gridworld, and a time for each part."""
    rows = foretelling(4)
    assert {(row["task"], row["kind"]) for row in rows} == {
        (task, kind) for task in TASKS for kind in KINDS
    }
    assert len(tabular_times(200)) == 4
    assert len(sampled_times(500)) == 2
