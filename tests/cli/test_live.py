"""What is shown while a search works: candidates, stages, scores, tokens, time left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from reward_synth.checks import Finding, Report
from reward_synth.cli import live
from reward_synth.cli.live import Row, SearchState, shown, table
from reward_synth.llm import Usage
from reward_synth.program import RewardProgram
from reward_synth.search import Outcome, Screen
from tests.cli.tools import CAR, Cli

GOOD, BAD, BROKEN = (RewardProgram(f"{name}\n") for name in ("good", "bad", "broken"))


def outcome(program: RewardProgram, screen: float) -> Outcome:
    found = Screen(screen, None, None, 1.0, "")
    return Outcome(program, Report(program.digest, ()), found)


def drawn(state: SearchState) -> list[str]:
    console = Console(width=100)
    with console.capture() as seen:
        console.print(table(state))
    return [" ".join(line.split()) for line in seen.get().splitlines()]


def state_of(*seconds: float) -> SearchState:
    return SearchState(300, clock=iter(seconds).__next__)


def test_the_table_tells_stages_scores_tokens_and_time() -> None:
    """First who is being trained, then by score; 80 of 300 steps took 40 s: the other 220
    take 110."""
    state = state_of(0.0, 40.0)
    state.progress("checked", 3, 8)
    state.answered(Usage(100, 20))
    state.answered(Usage(5, 1))
    refused = Finding("error", "x", "It cannot be used.")
    state.outcome(Outcome(BROKEN, Report("", (refused,))))
    state.outcome(outcome(BAD, 0.25))
    state.outcome(outcome(GOOD, 0.75))
    state.outcome(replace(outcome(GOOD, 0.75), trained=0.5))
    state.training([Row("k", 50, 100, BAD.digest), Row("l", 30, 100, "")])
    title, _, *rows = drawn(state)
    assert title == "3 of 8 candidates, 126 tokens, at most 1 min left"
    assert rows == [
        f"{BAD.digest[:10]} training 50% rank 0.25",
        f"{GOOD.digest[:10]} trained 50% success",
        f"{BROKEN.digest[:10]} refused",
    ]


def test_nothing_is_promised_before_a_training_runs() -> None:
    """Without steps that were made there is no rate, and no time that is left."""
    assert state_of().left() is None
    assert drawn(state_of())[0] == "0 of 0 candidates"


@pytest.mark.parametrize("terminal", [True, False])
def test_lines_where_there_is_no_terminal(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each thing that became known; a terminal gets a table that is redrawn
    and taken away at the end."""
    console = Console(force_terminal=terminal, width=80, highlight=False)
    monkeypatch.setattr(live, "err", console)
    said: list[str] = []
    monkeypatch.setattr(live, "note", lambda text, quiet: said.append(text))
    with console.capture() as seen, shown(SearchState(), quiet=False) as view:
        view.outcome(outcome(GOOD, 0.75))
        view.outcome(replace(outcome(GOOD, 0.75), trained=0.5))
    name = GOOD.digest[:10]
    lines = [f"{name} checked, rank 0.75.", f"{name} trained, 50% success."]
    assert said == ([] if terminal else lines)
    assert (name in seen.get()) == terminal


def test_a_search_tells_its_candidates_in_lines(cli: Cli) -> None:
    """Standard error holds a line for each candidate; with --json there is none."""
    done = cli("generate", "--env", CAR, "--n", 2)
    assert done.code == 0
    checked = [line for line in done.err.splitlines() if " checked, rank " in line]
    assert len(checked) == 2
    assert (
        " checked, rank " not in cli("generate", "--env", CAR, "--n", 2, "--json").err
    )


def test_what_an_earlier_start_told_is_not_told_again(cli: Cli) -> None:
    """A run of ten thousand candidates that goes on does not print ten thousand lines."""
    command = ("generate", "--env", CAR, "--n", 2, "--run", "mine")
    assert " checked, rank " in cli(*command).err
    assert " checked, rank " not in cli(*command).err
