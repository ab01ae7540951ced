"""The loop: propose, check, compile, screen, train, tell, and keep everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from reward_synth.checks import Examiner
from reward_synth.errors import BudgetReachedError
from reward_synth.program import RewardProgram
from reward_synth.search.judging import distinct, judge, rank
from reward_synth.search.method import Rung
from reward_synth.search.outcome import Outcome, Proposer
from reward_synth.search.reflection import Measured, reflect
from reward_synth.task import TaskSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is proposed and trained."""

    candidates: int = 8
    """Programs in all, of one restart."""
    rounds: int = 2
    """In how many rounds they are asked for; each learns from the ones before."""
    restarts: int = 1
    """Independent searches, one after the other."""
    merge: bool = False
    """Whether one more program is asked for, made of all, which alone is trained at the
    end; where it cannot be used, the best of the others is."""
    elites: int = 0
    """How many of the best train on beside each new round's candidates, all together; 0:
    every candidate is trained alone."""
    each_round: tuple[Rung, ...] = ()
    """Trainings of a round's candidates, told before the next round."""
    final: tuple[Rung, ...] = ()
    """Trainings of the best of all."""

    @property
    def trains(self) -> bool:
        """Whether anything is measured beyond the screen."""
        return bool(self.each_round or self.final)

    @property
    def samples(self) -> int:
        """Programs of the whole search."""
        return (self.candidates + self.merge) * self.restarts


class Recorder(Protocol):
    """Keeps what the loop finds, before it is used."""

    def recall(self, program: RewardProgram) -> Outcome | None:
        """Return what :meth:`candidate` kept of a program, in an earlier start too."""

    def candidate(self, outcome: Outcome) -> None:
        """Keep a program, its report and its screen."""

    def trained(self, outcome: Outcome) -> None:
        """Keep what was measured of a program."""


Trainer = Callable[[Sequence[RewardProgram], Rung], Sequence[Measured | None]]
"""Trains agents with programs; what was measured in the same order, None: it failed."""
Judge = Callable[[Sequence[Outcome]], Sequence[Outcome]]
"""Says what trained agents are worth beside their success: the same outcomes again."""
Progress = Callable[[str, int, int], None]
"""``(what is done, how many are done, of how many)``."""


