"""Judges candidates without training: screens, ranks, and tells which are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reward_synth.checks import Report
from reward_synth.kernels import RewardKernel
from reward_synth.language import POTENTIAL, parse
from reward_synth.program import RewardProgram
from reward_synth.reward import Rollout
from reward_synth.search.feedback import summarise_components
from reward_synth.search.outcome import Outcome
from reward_synth.search.screening import alike, score_steps, screen
from reward_synth.task import TaskSpec


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
