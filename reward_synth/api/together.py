"""Measures a round's programs together: one replay buffer, elites that go on.

After LaRes (Li et al., 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reward_synth.agents.lares_spec import COMBINERS, PeriodSpec
from reward_synth.agents.training import train_all
from reward_synth.api.config import GenerateConfig
from reward_synth.api.measure import Measurement
from reward_synth.engine import LocalEngine
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.search import Measured, Rung
from reward_synth.task import TaskSpec


class Together:
    """Trains each round's programs beside the elites of all rounds before.

    Steps of the ladder at the end train programs alone, as :class:`Measurement` does.

    Args:
        alone: Trains programs alone, and knows the run.

    Raises:
        UsageError: The task's actions, or how rewards are combined, cannot be shared.
    """

    def __init__(self, alone: Measurement) -> None:
        require_shared(alone.config, alone.prepared.task)
        self.alone = alone
        self._last: PeriodSpec | None = None

    def __call__(
        self, programs: Sequence[RewardProgram], rung: Rung
    ) -> list[Measured | None]:
        """Return what training gave, None for each where it failed."""
        if rung not in self.alone.config.plan.each_round:
            return self.alone(programs, rung)
        if not programs:
            return []
        spec = self._spec(programs, rung)
        self.alone.meter.require_steps([spec])
        (trained,) = train_all(
            [spec],
            self.alone.store,
            LocalEngine(1, self.alone.watcher.stopping),
            watch=self.alone.watcher.training,
        )
        self.alone.watcher.checkpoint()
        if trained.status != "ok":
            return [None] * len(programs)
        self._last = spec
        found = {row["program"]: _measured(row) for row in trained.result["population"]}
        return [found.get(item.digest) for item in programs]

    def _spec(self, programs: Sequence[RewardProgram], rung: Rung) -> PeriodSpec:
        """Return the period of these programs: those of the last one, then new ones."""
        config, last = self.alone.config, self._last
        rows = {} if last is None else _rows(last)
        known = [item for item in programs if item.digest in rows]
        fresh = [item for item in programs if item.digest not in rows]
        training = config.training
        return PeriodSpec(
            env=self.alone.prepared.ref,
            task=self.alone.prepared.task,
            arm="dense",
            steps=max(1, round(training.steps * rung.share)),
            seed=config.env.seed + rung.first,
            agent=training.agent(),
            program=programs[0],
            combine=config.combination,
            weight=config.weight,
            episodes=training.episodes,
            sandbox=config.sandbox,
            population=(*known, *fresh),
            elites=tuple(rows[item.digest] for item in known),
            before="" if last is None else last.key,
        )


def _rows(period: PeriodSpec) -> dict[str, int]:
    return {item.digest: row for row, item in enumerate(period.population)}


def _measured(row: dict[str, Any]) -> Measured:
    success = row["selection"]["success_any"]
    return Measured(success, (), tuple(row["rollouts"]), (success,))


def require_shared(config: GenerateConfig, task: TaskSpec) -> None:
    """Refuse to share what cannot be shared, before anything is asked or trained.

    Raises:
        UsageError: The combiner keeps a state, or SAC cannot learn the task.
    """
    if config.combination not in COMBINERS:
        raise UsageError(
            f"--combine {config.combination} cannot be shared by a replay buffer; use "
            f"{' or '.join(COMBINERS)}."
        )
    if task.action.dtype != "float" or config.training.algorithm == "ppo":
        raise UsageError(
            f"The method {config.method.name} trains with SAC, which needs continuous "
            f"actions; {task.id!r} has {task.action.dtype}, and --algorithm is "
            f"{config.training.algorithm}. Use another method."
        )
