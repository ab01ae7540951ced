"""The loop: what is examined, told, trained and kept, and in which order."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.checks import Examiner, Finding, Report
from reward_synth.checks.behaviour import finite, varies
from reward_synth.program import RewardProgram
from reward_synth.sandbox import ProcessSandbox
from reward_synth.search import Measured, Outcome, Plan, Rung, Screen, Search, rank
from reward_synth.search.feedback import feedback, summarise_components
from reward_synth.search.judging import distinct
from reward_synth.search.loop import Trainer, shares
from reward_synth.search.memory import packed, unpacked
from reward_synth.search.method import ladder
from reward_synth.search.screening import _ranks
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

    def restart(self) -> None:
        self.told.append([])


class Kept:
    """Keeps the loop's records in memory."""

    def __init__(self) -> None:
        self.candidates: list[Outcome] = []
        self.measured: list[Outcome] = []
        self.known: dict[str, Outcome] = {}

    def recall(self, program: RewardProgram) -> Outcome | None:
        return self.known.get(program.digest)

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

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        asked.append([item.digest for item in programs])
        return [Measured(0.1), Measured(0.9)]

    proposer = Scripted([BROKEN, BAD, SO_SO, GOOD])
    outcomes, kept = run(proposer, Plan(4, 1, final=(Rung(2),)), trainer)
    assert asked == [[GOOD.digest, SO_SO.digest]]
    assert digests(outcomes) == [item.digest for item in (SO_SO, GOOD, BAD, BROKEN)]
    assert [item.trained for item in outcomes] == [0.9, 0.1, None, None]
    assert digests(kept.measured) == [GOOD.digest, SO_SO.digest]
    assert proposer.told[-1] == rank(kept.measured)


def test_a_failed_training_leaves_the_screen() -> None:
    """A trainer that gives no number for a program says nothing about it."""
    outcomes, _ = run(
        Scripted([SO_SO, GOOD]), Plan(2, 1, final=(Rung(2),)), lambda *_: [None] * 2
    )
    assert [item.score for item in outcomes] == pytest.approx([1.0, 0.75])


def test_without_usable_candidates_training_gets_none() -> None:
    """Programs with errors are never trained."""
    asked: list[int] = []

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        asked.append(len(programs))
        return []

    outcomes, _ = run(Scripted([BROKEN]), Plan(1, 1, final=(Rung(3),)), trainer)
    assert asked in ([], [0])
    assert outcomes[0].score == float("-inf")


def test_a_plan_without_training_asks_no_trainer() -> None:
    """Without steps on the ladder the trainer is never called."""

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
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
    outcomes, _ = run(
        Scripted([GOOD]), Plan(1, 1, final=(Rung(1),)), lambda *_: [Measured(0.25)]
    )
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


SUCCESS_OF = {GOOD.digest: 0.2, SO_SO.digest: 0.9, BAD.digest: 0.5}


def test_a_ladder_trains_fewer_for_longer() -> None:
    """Three are trained briefly, the best of these in full, with seeds of its own.

    Rank by the screen: GOOD, SO_SO, BAD; by the first training: SO_SO. In full it fails
    half the time, which is what is told, and it stays above what was dropped.
    """
    calls: list[tuple[list[str], Rung]] = []

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        calls.append(([item.digest for item in programs], rung))
        scale = 0.5 if rung.last else 1.0
        return [Measured(scale * SUCCESS_OF[item.digest]) for item in programs]

    steps = ladder([Rung(3, share=0.25, seeds=2), Rung(1, seeds=3)])
    proposer = Scripted([GOOD, SO_SO, BAD])
    outcomes, kept = run(proposer, Plan(3, 1, final=steps), trainer)
    (first, brief), (second, full) = calls
    assert (first, brief) == ([GOOD.digest, SO_SO.digest, BAD.digest], steps[0])
    assert (second, full.first, full.last) == ([SO_SO.digest], 2, True)
    assert digests(outcomes) == [SO_SO.digest, BAD.digest, GOOD.digest]
    assert [(item.trained, item.rung) for item in outcomes] == [
        *[(0.45, 1), (0.5, 0), (0.2, 0)],
    ]
    assert len(kept.measured) == 4


def test_a_round_is_trained_before_it_is_told() -> None:
    """With trainings each round, what was measured is in what the proposer learns."""
    asked: list[list[str]] = []

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        asked.append([item.digest for item in programs])
        return [Measured(SUCCESS_OF[item.digest]) for item in programs]

    proposer = Scripted([BROKEN, BAD], [GOOD, BAD])
    each, final = (Rung(2),), (Rung(1),)
    run(proposer, Plan(4, 2, each_round=each, final=final), trainer)
    told = [[(item.program.digest, item.trained) for item in r] for r in proposer.told]
    assert told[0] == [(BROKEN.digest, None), (BAD.digest, 0.5)]
    assert told[1] == [(GOOD.digest, 0.2)]
    assert asked == [[BAD.digest], [GOOD.digest], [BAD.digest]]


