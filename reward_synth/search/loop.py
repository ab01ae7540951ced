"""The loop: propose, check, compile, screen, train, tell, and keep everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from reward_synth.checks import Examiner, Report
from reward_synth.kernels import RewardKernel
from reward_synth.language import POTENTIAL, parse
from reward_synth.program import RewardProgram
from reward_synth.reward import Rollout
from reward_synth.search.feedback import summarise_components
from reward_synth.search.outcome import Outcome, Proposer
from reward_synth.search.screening import alike, score_steps, screen
from reward_synth.task import TaskSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is proposed and trained."""

    candidates: int = 8
    """Programs in all."""
    rounds: int = 2
    """In how many rounds they are asked for; each learns from the ones before."""
    train: int = 0
    """How many of the best are trained; 0: none."""


class Recorder(Protocol):
    """Keeps what the loop finds, before it is used."""

    def candidate(self, outcome: Outcome) -> None:
        """Keep a program, its report and its screen."""

    def trained(self, outcome: Outcome) -> None:
        """Keep the measured score of a program."""


Trainer = Callable[[Sequence[RewardProgram]], Sequence[float | None]]
"""Trains agents with programs; success rates in the same order, None: it failed."""
Progress = Callable[[str, int, int], None]
"""``(what is done, how many are done, of how many)``."""


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
    progress: Progress = lambda *_: None
    checkpoint: Callable[[], None] = lambda: None
    """Called between steps, when all that was found is kept; may raise to stop."""

    def run(self) -> list[Outcome]:
        """Return every distinct candidate's outcome, best first."""
        outcomes: dict[str, Outcome] = {}
        for size in shares(self.plan.candidates, self.plan.rounds):
            self.checkpoint()
            told = [
                self._examine(program, outcomes)
                for program in self.proposer.ask(size)
                if program.digest not in outcomes
            ]
            self.proposer.tell(told)
        ranked = rank(list(outcomes.values()))
        if self.trainer is not None and self.plan.train:
            ranked = self._train(ranked, self.trainer)
        return ranked

    def _examine(self, program: RewardProgram, outcomes: dict[str, Outcome]) -> Outcome:
        self.checkpoint()
        report = self.examiner.examine(program)
        outcome = judge(
            program,
            report,
            self.task,
            self.examiner.rollouts,
            needs=self.examiner.needs,
        )
        self.recorder.candidate(outcome)
        outcomes[program.digest] = outcome
        self.progress("checked", len(outcomes), self.plan.candidates)
        return outcome

    def _train(self, ranked: list[Outcome], trainer: Trainer) -> list[Outcome]:
        self.checkpoint()
        chosen = distinct(ranked, self.plan.train)
        scores = trainer([item.program for item in chosen])
        measured = [
            replace(item, trained=score)
            for item, score in zip(chosen, scores, strict=True)
        ]
        for item in measured:
            self.recorder.trained(item)
        self.proposer.tell(measured)
        rest = [item for item in ranked if item not in chosen]
        return rank([*measured, *rest])


def distinct(ranked: Sequence[Outcome], most: int) -> list[Outcome]:
    """Return the best usable candidates that are not alike, best first.

    Where fewer than ``most`` are unlike each other, the best of the others fill up.
    """
    usable = [item for item in ranked if item.report.ok and item.screen is not None]
    chosen: list[Outcome] = []
    for item in usable:
        if not any(_alike(item, other) for other in chosen):
            chosen.append(item)
    rest = [item for item in usable if item not in chosen]
    return rank([*chosen, *rest][:most])


def _alike(first: Outcome, second: Outcome) -> bool:
    if first.screen is None or second.screen is None:
        return False
    return alike(first.screen, second.screen)


def judge(
    program: RewardProgram,
    report: Report,
    task: TaskSpec,
    rollouts: Sequence[Rollout],
    *,
    needs: str | None = None,
) -> Outcome:
    """Screen a program that has no errors; one with errors gets no screen.

    Args:
        program: The program.
        report: What was found in it.
        task: The task.
        rollouts: What it is screened on.
        needs: The function that will be used; by default the reward if there is one.
    """
    ir = parse(program.source, task).ir
    function = None
    if ir is not None:
        potential_first = needs == POTENTIAL or ir.reward is None
        function = ir.potential if potential_first else ir.reward
    if function is None or not report.ok:
        return Outcome(program, report)
    kernel = RewardKernel(function)
    ranked = screen(kernel, rollouts, warnings=len(report.warnings))
    values = np.concatenate([score_steps(kernel, rollout) for rollout in rollouts])
    marks = [rollout.success for rollout in rollouts if rollout.success is not None]
    success = np.concatenate(marks) if len(marks) == len(rollouts) else None
    text = summarise_components(kernel.names, values, success)
    return Outcome(program, report, ranked, feedback=text)


def rank(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return outcomes best first; equal scores in the order of their digests."""
    return sorted(outcomes, key=lambda item: (-item.score, item.program.digest))


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
