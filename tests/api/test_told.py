"""Candidates are told in the order in which the search ranks them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.api.result import FEEDBACK
from reward_synth.api.told import told
from reward_synth.checks import Report
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.search import Outcome, Screen, rank
from reward_synth.store import ProgramRow, RunStore

STEPS = ("trained, step 1", "trained")


def outcome(
    name: str, screen: float, *measured: float
) -> tuple[Outcome, dict[str, float]]:
    """Return a candidate that was measured at these steps, and its stored scores."""
    program = RewardProgram(f"program {name}\n")
    found = Outcome(program, Report("", ()), Screen(screen, None, None, 1.0, ""))
    if measured:
        found = replace(found, trained=measured[-1], rung=len(measured) - 1)
    return found, {"screen": screen, **dict(zip(STEPS, measured, strict=False))}


CASES = [
    outcome("better at last, nothing before", 0.1, 0.0, 0.9),
    outcome("better before, worse at last", 0.9, 0.8, 0.5),
    outcome("nothing at last: its rank on rollouts counts", 0.3, 0.7, 0.0),
    outcome("dropped after the first step", 0.2, 0.6),
    outcome("not trained", 0.5),
    outcome("not trained, and equal", 0.5),
]


def test_the_order_is_that_of_the_search(tmp_path: Path) -> None:
    """The same scores rank alike in the store and in the loop, ties by their digests."""
    run = tmp_path / "run"
    with RunStore.open(run, {}) as store:
        (run / FEEDBACK).mkdir()
        for item, scores in CASES:
            digest = item.program.digest
            store.programs.record(ProgramRow(digest, item.program.source, "symbolic"))
            for name, value in scores.items():
                store.programs.record_score(digest, name, value)
            (run / FEEDBACK / f"{digest}.md").write_text("text")
    wanted = [item.program.digest for item in rank([item for item, _ in CASES])]
    assert [digest for digest, _ in told(run)] == wanted


def test_a_run_without_candidates_says_so(tmp_path: Path) -> None:
    """One line that names the folder."""
    with RunStore.open(tmp_path / "run", {}):
        pass
    with pytest.raises(UsageError, match="run tells of no candidate"):
        list(told(tmp_path / "run"))
