"""What a model says beside writing programs: as a critic before training, as an analyst after.

After Auto MC-Reward (Li et al., 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from reward_synth.llm import Completion
from reward_synth.prompts import (
    Message,
    analyst_messages,
    critic_messages,
    neutralise,
    read_verdict,
)
from reward_synth.search.outcome import Outcome
from reward_synth.task import TaskSpec

Ask: TypeAlias = Callable[[Sequence[Message]], Completion]
_ANALYSIS = 1_500
"""Characters of an analysis that are shown."""


def criticised(task: TaskSpec, source: str, ask: Ask) -> list[str]:
    """Return what the model finds wrong in a program; an outage finds nothing.

    Args:
        task: The task.
        source: The program.
        ask: Asks the model.
    """
    completion = ask(critic_messages(task, source))
    return read_verdict(completion.text) if completion.ok else []


def analysed(task: TaskSpec, outcome: Outcome, ask: Ask) -> Outcome:
    """Add what the model makes of a trained agent's failures.

    A program that was not trained, or whose agent always succeeds, stays as it is.

    Args:
        task: The task.
        outcome: What became of the program.
        ask: Asks the model.
    """
    failed = outcome.trained is not None and outcome.trained < 1.0
    if not failed or not outcome.rollouts:
        return outcome
    completion = ask(analyst_messages(task, outcome.program.source, outcome.rollouts))
    if not completion.ok:
        return outcome
    said = f"What an analyst says of it: {neutralise(completion.text, _ANALYSIS)}"
    return replace(outcome, taught=f"{outcome.taught}\n{said}")
