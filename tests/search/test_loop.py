"""The loop: what is examined, told, trained and kept, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.checks import Examiner, Finding, Report
from reward_synth.checks.behaviour import finite, varies
from reward_synth.program import RewardProgram
from reward_synth.sandbox import ProcessSandbox
from reward_synth.search import Outcome, Plan, Screen, Search, rank
from reward_synth.search.feedback import feedback, summarise_components
from reward_synth.search.loop import Trainer, distinct, shares
from tests.checks.small import SMALL, episode, reward

SUCCESS = episode((0.0, 1.0, 2.0), (False, False, True))
FAILURE = episode((-1.0, -1.0, -1.0), (False,) * 3)


def program(component: str) -> RewardProgram:
    return RewardProgram.of("import numpy as np\n" + reward(component), SMALL)


GOOD = program('"a": x')  # rises to success, above the failure: 1 and 1
SO_SO = program(
    '"a": np.abs(x)'
)  # 0, 1, 2 rises; its mean ties with 1, 1, 1: 0.5 and 1
BAD = program('"a": -x')  # falls, and below the failure: 0 and -1
BROKEN = program('"a": np.log(x)')  # NaN at the failure's steps
REFUSED = program('"a": open(x)')


class Scripted:
    """Proposes given programs, and keeps what it is told."""

    name = "scripted"

    def __init__(self, *rounds: Sequence[RewardProgram]) -> None:
        self.rounds = list(rounds)
        self.asked: list[int] = []
        self.told: list[list[Outcome]] = []

    def ask(self, n: int) -> Sequence[RewardProgram]:
        self.asked.append(n)
        return self.rounds.pop(0)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        self.told.append(list(outcomes))


class Kept:
    """Keeps the loop's records in memory."""

    def __init__(self) -> None:
        self.candidates: list[Outcome] = []
        self.measured: list[Outcome] = []

    def candidate(self, outcome: Outcome) -> None:
        self.candidates.append(outcome)

    def trained(self, outcome: Outcome) -> None:
        self.measured.append(outcome)


def run(
    proposer: Scripted, plan: Plan, trainer: Trainer | None = None
) -> tuple[list[Outcome], Kept]:
    examiner = Examiner(SMALL, [SUCCESS, FAILURE], ProcessSandbox(), (finite, varies))
    kept = Kept()
    return Search(SMALL, proposer, examiner, kept, plan, trainer).run(), kept


def digests(outcomes: Sequence[Outcome]) -> list[str]:
    return [item.program.digest for item in outcomes]


def test_candidates_are_ranked_and_errors_come_last() -> None:
    """Scores by hand: 1, (0.5 + 1) / 2, (0 - 1) / 2, and minus infinity for errors."""
    proposer = Scripted([BROKEN, BAD], [REFUSED, SO_SO, GOOD])
    outcomes, kept = run(proposer, Plan(5, 2))
    assert proposer.asked == [3, 2]
    assert digests(outcomes[:3]) == [GOOD.digest, SO_SO.digest, BAD.digest]
    scores = [item.score for item in outcomes]
    assert scores[:3] == pytest.approx([1.0, 0.75, -0.5])
    assert scores[3:] == [float("-inf")] * 2
    assert {item.program.digest for item in outcomes[3:]} == {
        BROKEN.digest,
        REFUSED.digest,
    }
    assert outcomes[3].screen is None
    assert len(kept.candidates) == 5


def test_every_round_is_told_once_with_everything_new() -> None:
    """tell gets a round's outcomes in the order of its programs, also those with errors."""
    proposer = Scripted([BROKEN, BAD], [GOOD])
    _, kept = run(proposer, Plan(3, 2))
    assert [digests(item) for item in proposer.told] == [
        [BROKEN.digest, BAD.digest],
        [GOOD.digest],
    ]
    assert kept.candidates == [*proposer.told[0], *proposer.told[1]]


def test_a_program_is_examined_once() -> None:
    """Repeats, in one answer or in a later one and in another layout, cost nothing."""
    spaced = RewardProgram.of(GOOD.source.replace(": x", ":   x  # again"), SMALL)
    proposer = Scripted([GOOD, spaced, BAD], [BAD, GOOD])
    outcomes, kept = run(proposer, Plan(5, 2))
    assert digests(kept.candidates) == [GOOD.digest, BAD.digest]
    assert [digests(item) for item in proposer.told] == [[GOOD.digest, BAD.digest], []]
    assert len(outcomes) == 2


def test_the_best_usable_candidates_are_trained_and_training_decides() -> None:
    """Two of three usable ones are trained; the one that trains better wins.

    The screen says GOOD, then SO_SO; trained they succeed in 10% and 90%.
    """
    asked: list[list[str]] = []

    def trainer(programs: Sequence[RewardProgram]) -> Sequence[float | None]:
        asked.append([item.digest for item in programs])
        return [0.1, 0.9]

    proposer = Scripted([BROKEN, BAD, SO_SO, GOOD])
    outcomes, kept = run(proposer, Plan(4, 1, train=2), trainer)
    assert asked == [[GOOD.digest, SO_SO.digest]]
    assert digests(outcomes) == [item.digest for item in (SO_SO, GOOD, BAD, BROKEN)]
    assert [item.trained for item in outcomes] == [0.9, 0.1, None, None]
    assert kept.measured == proposer.told[-1]
    assert digests(kept.measured) == [GOOD.digest, SO_SO.digest]


