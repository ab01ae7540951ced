"""What one period of a population's training depends on, and the names of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reward_synth.agents.trial_spec import TrialSpec
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram

REPLAY = "replay.safetensors"
"""In a period's folder: all steps so far, as its parent keeps them."""
GIVEN = "given"
"""In the training process's folder: copies of what it begins with."""
FRESH = "fresh.safetensors"
"""Beside its weights: the steps that it made."""
TOGETHER = "together"
"""Stands in a period's settings where a trial names its program."""
COMBINERS = ("add", "replace")


@dataclass(frozen=True, slots=True)
class PeriodSpec(TrialSpec):
    """One period: several programs train together, on one replay buffer."""

    population: tuple[RewardProgram, ...] = ()
    """The elites of the period before, best first, then new programs."""
    elites: tuple[int, ...] = ()
    """Which programs of the period before the first ones are; they go on with their
    policies."""
    before: str = ""
    """Key of the period before; its folder lies beside this one's."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained together."""
        TrialSpec.__post_init__(self)
        if not self.population or self.inherited > len(self.population):
            raise UsageError(
                f"A period needs programs; received {len(self.population)} of which "
                f"{self.inherited} are inherited."
            )
        if self.elites and not self.before:
            raise UsageError(
                f"Elites come from the period before; received elites {self.elites} and "
                f"before={self.before!r}."
            )
        if self.combine not in COMBINERS:
            raise UsageError(
                f"combine={self.combine!r} cannot be shared by a replay buffer; it must "
                f"be one of {', '.join(COMBINERS)}."
            )
        if self.task.action.dtype != "float":
            raise UsageError(
                f"Programs are trained together by SAC, and the actions of "
                f"{self.task.id!r} are not continuous. Use another method."
            )

    @property
    def inherited(self) -> int:
        """How many programs, the first, are elites."""
        return len(self.elites)

    def config(self) -> dict[str, Any]:
        """Return everything that the result depends on, as JSON-ready data."""
        return {
            **TrialSpec.config(self),
            "program": TOGETHER,
            "population": [item.digest for item in self.population],
            "elites": list(self.elites),
            "before": self.before,
        }


def policy_file(number: int) -> str:
    """Return the name, without its end, of the weights of one of the policies.

    Example:
        >>> policy_file(2)
        'policy-2'
    """
    return f"policy-{number}"