def test_restarts_forget_and_the_best_of_all_wins() -> None:
    """A new search is told nothing of the one before; its programs are not examined twice."""
    proposer = Scripted([BAD], [BAD, SO_SO], [GOOD], [SO_SO])
    outcomes, kept = run(proposer, Plan(3, 2, restarts=2))
    assert proposer.asked == [2, 1, 2, 1]
    told = [digests(item) for item in proposer.told]
    assert told == [
        *[[BAD.digest], [SO_SO.digest]],
        [],  # forgotten
        *[[GOOD.digest], [SO_SO.digest]],
    ]
    assert len(kept.candidates) == 3
    assert outcomes[0].program == GOOD


def test_what_training_taught_is_told() -> None:
    """The curve of a training stands in the feedback, in words."""
    curve = tuple(
        {"step": n, "success_any": 0.5 * n, "components": {"a": float(n)}}
        for n in range(3)
    )
    outcomes, _ = run(
        Scripted([GOOD]),
        Plan(1, 1, final=(Rung(1),)),
        lambda *_: [Measured(1.0, curve, ("Its best episode: 9 steps.",))],
    )
    text = feedback(outcomes[0])
    assert "Success while it was trained: 0% 50% 100%." in text
    assert "- a: 0 1 2; rising" in text
    assert text.endswith("Its best episode: 9 steps.")


def test_what_joins_all_is_asked_for_last_and_alone_trained() -> None:
    """One more program after the rounds; it is the result, though the screen likes GOOD
    better and its training finds no success."""
    asked: list[list[str]] = []

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        asked.append([item.digest for item in programs])
        return [Measured(0.0)] * len(programs)

    proposer = Scripted([GOOD, SO_SO], [BAD])
    plan = Plan(2, 1, merge=True, final=(Rung(1),))
    outcomes, _ = run(proposer, plan, trainer)
    assert proposer.asked == [2, 1]
    assert asked == [[BAD.digest]]
    assert digests(outcomes) == [BAD.digest, GOOD.digest, SO_SO.digest]
    assert plan.samples == 3


def test_what_joins_all_and_cannot_be_used_leaves_the_best() -> None:
    """The best of the others is trained, and is the result."""
    asked: list[list[str]] = []

    def trainer(programs: Sequence[RewardProgram], rung: Rung) -> list[Measured]:
        asked.append([item.digest for item in programs])
        return [Measured(0.5)] * len(programs)

    plan = Plan(2, 1, merge=True, final=(Rung(1),))
    outcomes, _ = run(Scripted([GOOD, SO_SO], [BROKEN]), plan, trainer)
    assert asked == [[GOOD.digest]]
    assert outcomes[0].program == GOOD


def test_what_is_recalled_is_not_examined_again() -> None:
    """A program that was kept before is told, ranked and counted as it was then; only
    what is new is examined and kept."""
    first, _ = run(Scripted([GOOD, BAD]), Plan(2, 1))
    proposer = Scripted([GOOD, SO_SO, BAD])
    examiner = Examiner(SMALL, [SUCCESS, FAILURE], ProcessSandbox(), (finite, varies))
    seen: list[str] = []

    class Watched(Examiner):
        def examine(self, program: RewardProgram) -> Report:
            seen.append(program.digest)
            return examiner.examine(program)

    again = Kept()
    again.known = {x.program.digest: unpacked(x.program, packed(x)) for x in first}
    watched = Watched(SMALL, [SUCCESS, FAILURE], ProcessSandbox(), ())
    outcomes = Search(SMALL, proposer, watched, again, Plan(3, 1)).run()
    assert seen == [SO_SO.digest]
    assert digests(again.candidates) == [SO_SO.digest]
    assert digests(outcomes) == [GOOD.digest, SO_SO.digest, BAD.digest]
    assert [item for item in outcomes if item.program != SO_SO] == first
    assert digests(proposer.told[0]) == [GOOD.digest, SO_SO.digest, BAD.digest]
    assert digests(distinct(outcomes, 3)) == digests(
        distinct(run(Scripted([GOOD, SO_SO, BAD]), Plan(3, 1))[0], 3)
    )


@given(
    st.lists(st.floats(-9.0, 9.0).map(lambda x: round(x, 1)), min_size=1, max_size=40)
)
def test_packing_keeps_an_order_exactly(values: list[float]) -> None:
    """Ranks with ties are halves; they and the rest of an outcome survive JSON."""
    order = _ranks(np.array(values))
    screen = Screen(-0.25, None, 0.5, 1.0, "given", order)
    finding = Finding("warning", "w", "text", "fix", 3)
    found = Outcome(GOOD, Report(GOOD.digest, (finding,)), screen, feedback="f")
    back = unpacked(GOOD, json.loads(json.dumps(packed(found))))
    assert back == found
    assert back.screen is not None
    assert np.asarray(back.screen.order).tolist() == order.tolist()
