"""Budgets of a run beside the model's: environment steps and wall clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reward_synth.agents import TrialSpec
from reward_synth.errors import BudgetReachedError, UsageError
from reward_synth.store import RunStore, TrialRow


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use; None: as much as it takes."""

    steps: int | None = None
    """Environment steps of all trainings together."""
    minutes: float | None = None
    """Of this call; a training that runs is finished."""

    def __post_init__(self) -> None:
        """Refuse what would stop every run at once."""
        if self.steps is not None and self.steps < 1:
            raise UsageError(
                f"--max-train-steps must be at least 1, received {self.steps}."
            )
        if self.minutes is not None and not 0.0 < self.minutes < math.inf:
            raise UsageError(
                f"--max-minutes must be a number above 0, received {self.minutes}."
            )


class Meter:
    """Tells when a run has used what it may.

    Args:
        limits: What it may use.
        store: Holds the trainings that were made.
        clock: Tells seconds.
    """

    def __init__(
        self,
        limits: Limits,
        store: RunStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._store = store
        self._clock = clock
        self._began = clock()

    def checkpoint(self) -> None:
        """Return while there is time.

        Raises:
            BudgetReachedError: There is none left.
        """
        minutes = self._limits.minutes
        used = (self._clock() - self._began) / 60.0
        if minutes is not None and used >= minutes:
            raise BudgetReachedError(
                f"The time of {minutes:g} minutes (--max-minutes) is used up. Nothing is "
                "lost: the same command goes on, with as much time again."
            )

    def require_steps(self, specs: Sequence[TrialSpec]) -> None:
        """Return if these trainings fit into what is left.

        Raises:
            BudgetReachedError: They do not; none is begun.
        """
        if self._limits.steps is None:
            return
        spent = sum(_spent(trial) for trial in self._store.trials())
        new = {spec.key: spec.steps for spec in specs}
        asked = sum(
            steps for key, steps in new.items() if self._store.find_trial(key) is None
        )
        if asked and spent + asked > self._limits.steps:
            raise BudgetReachedError(
                f"The budget of {self._limits.steps} environment steps "
                f"(--max-train-steps) is used up: {spent} are spent, and the next "
                f"trainings take {asked}. The same command with a larger one goes on."
            )


def _spent(trial: TrialRow) -> int:
    """Return the steps that a training took: fewer where it was ended early."""
    stopped = trial.result.get("stopped")
    return int(trial.config["steps"] if stopped is None else stopped["step"])
