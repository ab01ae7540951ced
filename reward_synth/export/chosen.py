"""Finds in a run what is exported: a program, its task, and what was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reward_synth.combine import DECODED
from reward_synth.errors import UsageError, did_you_mean
from reward_synth.program import Provenance, RewardProgram
from reward_synth.report import ProgramData, RunData, TrialData
from reward_synth.report.runs import read_run
from reward_synth.store import RunStore
from reward_synth.task import TaskSpec


@dataclass(frozen=True, slots=True)
class Setting:
    """How a program was used in its run."""

    env: str
    """What :func:`reward_synth.make` takes."""
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    combine: str = "add"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Exported:
    """One program of a run, with everything that is told about it."""

    folder: Path
    run: RunData
    task: TaskSpec
    told: ProgramData
    program: RewardProgram
    setting: Setting
    configs: Mapping[str, Mapping[str, Any]]
    """What each training's result depends on, by its key."""

    @property
    def trials(self) -> tuple[TrialData, ...]:
        """All trainings on this task, those of other designs too."""
        return tuple(item for item in self.run.trials if item.task == self.told.task)

    @property
    def own_trials(self) -> tuple[TrialData, ...]:
        """The trainings with this program."""
        return tuple(t for t in self.trials if t.design == self.told.design)


def read_exports(
    folder: str | Path, *, task: str | None = None, design: str | None = None
) -> list[Exported]:
    """Return what a run can export: its chosen programs.

    Args:
        folder: Of a run of ``generate``, ``train`` or ``bench``, finished or not.
        task: Only this task of a suite.
        design: Only this design of a suite; of another run, the beginning of the
            program's digest, also of one that was not chosen.

    Raises:
        UsageError: The folder holds no run, or none of its programs is meant.
    """
    place = Path(folder)
    run = read_run(place)
    found = [item for item in run.programs if _is_meant(item, task, design)]
    if not found:
        raise UsageError(_nothing(run, task, design))
    with RunStore.read(place) as store:
        config = store.config
        configs = {row.key: row.config for row in store.trials()}
    for file in (place / "trials").glob("*/trial.json"):
        text = file.read_text(encoding="utf-8")
        configs.setdefault(file.parent.name, json.loads(text))
    return [_exported(place, run, item, config, configs) for item in found]


def _is_meant(program: ProgramData, task: str | None, design: str | None) -> bool:
    if task is not None and task.casefold() != program.task.casefold():
        return False
    if design is None:
        return program.chosen
    return design == program.design or program.digest.startswith(design)


def _nothing(run: RunData, task: str | None, design: str | None) -> str:
    """Say what there is instead of what was asked for."""
    tasks = list(dict.fromkeys(item.task for item in run.programs))
    designs = list(dict.fromkeys(item.design for item in run.programs))
    if not tasks:
        return (
            "The run has no reward program to export. Its report says why; a run that "
            "was broken off goes on with the same command and --run."
        )
    if task is None and design is None:
        return (
            "The run chose no program yet. Let it end with the same command and --run, "
            f"or name one of its programs with --design: {', '.join(designs)}."
        )
    hint = did_you_mean(task or design or "", tasks if task else designs)
    return (
        f"The run has no reward program of task {task or 'any'!r} and design "
        f"{design or 'any'!r}.{hint} Its tasks are {', '.join(tasks)}; its designs "
        f"{', '.join(designs)}."
    )


def _exported(
    folder: Path,
    run: RunData,
    told: ProgramData,
    config: Mapping[str, Any],
    configs: Mapping[str, Mapping[str, Any]],
) -> Exported:
    task = TaskSpec.load(_task_file(folder, told.task))
    keys = [
        item.key
        for item in run.trials
        if item.task == told.task and item.design == told.design and item.key in configs
    ]
    trained = configs[keys[0]] if keys else None
    setting = _trained(trained) if trained else _planned(config, told)
    if setting.combine == DECODED:
        raise UsageError(
            f"{folder} holds factors, which a decoder of returns pays: they are no reward "
            "of their own, so nothing is exported. `reward_synth.agents.lare.decoded` "
            "pays a decoder of its trainings."
        )
    program = _program(folder, told, task)
    return Exported(folder, run, task, told, program, setting, configs)


def _task_file(folder: Path, task: str) -> Path:
    """Return where the description of a task is kept; suites have one for each."""
    own = folder / "tasks" / f"{re.sub(r'[^A-Za-z0-9.]+', '-', task)}.json"
    return own if own.is_file() else folder / "task.json"


def _trained(config: Mapping[str, Any]) -> Setting:
    return Setting(
        config["env"],
        config["env_kwargs"],
        config["combine"] or "add",
        1.0 if config["weight"] is None else config["weight"],
    )


def _planned(config: Mapping[str, Any], told: ProgramData) -> Setting:
    """Return the setting of a program that nothing was trained with."""
    if "suite" in config:
        suite = config["suite"]
        item = next(t for t in suite["tasks"] if t["name"] == told.task)
        design = suite["designs"].get(told.design, {})
        ways = {key: design[key] for key in ("combine", "weight") if key in design}
        return Setting(item["env"], item["env_kwargs"], **ways)
    if "trials" in config:
        dense = [item for item in config["trials"] if item["program"] == told.digest]
        return _trained((dense or config["trials"])[0])
    env = config["env"]
    return Setting(env["env"], env["env_kwargs"], config["combine"], config["weight"])


def _program(folder: Path, told: ProgramData, task: TaskSpec) -> RewardProgram:
    """Return the program as it was saved, else made again from its text."""
    for program in _candidates(folder, told, task):
        if program.digest == told.digest:
            return program
    return RewardProgram(told.source, provenance=_origin(told))


def _candidates(
    folder: Path, told: ProgramData, task: TaskSpec
) -> Iterator[RewardProgram]:
    saved = folder / "reward.py"
    if saved.is_file():
        yield RewardProgram.load(saved)
    yield RewardProgram.of(told.source, task, _origin(told))


def _origin(told: ProgramData) -> Provenance:
    return Provenance(
        told.proposer or "hand-written", told.model, parents=tuple(told.parents)
    )
