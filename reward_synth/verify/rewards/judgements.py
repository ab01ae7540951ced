"""Rewards of judgements on what was found: the repaired twin of ReSeek's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reward_synth.verify.rewards.tokens import holds, word_f1


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the environment gave, and what the model said of it.

    Example:
        >>> Judgement("Paris is in France.", True).useful
        True
    """

    found: str
    """From the environment's own record; never read from the model's text."""
    useful: bool
    """The model's verdict."""


def judgements(
    made: Sequence[Judgement], answer: str, gold: str, weight: float = 0.3
) -> float:
    """Return the answer's reward, and for right verdicts at most ``weight`` more.

    The mean of the verdicts (1 for a right one, -1 for a wrong one) counts, not their
    sum: judging more often earns nothing more. Without a right answer verdicts can only
    cost.

    Args:
        made: One for each thing that the environment gave.
        answer: The final answer.
        gold: The right one.
        weight: Of the verdicts.

    Raises:
        UsageError: ``gold`` has no word and no number.

    Example:
        >>> right = Judgement("It is Paris.", True)
        >>> judgements([right] * 100, "Paris", "Paris"), judgements([right], "Rome", "Paris")
        (1.3, 0.0)
    """
    reached = float(word_f1(answer, gold) == 1.0)
    if not made:
        return reached
    right = sum(1 if item.useful == holds(item.found, gold) else -1 for item in made)
    mean = right / len(made)
    return reached + weight * (mean if reached else min(0.0, mean))
