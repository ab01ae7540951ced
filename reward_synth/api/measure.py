"""Measures programs by training agents with them, beside the sparse arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reward_synth.agents import TrialSpec
from reward_synth.agents.early import EarlyStop
from reward_synth.agents.training import Trained, train_all
from reward_synth.api.config import GenerateConfig, SandboxMode, TrainConfig
from reward_synth.api.limits import Meter
from reward_synth.api.prepare import Prepared
from reward_synth.api.result import Watcher
from reward_synth.program import RewardProgram
from reward_synth.search import Measured, Rung
from reward_synth.store import RunStore


class Measurement:
    """Trains candidates, the last time beside the sparse arm; the search's trainer."""

    def __init__(
        self,
        config: GenerateConfig,
        prepared: Prepared,
        store: RunStore,
        watcher: Watcher,
        meter: Meter,
    ) -> None:
        self.meter = meter
        self.config = config
        self.prepared = prepared
        self.store = store
        self.watcher = watcher
        self.results: list[Trained] = []
        self._best: dict[int, tuple[float, tuple[tuple[int, float], ...]]] = {}
        """By the steps of a training: the best success so far, and its evaluations."""

    def __call__(
        self, programs: Sequence[RewardProgram], rung: Rung
    ) -> list[Measured | None]:
        """Return what training with each program gave, None where it failed."""
        specs = self._specs(programs, rung)
        self.meter.require_steps(specs)
        results = train_all(
            specs,
            self.store,
            self.config.training.engine.make(self.watcher.stopping),
            watch=self.watcher.training,
        )
        self.results += results
        self._raise_bars(results)
        self.watcher.checkpoint()
        return [measured(program, results) for program in programs]

    def _specs(self, programs: Sequence[RewardProgram], rung: Rung) -> list[TrialSpec]:
        training = self.config.training
        training = replace(training, steps=max(1, round(training.steps * rung.share)))
        specs = trial_specs(
            self.prepared,
            programs,
            training,
            seed=self.config.env.seed + rung.first,
            seeds=rung.seeds,
            combine=self.config.combination,
            weight=self.config.weight,
            sandbox=self.config.sandbox,
            told=True,
        )
        if training.early_stop:
            _, bar = self._best.get(training.steps, (0.0, ()))
            early = EarlyStop(bar)
            specs = [replace(x, early=early) if x.program else x for x in specs]
        return specs if rung.last else [item for item in specs if item.arm == "dense"]

    def _raise_bars(self, results: Sequence[Trained]) -> None:
        for item in results:
            if item.status != "ok" or item.spec.program is None:
                continue
            success = item.result["selection"]["success_any"]
            best, _ = self._best.get(item.spec.steps, (0.0, ()))
            if success > best:
                bar = tuple((x["step"], x["success_any"]) for x in item.result["curve"])
                self._best[item.spec.steps] = success, bar


def measured(program: RewardProgram, results: Sequence[Trained]) -> Measured | None:
    """Success is measured on other episodes than those that are reported."""
    own = [
        item.result
        for item in results
        if item.spec.program == program and item.status == "ok"
    ]
    if not own:
        return None
    rates = [result["selection"]["success_any"] for result in own]
    return Measured(
        sum(rates) / len(rates),
        tuple(own[0]["curve"]),
        tuple(own[0].get("rollouts", ())),
        tuple(rates),
        tuple(_early(result) for result in own if "stopped" in result),
    )


def _early(result: Mapping[str, Any]) -> str:
    return f"{result['stopped']['why']} at step {result['stopped']['step']}"


def trial_specs(
    prepared: Prepared,
    programs: Sequence[RewardProgram],
    training: TrainConfig,
    *,
    seed: int,
    seeds: int,
    combine: str,
    weight: float,
    sandbox: SandboxMode = "reduced",
    told: bool = False,
) -> list[TrialSpec]:
    """Return the trials that compare programs with the sparse arm.

    Args:
        prepared: The environment.
        programs: Each is an arm of its own.
        training: How long, and how agents are measured.
        seed: The first seed.
        seeds: How many there are.
        combine: How dense rewards meet the sparse one.
        weight: Of the dense reward.
        sandbox: Of the process that trains.
        told: Whether results tell what the agents of programs did.
    """
    shared: dict[str, Any] = {
        "sandbox": sandbox,
        "env": prepared.ref,
        "task": prepared.task,
        "steps": training.steps,
        "agent": training.agent(),
        "episodes": training.episodes,
    }
    specs = []
    for number in range(seed, seed + seeds):
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
                told=told,
                **shared,
            )
            for program in programs
        ]
    return specs
