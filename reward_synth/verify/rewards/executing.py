"""Answers that are read, executed and scored by what their calls gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.execution import Ran, Sample, ToolPool
from reward_synth.verify.limits import UnreadableError
from reward_synth.verify.origin import ToolOutput
from reward_synth.verify.policy import Policy
from reward_synth.verify.reading import CallReader
from reward_synth.verify.result import Status
from reward_synth.verify.rewards.executed import Executed, executed_calls

_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class ExecutedScore:
    """The score of one answer, from 0 to 1, and what its calls gave."""

    score: float
    status: Status = "ok"
    """``timeout`` and ``infra_error`` say nothing about the answer: no score of 0."""
    outputs: tuple[ToolOutput, ...] = ()
    message: str = ""


class ExecutedReward:
    """Scores answers by :func:`~reward_synth.verify.rewards.executed_calls`.

    Args:
        pool: Runs the calls.
        policy: How answers are read.

    Example:
        >>> wanted = [{"make": ["7"]}]
        >>> with ToolPool(dict, workers=1) as pool:
        ...     reward = ExecutedReward(pool)
        ...     reward.batch(["make(a=7)"], wanted, [{"make": dict}])[0].score
        1.0
    """

    def __init__(self, pool: ToolPool, policy: Policy = _POLICY) -> None:
        self.pool = pool
        self._reader = CallReader(policy)

    def batch(
        self,
        answers: Sequence[Any],
        unsolved: Sequence[Mapping[str, Sequence[str]]],
        states: Sequence[Any] | None = None,
    ) -> list[ExecutedScore]:
        """Return the score of each answer; one that hangs delays no other for long.

        Args:
            answers: In any form that :func:`~reward_synth.verify.verify` takes.
            unsolved: Of each: what each tool is to give.
            states: Of each: what its tools act on.

        Raises:
            UsageError: The three are not equally many.
        """
        given = [None] * len(answers) if states is None else states
        if not len(answers) == len(unsolved) == len(given):
            raise UsageError(
                f"{len(answers)} answers need as many rows of unsolved and states, received "
                f"{len(unsolved)} and {len(given)}."
            )
        read = [self._read(answer) for answer in answers]
        samples = [
            Sample(calls, state)
            for calls, state in zip(read, given, strict=True)
            if not isinstance(calls, UnreadableError)
        ]
        ran = iter(list(self.pool(samples)))
        return [
            ExecutedScore(0.0, "invalid_output", message=calls.text)
            if isinstance(calls, UnreadableError)
            else _scored(next(ran), wanted)
            for calls, wanted in zip(read, unsolved, strict=True)
        ]

    def _read(self, answer: Any) -> Any:
        try:
            return self._reader.read(answer)
        except UnreadableError as trouble:
            return trouble


def _scored(ran: Ran, wanted: Mapping[str, Sequence[str]]) -> ExecutedScore:
    if ran.status != "ok":
        return ExecutedScore(0.0, ran.status, (), ran.message)
    calls = [Executed(item.tool, item.text, item.failed) for item in ran.outputs]
    return ExecutedScore(executed_calls(calls, wanted), outputs=ran.outputs)
