"""The comparison of methods in docs/statistics.md is of the simulation's making."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.statistics import iqm
from tests.report.interval_methods import METHODS, RUNS, held, without_each
from tests.statistics.coverage import WORLDS, returns, shares

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text()


@given(st.lists(st.floats(-9, 9), min_size=3, max_size=30))
def test_leaving_one_out_by_ranks_is_leaving_it_out(scores: list[float]) -> None:
    """For any scores, ties too: the IQM of all but one, for each one."""
    row = np.array(scores)
    by_hand = [iqm(np.delete(row, place)) for place in range(len(row))]
    assert without_each(row[None])[0] == pytest.approx(by_hand, abs=1e-9)


def test_plain_percentiles_hold_the_truth_less_often_than_what_reports_use() -> None:
    """With three runs a task the difference is so large that 120 experiments show it."""
    for world in (shares, returns):
        found = held(world, 3, 120)
        assert found["percentile"] < 0.92
        assert found["expanded"] >= found["percentile"] + 0.03
        assert found["expanded"] >= 0.88  # 95 less three standard errors of 2


def test_the_table_of_methods_is_complete() -> None:
    """A row for each number of runs and world, a share for each method."""
    head = f"| runs a task | world | {' | '.join(METHODS)} |"
    assert head in PAGE
    rows = re.findall(r"^\| (\d+) runs \| ([^|]+) \|((?: [\d.]+ \|)+)$", PAGE, re.M)
    assert [(int(runs), world) for runs, world, _ in rows] == [
        (runs, world) for world in WORLDS for runs in RUNS
    ]
    assert all(len(shares.split("|")) == len(METHODS) + 1 for *_, shares in rows)