class SearchStoppedError(Exception):
    """A budget is used up before the search came to its end.

    Args:
        outcomes: What was found until then, best first.
        cause: Which budget.
    """

    def __init__(self, outcomes: list[Outcome], cause: BudgetReachedError) -> None:
        super().__init__(str(cause))
        self.outcomes = outcomes
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Search:
    """One search for a reward program."""

    task: TaskSpec
    proposer: Proposer
    examiner: Examiner
    recorder: Recorder
    plan: Plan
    trainer: Trainer | None = None
    """Required if the plan trains."""
    judge: Judge | None = None
    """Told all outcomes after each step of trainings; None: success alone counts."""
    progress: Progress = lambda *_: None
    checkpoint: Callable[[], None] = lambda: None
    """Called between steps, when all that was found is kept; may raise to stop."""

    def run(self) -> list[Outcome]:
        """Return every distinct candidate's outcome, best first.

        Raises:
            SearchStoppedError: A budget is used up; it holds what was found until then.
        """
        outcomes: dict[str, Outcome] = {}
        try:
            merged = self._propose(outcomes)
            ranked, before = rank(list(outcomes.values())), len(self.plan.each_round)
            joined = [item for item in ranked if item.program.digest in merged]
            usable = [item for item in joined if item.usable]
            measured = self._climb(usable or ranked, self.plan.final, before, outcomes)
            if measured:
                self.proposer.tell(measured)
        except BudgetReachedError as cause:
            found = rank(list(outcomes.values()))
            raise SearchStoppedError(found, cause) from cause
        ranked = rank(list(outcomes.values()))
        # what joins all others is the result, also where its training found no success
        return sorted(
            ranked, key=lambda x: not (x.usable and x.program.digest in merged)
        )

    def _propose(self, outcomes: dict[str, Outcome]) -> set[str]:
        """Ask for all programs; return the digests of those that join the others."""
        merged: set[str] = set()
        for number in range(self.plan.restarts):
            if number:
                self.proposer.restart()
            told: set[str] = set()
            for size in shares(self.plan.candidates, self.plan.rounds):
                self._round(size, outcomes, told)
            if self.plan.merge:
                merged.update(self._round(1, outcomes, told))
        return merged

    def _round(
        self, size: int, outcomes: dict[str, Outcome], told: set[str]
    ) -> Sequence[str]:
        """Ask for programs, examine and train what is new, and tell what was not told.

        Returns:
            The digests of the programs.
        """
        self.checkpoint()
        programs = {item.digest: item for item in self.proposer.ask(size)}
        fresh = [digest for digest in programs if digest not in told]
        for digest in fresh:
            if digest not in outcomes:
                outcomes[digest] = self._examine(programs[digest], len(outcomes))
        untrained = [outcomes[x] for x in fresh if outcomes[x].trained is None]
        elites = self._elites(outcomes)
        self._climb(rank(untrained), self.plan.each_round, 0, outcomes, elites)
        told.update(fresh)
        self.proposer.tell([outcomes[digest] for digest in fresh])
        return list(programs)

    def _elites(self, outcomes: dict[str, Outcome]) -> list[Outcome]:
        """Return the best that were trained, if such train on beside new programs."""
        if not self.plan.elites:
            return []
        trained = [item for item in outcomes.values() if item.trained is not None]
        return rank(trained)[: self.plan.elites]

    def _examine(self, program: RewardProgram, before: int) -> Outcome:
        self.checkpoint()
        outcome = self.recorder.recall(program)
        if outcome is None:
            outcome = self._judged(program)
            self.recorder.candidate(outcome)
        known = self.plan.samples
        self.progress("checked", before + 1, known)
        return outcome

    def _judged(self, program: RewardProgram) -> Outcome:
        examiner = self.examiner
        report = examiner.examine(program)
        return judge(
            program, report, self.task, examiner.rollouts, needs=examiner.needs
        )

    def _climb(
        self,
        ranked: Sequence[Outcome],
        rungs: Sequence[Rung],
        first: int,
        outcomes: dict[str, Outcome],
        beside: Sequence[Outcome] = (),
    ) -> list[Outcome]:
        """Train the best at each step of a ladder; keep and return all that were trained.

        Those ``beside`` come first at the first step, and take places of it.
        """
        if self.trainer is None:
            return []
        found: dict[str, Outcome] = {}
        climbing = list(ranked)
        for number, rung in enumerate(rungs, start=first):
            self.checkpoint()
            # at the first step only guesses tell the candidates apart
            places = max(0, rung.keep - len(beside))
            chosen = (
                [*beside, *distinct(climbing, places)]
                if not found
                else climbing[: rung.keep]
            )
            trained = self._measure(chosen, rung, number, self.trainer)
            self._keep(trained, outcomes)
            climbing = rank([outcomes[item.program.digest] for item in trained])
            found |= {item.program.digest: item for item in climbing}
        return rank([outcomes[digest] for digest in found])

    def _keep(self, trained: Sequence[Outcome], outcomes: dict[str, Outcome]) -> None:
        """Take over what was measured, and judged of it, before anything is done with it."""
        outcomes |= {item.program.digest: item for item in trained}
        if self.judge is not None and trained:
            judged = self.judge(list(outcomes.values()))
            outcomes |= {item.program.digest: item for item in judged}
        for item in trained:
            self.recorder.trained(outcomes[item.program.digest])

    def _measure(
        self, chosen: Sequence[Outcome], rung: Rung, number: int, trainer: Trainer
    ) -> list[Outcome]:
        results = trainer([item.program for item in chosen], rung)
        return [
            item if result is None else _taught(item, result, number)
            for item, result in zip(chosen, results, strict=True)
        ]


def _taught(outcome: Outcome, result: Measured, rung: int) -> Outcome:
    return replace(
        outcome,
        trained=result.success,
        rung=rung,
        taught=reflect(result),
        rollouts=result.rollouts,
    )


def shares(total: int, rounds: int) -> list[int]:
    """Split ``total`` candidates over rounds as evenly as can be.

    Example:
        >>> shares(8, 3)
        [3, 3, 2]
        >>> shares(1, 2)
        [1]
    """
    rounds = max(1, min(total, rounds))
    return [total // rounds + (number < total % rounds) for number in range(rounds)]
