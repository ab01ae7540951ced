"""Preferences of people as fitness: who is asked what, and what the answers come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reward_synth.checks import Examiner, Report
from reward_synth.program import RewardProgram
from reward_synth.sandbox import ProcessSandbox
from reward_synth.search import (
    Duel,
    Measured,
    Outcome,
    Plan,
    Rung,
    Search,
    Tournament,
    bradley_terry,
)
from reward_synth.search.feedback import feedback
from reward_synth.search.tournament import standing
from tests.checks.small import SMALL
from tests.search.test_loop import BAD, FAILURE, GOOD, SO_SO, SUCCESS, Kept, Scripted


class Answers:
    """Keeps answers in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def find(self, key: str, /) -> Mapping[str, Any] | None:
        return self.rows.get(key)

    def record(self, key: str, answer: Mapping[str, Any], /) -> None:
        assert key not in self.rows
        self.rows[key] = dict(answer)


class Liking:
    """Prefers the agent whose text has the larger number."""

    def __init__(self) -> None:
        self.asked: list[Duel] = []

    def __call__(self, duel: Duel, /) -> float:
        self.asked.append(duel)
        one, two = (float(text.split()[-1]) for text in (duel.first, duel.second))
        return 0.5 if one == two else float(one > two)


def agent(number: float) -> tuple[str, ...]:
    return (f"Its best episode is worth {number}",)


def outcome(name: str, number: float) -> Outcome:
    return Outcome(RewardProgram(f"{name}\n"), Report("", ()), rollouts=agent(number))


def worth(item: Outcome) -> float:
    assert item.preferred is not None
    return item.preferred


WINS = arrays(np.float64, (5, 5), elements=st.integers(0, 4).map(float))


@given(WINS)
def test_strengths_are_the_most_likely_ones(wins: np.ndarray[Any, Any]) -> None:
    """Where the likelihood is largest everybody has won as often as the model expects:
    wins + a tie's half = the sum of chances over all games (the score equations)."""
    np.fill_diagonal(wins, 0.0)
    chance = bradley_terry(wins)
    strength = chance / (1.0 - chance)
    played = wins + wins.T
    expected = (played * strength[:, None] / (strength[:, None] + strength)).sum(axis=1)
    assert expected + chance == pytest.approx(wins.sum(axis=1) + 0.5, abs=1e-6)


def test_circles_and_ties_are_worth_a_half() -> None:
    """a beats b, b beats c, c beats a: nobody is better; so are those who only tied."""
    circle = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert bradley_terry(circle) == pytest.approx([0.5] * 3)
    assert bradley_terry([[0, 0.5], [0.5, 0]]) == pytest.approx([0.5] * 2)
    assert bradley_terry(np.zeros((0, 0))).shape == (0,)


def test_the_liked_agent_is_chosen_and_not_the_successful_one() -> None:
    """Success says GOOD, people say SO_SO: SO_SO is the result, and is told so."""

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        success = {GOOD.digest: 0.9, SO_SO.digest: 0.1}
        liked = {GOOD.digest: 1.0, SO_SO.digest: 2.0}
        return [
            Measured(success[item.digest], rollouts=agent(liked[item.digest]))
            for item in programs
        ]

    examiner = Examiner(SMALL, [SUCCESS, FAILURE], ProcessSandbox(), ())
    plan = Plan(3, 1, final=(Rung(2),))
    proposer = Scripted([BAD, SO_SO, GOOD])
    search = Search(SMALL, proposer, examiner, Kept(), plan, trainer)
    assert search.run()[0].program == GOOD
    proposer = Scripted([BAD, SO_SO, GOOD])
    referee = Liking()
    judged = replace(
        search, proposer=proposer, judge=Tournament("go", referee, Answers())
    )
    best, second, third = judged.run()
    assert [best.program, second.program, third.program] == [SO_SO, GOOD, BAD]
    assert (best.trained, third.preferred) == (0.1, None)
    assert len(referee.asked) == 1
    assert "preferred to a middling one in 68%" in feedback(best)


def test_no_question_is_asked_twice() -> None:
    """A search that goes on gets the kept answers, and the same worths of them."""
    items = [outcome(name, number) for number, name in enumerate("abcd")]
    answers, referee = Answers(), Liking()
    first = Tournament("go", referee, answers)(items)
    asked = len(referee.asked)
    assert asked == 4  # each and its neighbour, in a ring
    again = Tournament("go", referee, answers)(items)
    assert len(referee.asked) == asked
    assert again == first
    ranks = [worth(item) for item in first]
    assert ranks == sorted(ranks)
    assert ranks[0] < 0.5 < ranks[-1]


def test_new_agents_meet_the_best_one_and_each_other() -> None:
    """The second round's two agents: one meeting among them, two with the best of the
    first round; the worths of all follow."""
    referee = Liking()
    tournament = Tournament("go", referee, Answers())
    old = [outcome("a", 1), outcome("b", 2)]
    tournament(old)
    tournament([*old, outcome("c", 3), outcome("d", 0)])
    seen = [{duel.first[-1], duel.second[-1]} for duel in referee.asked]
    assert seen == [{"1", "2"}, {"3", "0"}, {"2", "3"}, {"2", "0"}]


def test_an_agent_that_was_trained_anew_is_compared_anew() -> None:
    """What counts is what was seen: other episodes are another agent, the newest counts."""
    answers, referee = Answers(), Liking()
    tournament = Tournament("go", referee, answers)
    tournament([outcome("a", 1), outcome("b", 2)])
    first, second = tournament([outcome("a", 3), outcome("b", 2)])
    assert len(referee.asked) == 2
    assert worth(first) > worth(second)
    liked = standing(answers.rows.values())
    assert liked[first.program.digest[:16]] == pytest.approx(first.preferred)


def test_who_was_not_trained_is_not_compared() -> None:
    """Without episodes there is nothing to see."""
    item = replace(outcome("a", 1), rollouts=())
    assert Tournament("go", Liking(), Answers())([item]) == [item]
