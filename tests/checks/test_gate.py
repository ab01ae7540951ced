"""The gate: what is a number, and still no dense reward, is an error."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.checks import DEFAULT_CHECKS, Examiner, Report
from reward_synth.checks.gate import bounded, more_than_the_answer
from reward_synth.program import RewardProgram
from reward_synth.sandbox import Execution, Job, ProcessSandbox
from tests.checks.small import NINE, SMALL, episode, reward

MARKS = [x > 0.9 for x in NINE]
"""Success at x = 1 only."""


def examine(source: str, *checks: object) -> Report:
    """Run checks over a program; success is at the last step."""
    rollout = episode(success=MARKS)
    examiner = Examiner(SMALL, (rollout,), ProcessSandbox(), checks)  # type: ignore[arg-type]
    return examiner.examine(RewardProgram(source, SMALL.id))


def codes(report: Report) -> list[tuple[str, str]]:
    """Return severity and code of each finding."""
    return [(item.severity, item.code) for item in report.findings]


@pytest.mark.parametrize(("factor", "refused"), [("1e6", False), ("1.001e6", True)])
def test_a_component_is_bounded(factor: str, refused: bool) -> None:
    """x reaches 1: a million is the most that one step may pay."""
    report = examine(reward(f"'a': {factor} * x"), bounded)
    expected = [("error", "too-large")] if refused else []
    assert codes(report) == expected


@pytest.mark.parametrize(
    "body",
    [
        "'a': 1.0 if x > 0.9 else 0.0",
        "'a': 7.0 if x > 0.9 else -0.1",
        "'a': 0.5 if x > 0.9 else 0.0, 'b': 0.5 if x > 0.9 else 0.0",
        "'a': x + (1.0 if x > 0.9 else 0.0), 'b': -x",
    ],
)
def test_success_in_other_numbers_is_no_dense_reward(body: str) -> None:
    """Two values, one of them exactly where success is, lead nowhere."""
    report = examine(reward(*body.split(", ")), more_than_the_answer)
    assert codes(report) == [("error", "sparse-in-disguise")]


@pytest.mark.parametrize(
    "body",
    [
        "'a': x",
        "'a': (1.0 if x > 0.9 else 0.0) + 0.01 * x",
        "'a': 1.0 if x > 0.6 else 0.0",
        "'a': 1.0",
    ],
)
def test_a_reward_that_says_more_passes(body: str) -> None:
    """A distance, a bonus with a distance, an earlier stage; a constant is not it."""
    report = examine(reward(body), more_than_the_answer)
    assert report.findings == ()


def test_the_sparse_reward_itself_is_found_too() -> None:
    """Where success has no rule, the environment's sparse reward is the answer."""
    from dataclasses import replace

    sparse = [10.0 if x > 0.4 else 0.0 for x in NINE]
    task = replace(SMALL, sparse=True)
    rollout = episode(sparse=sparse)
    examiner = Examiner(task, (rollout,), ProcessSandbox(), (more_than_the_answer,))
    program = RewardProgram(reward("'a': 2.0 if x > 0.4 else 1.0"), task.id)
    assert codes(examiner.examine(program)) == [("error", "sparse-in-disguise")]


class Forgetful:
    """A sandbox in which the second process computes something else."""

    def __init__(self, second: Execution | None = None) -> None:
        self.real, self.runs, self.second = ProcessSandbox(), 0, second

    def run(self, job: Job, /) -> Execution:
        """Run the job; from the second time on, answer differently."""
        from dataclasses import replace

        self.runs += 1
        execution = self.real.run(job)
        if self.runs == 1:
            return execution
        return self.second or replace(execution, values=execution.values + 1e-12)


@pytest.mark.parametrize(
    "second", [None, Execution.failed("raised", "ValueError", rows=9)]
)
def test_another_process_at_another_time_must_agree_to_the_last_bit(
    second: Execution | None,
) -> None:
    """What depends on the process or on the time is no function of the state."""
    sandbox = Forgetful(second)
    examiner = Examiner(SMALL, (episode(),), sandbox, DEFAULT_CHECKS)
    report = examiner.examine(RewardProgram(reward("'a': x"), SMALL.id))
    assert ("error", "non-deterministic") in codes(report)
    assert sandbox.runs == 2


def test_the_inputs_of_a_kernel_are_as_they_were() -> None:
    """Examining a program changes nothing of the steps that it is examined on."""
    rollout = episode(success=MARKS)
    before = {name: value.copy() for name, value in rollout.steps.after.items()}
    examiner = Examiner(SMALL, (rollout,), ProcessSandbox(), DEFAULT_CHECKS)
    examiner.examine(RewardProgram(reward("'a': x * np.sum(pair)"), SMALL.id))
    for name, value in before.items():
        assert np.array_equal(rollout.steps.after[name], value), name
