"""What a suite is going to train, told before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reward_synth.agents import TrialSpec
from reward_synth.api.config import SandboxMode
from reward_synth.api.provenance import command_line, machine, versions
from reward_synth.benchmarks.designs import Treatment
from reward_synth.benchmarks.suite import Suite, SuiteTask
from reward_synth.envs import EnvRef
from reward_synth.report import DesignData, ProgramData, RunData, TaskData, TrialData
from reward_synth.report.data import Kind
from reward_synth.report.searches import success_words
from reward_synth.task import TaskSpec

_ARMS: Mapping[str, Kind] = {"sparse": "sparse", "expert": "expert"}


@dataclass(frozen=True, slots=True)
class Described:
    """A task of a suite whose environment was found and described."""

    item: SuiteTask
    ref: EnvRef
    task: TaskSpec
    file: Path
    """Where the description is kept."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a suite."""

    task: str
    design: str
    agent: str
    spec: TrialSpec


Treatments = Mapping[tuple[str, str], Treatment]
"""By task and design."""


def cells(
    suite: Suite,
    described: Sequence[Described],
    treated: Treatments,
    sandbox: SandboxMode = "reduced",
) -> Iterator[Cell]:
    """Yield every training, all of one seed before those of the next.

    So a suite that is broken off has compared something.
    """
    for seed in suite.seeds:
        for place in described:
            for name in suite.designs_of(place.item):
                treatment = treated.get((place.item.name, name))
                if treatment is not None:
                    spec = _spec(suite, place, treatment, seed)
                    spec = replace(spec, sandbox=sandbox)
                    yield Cell(place.item.name, name, place.item.agent, spec)


def _spec(suite: Suite, place: Described, treatment: Treatment, seed: int) -> TrialSpec:
    return TrialSpec(
        place.ref,
        place.task,
        treatment.arm,
        place.item.steps,
        seed,
        suite.agents[place.item.agent],
        treatment.program,
        treatment.combine,
        treatment.weight,
        treatment.expert,
        suite.episodes,
        suite.evaluations,
        film=seed == suite.seeds[0],
        intrinsic=treatment.intrinsic,
    )


def plan(
    suite: Suite,
    described: Sequence[Described],
    trainings: Sequence[Cell],
    notes: Sequence[str],
) -> RunData:
    """Return the report's data as they are before anything is trained."""
    return RunData(
        suite.title,
        suite.about,
        command_line(),
        created=0.0,
        state="running",
        tasks=tuple(_task(place) for place in described),
        designs=tuple(
            DesignData(name, _ARMS.get(design.kind, "program"), design.about)
            for name, design in suite.designs.items()
        ),
        trials=tuple(_trial(cell) for cell in trainings),
        programs=tuple(_programs(trainings)),
        versions=versions(),
        machine=machine(),
        notes=tuple(notes),
    )


def _task(place: Described) -> TaskData:
    return TaskData(
        place.item.name,
        place.task.instruction,
        success_words(place.task.success),
        place.task.horizon,
        place.item.steps,
    )


def _trial(cell: Cell) -> TrialData:
    program = cell.spec.program
    return TrialData(
        cell.task,
        cell.design,
        cell.agent,
        cell.spec.seed,
        cell.spec.steps,
        "waiting",
        program=program.digest if program else "",
        episodes=cell.spec.episodes,
        key=cell.spec.key,
    )


def _programs(trainings: Sequence[Cell]) -> Iterator[ProgramData]:
    seen = set()
    for cell in trainings:
        program = cell.spec.program
        if program is None or (cell.task, cell.design) in seen:
            continue
        seen.add((cell.task, cell.design))
        yield ProgramData(
            program.digest,
            program.source,
            cell.task,
            cell.design,
            program.provenance.proposer,
            program.provenance.model,
            chosen=True,
        )
