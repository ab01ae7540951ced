"""Measures programs by training agents with them, beside the sparse arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reward_synth.agents import TrialSpec
from reward_synth.agents.training import Trained, train_all
from reward_synth.api.config import GenerateConfig, SandboxMode, TrainConfig
from reward_synth.api.prepare import Prepared
from reward_synth.api.result import Watcher
from reward_synth.engine import LocalEngine
from reward_synth.program import RewardProgram
from reward_synth.store import RunStore


class Measurement:
    """Trains candidates beside the sparse arm; the search's trainer."""

    def __init__(
        self,
        config: GenerateConfig,
        prepared: Prepared,
        store: RunStore,
        watcher: Watcher,
    ) -> None:
        self.config = config
        self.prepared = prepared
        self.store = store
        self.watcher = watcher
        self.results: list[Trained] = []

    def __call__(self, programs: Sequence[RewardProgram]) -> list[float | None]:
        """Return the success rate of each program, None where training failed."""
        specs = trial_specs(
            self.prepared,
            programs,
            self.config.training,
            seed=self.config.env.seed,
            combine=self.config.combine,
            weight=self.config.weight,
            sandbox=self.config.sandbox,
        )
        self.results = train_all(
            specs,
            self.store,
            LocalEngine(self.config.training.jobs, self.watcher.stopping),
            watch=self.watcher.training,
        )
        self.watcher.checkpoint()
        return [self._score(program) for program in programs]

    def _score(self, program: RewardProgram) -> float | None:
        """Mean success, measured on other episodes than those that are reported."""
        rates = [
            item.result["selection"]["success_any"]
            for item in self.results
            if item.spec.program == program and item.status == "ok"
        ]
        return sum(rates) / len(rates) if rates else None


def trial_specs(
    prepared: Prepared,
    programs: Sequence[RewardProgram],
    training: TrainConfig,
    *,
    seed: int,
    combine: str,
    weight: float,
    sandbox: SandboxMode = "reduced",
) -> list[TrialSpec]:
    """Return the trials that compare programs with the sparse arm."""
    shared: dict[str, Any] = {
        "sandbox": sandbox,
        "env": prepared.ref,
        "task": prepared.task,
        "steps": training.steps,
        "agent": training.agent(),
        "episodes": training.episodes,
    }
    specs = []
    for number in range(seed, seed + training.seeds):
        specs.append(TrialSpec(arm="sparse", seed=number, **shared))
        if training.expert:
            specs.append(TrialSpec(arm="expert", seed=number, **shared))
        specs += [
            TrialSpec(
                arm="dense",
                seed=number,
                program=program,
                combine=combine,
                weight=weight,
                **shared,
            )
            for program in programs
        ]
    return specs