def test_a_failed_training_leaves_the_screen() -> None:
    """A trainer that gives no number for a program says nothing about it."""
    outcomes, _ = run(
        Scripted([SO_SO, GOOD]), Plan(2, 1, train=2), lambda programs: [None] * 2
    )
    assert [item.score for item in outcomes] == pytest.approx([1.0, 0.75])


def test_without_usable_candidates_training_gets_none() -> None:
    """Programs with errors are never trained."""
    asked: list[int] = []

    def trainer(programs: Sequence[RewardProgram]) -> Sequence[float | None]:
        asked.append(len(programs))
        return []

    outcomes, _ = run(Scripted([BROKEN]), Plan(1, 1, train=3), trainer)
    assert asked in ([], [0])
    assert outcomes[0].score == float("-inf")


def test_a_plan_without_training_asks_no_trainer() -> None:
    """train=0 never calls the trainer."""

    def trainer(programs: Sequence[RewardProgram]) -> Sequence[float | None]:
        raise AssertionError("nothing was to be trained")

    assert len(run(Scripted([GOOD]), Plan(1, 1), trainer)[0]) == 1


@given(st.permutations(range(6)))
def test_ranking_does_not_depend_on_the_order_of_arrival(order: list[int]) -> None:
    """Equal scores are ordered by digest, so that equal runs give equal bytes."""
    outcomes = [
        Outcome(
            RewardProgram(f"program {number}\n"),
            Report("", ()),
            Screen(float(number // 2), None, None, 1.0, ""),
        )
        for number in range(6)
    ]
    ranked = rank([outcomes[number] for number in order])
    assert ranked == rank(outcomes)
    assert [item.score for item in ranked] == [2.0, 2.0, 1.0, 1.0, 0.0, 0.0]
    for first, second in zip(ranked[::2], ranked[1::2], strict=True):
        assert first.program.digest < second.program.digest


@given(st.integers(1, 50), st.integers(-1, 20))
def test_shares_are_even_and_sum_up(total: int, rounds: int) -> None:
    """Every round asks for at least one program; rounds differ by one at most."""
    parts = shares(total, rounds)
    assert sum(parts) == total
    assert min(parts) >= 1
    assert max(parts) - min(parts) <= 1
    assert len(parts) == max(1, min(rounds, total))
    assert parts == sorted(parts, reverse=True)


def test_feedback_holds_the_numbers() -> None:
    """A proposer is told the code, what was measured, and each component's share.

    x over both rollouts: 0, 1, 2, -1, -1, -1: mean 0, from -1 to 2, 2 at success.
    """
    outcomes, _ = run(Scripted([GOOD]), Plan(1, 1, train=1), lambda programs: [0.25])
    text = feedback(outcomes[0])
    assert GOOD.source.strip() in text
    assert "succeeded in 25%" in text
    assert "Rank on stored rollouts: 1.00 (1 successes and 1 failures" in text
    assert "orders 100% of success/failure pairs" in text
    assert "correlation with time up to success: 1.00" in text
    assert (
        "- a: mean 0, from -1 to 2, 100% of the reward's size, mean 2 at success"
        in text
    )


def test_feedback_on_an_error_lists_the_findings() -> None:
    """A program without a screen is told why, at most six findings."""
    findings = tuple(
        Finding("error", f"code-{number}", "Wrong.", line=number)
        for number in range(1, 9)
    )
    text = feedback(Outcome(GOOD, Report("", findings)))
    assert "line 6: error: Wrong. [code-6]" in text
    assert "code-7" not in text
    assert "Rank" not in text


def test_shares_of_the_reward_are_of_sizes() -> None:
    """Sizes |-3| and 1: shares 75% and 25%, whatever the signs."""
    values = np.array([[-3.0, 1.0], [-3.0, -1.0]])
    lines = summarise_components(["a", "b"], values, None).splitlines()
    assert lines[1:] == [
        "- a: mean -3, from -3 to -3, 75% of the reward's size",
        "- b: mean 0, from -1 to 1, 25% of the reward's size",
    ]


def test_candidates_for_training_are_unlike_each_other() -> None:
    """A copy in other units does not take the place of a different reward."""

    def outcome(component: str, score: float, order: Sequence[float]) -> Outcome:
        made = program(component)
        kept = Screen(score, None, None, 1.0, "", order=np.array(order))
        return Outcome(made, Report(made.digest, ()), kept)

    best = outcome('"a": x', 0.9, (0.0, 1.0, 2.0))
    copy = outcome('"a": 2.0 * x', 0.8, (0.0, 1.0, 2.0))
    other = outcome('"a": np.abs(x)', 0.7, (2.0, 0.0, 1.0))
    assert distinct([best, copy, other], 2) == [best, other]
    assert distinct([best, copy, other], 3) == [best, copy, other]
    assert distinct([best, copy], 2) == [best, copy]
