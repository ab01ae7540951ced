"""What a report is made from: one run or one suite, as plain data.

A run of ``generate`` and a suite of ``bench`` are told in the same words: tasks, designs
of rewards, trainings of agents, and the programs behind them. All of it is JSON-ready,
so a report can be made again from a file, and on another machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["running", "stopped", "finished"]
Kind = Literal["sparse", "expert", "program"]
Outcome = Literal["passed", "failed", "not checked"]


@dataclass(frozen=True, slots=True)
class TaskData:
    """One task that agents were trained on."""

    name: str
    """As the user names the environment; unique in a report."""
    instruction: str = ""
    success: str = ""
    """The success rule, in words or as an expression."""
    horizon: int | None = None
    steps: int = 0
    """Environment steps of each training."""


@dataclass(frozen=True, slots=True)
class DesignData:
    """One way to reward the agent, compared with the others."""

    name: str
    """Unique in a report: ``sparse``, ``expert``, ``symbolic``, a file's name …"""
    kind: Kind = "program"
    about: str = ""
    """A sentence: what the agent is paid."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An agent, measured in evaluation episodes after ``step`` steps of training."""

    step: int
    success_any: float
    """Share of episodes in which the success rule held after any step."""
    success_last: float
    """Share of episodes in which it held after the last step."""
    env_return: float
    """Mean return of the environment's own reward."""
    length: float = 0.0
    """Mean number of steps."""
    components: Mapping[str, float] = field(default_factory=dict)
    """Mean sum of each component of the reward."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Measured:
        """Return it from a trial's stored result or a point of its curve."""
        names = cls.__dataclass_fields__
        return cls(**{name: row[name] for name in names if name in row})


@dataclass(frozen=True, slots=True)
class TrialData:
    """One training of one agent."""

    task: str
    design: str
    agent: str
    seed: int
    steps: int
    status: str
    """``ok``, ``running``, ``waiting``, or in a word what went wrong."""
    error: str = ""
    curve: tuple[Measured, ...] = ()
    """Evaluations on the way; the last one is the result."""
    selection: Measured | None = None
    """Measured on other episodes; what candidates were chosen by."""
    seconds: float = 0.0
    program: str = ""
    """Digest of the reward program; empty if the design has none."""
    episodes: int = 0
    """Episodes of each evaluation; 0: not known."""
    key: str = ""
    """Identity of the training in the run's store."""
    frames: str = ""
    """A strip of one episode's frames, as a ``data:`` address; empty if not drawn."""

    @property
    def final(self) -> Measured | None:
        """The result: the last evaluation, never the best one."""
        return self.curve[-1] if self.status == "ok" and self.curve else None


@dataclass(frozen=True, slots=True)
class FindingData:
    """What an examination found in a program."""

    severity: str
    """``error``, ``warning`` or ``note``."""
    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ProgramData:
    """One reward program, its findings and its scores."""

    digest: str
    source: str
    task: str = ""
    design: str = ""
    proposer: str = ""
    model: str = ""
    parents: tuple[str, ...] = ()
    """Digests of the programs that it was made from."""
    findings: tuple[FindingData, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    """By what was measured: ``screen``, ``trained`` …"""
    chosen: bool = False
    """True for the program that the run or the design settled on."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent."""

    steps: int = 0
    """Environment steps of all trainings."""
    seconds: float = 0.0
    """Seconds of all trainings, summed over processes."""
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    money: float | None = None
    """In the currency of the user's prices; None: not known."""


@dataclass(frozen=True, slots=True)
class LabelData:
    """Labels of one kind from one origin, such as a model's judgements of captions."""

    name: str
    """What was labelled."""
    origin: str
    """Who gave the labels: ``language model``, ``person``, ``rule`` …"""
    source: str = ""
    """Which one: the model's name, the file, the rule."""
    given: Mapping[str, int] = field(default_factory=dict)
    """How often each label was given."""
    asked: int = 0
    """Items that a label was asked for; what is not in ``given`` has none."""
    examples: tuple[tuple[str, str], ...] = ()
    """A few items, each with its label."""


@dataclass(frozen=True, slots=True)
class MatrixData:
    """How far apart things are, each from each other."""

    title: str
    about: str
    """A sentence: what the numbers mean, and which are near."""
    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    """A row for each name, from it to every name; NaN: not known."""


@dataclass(frozen=True, slots=True)
class AuditData:
    """One check of an audit and how it ended."""

    subject: str
    """What was audited: a program, a design, a verifier."""
    check: str
    """The rule, in a sentence."""
    outcome: Outcome
    text: str = ""
    """What was found."""


@dataclass(frozen=True, slots=True)
class RunData:
    """Everything that a report tells."""

    title: str
    about: str
    command: str
    """The command that made it, exactly."""
    created: float
    """Seconds since the epoch."""
    state: State
    tasks: tuple[TaskData, ...]
    designs: tuple[DesignData, ...]
    trials: tuple[TrialData, ...]
    programs: tuple[ProgramData, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)
    notes: tuple[str, ...] = ()
    """What was skipped, replaced or defaulted, a sentence each."""
    labels: tuple[LabelData, ...] = ()
    distances: tuple[MatrixData, ...] = ()
    audits: tuple[AuditData, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunData:
        """Return what :meth:`to_dict` gave, also after a journey through JSON.

        Data that lacks labels, distances or audits has none.

        Example:
            >>> data = RunData("t", "", "cmd", 0.0, "finished", (TaskData("CartPole-v1"),),
            ...                (DesignData("sparse", "sparse"),), ())
            >>> RunData.from_dict(data.to_dict()) == data
            True
        """
        rest = {
            "tasks": tuple(TaskData(**item) for item in data["tasks"]),
            "designs": tuple(DesignData(**item) for item in data["designs"]),
            "trials": tuple(_trial(item) for item in data["trials"]),
            "programs": tuple(_program(item) for item in data["programs"]),
            "cost": Cost(**data["cost"]),
            "notes": tuple(data["notes"]),
            "labels": tuple(_labels(item) for item in data.get("labels", ())),
            "distances": tuple(_matrix(item) for item in data.get("distances", ())),
            "audits": tuple(AuditData(**item) for item in data.get("audits", ())),
        }
        return cls(**{**data, **rest})


def _trial(data: Mapping[str, Any]) -> TrialData:
    chosen_by = data["selection"]
    rest = {
        "curve": tuple(Measured(**item) for item in data["curve"]),
        "selection": None if chosen_by is None else Measured(**chosen_by),
    }
    return TrialData(**{**data, **rest})


def _program(data: Mapping[str, Any]) -> ProgramData:
    rest = {
        "parents": tuple(data["parents"]),
        "findings": tuple(FindingData(**item) for item in data["findings"]),
    }
    return ProgramData(**{**data, **rest})


def _labels(data: Mapping[str, Any]) -> LabelData:
    pairs = tuple((item, label) for item, label in data["examples"])
    return LabelData(**{**data, "examples": pairs})


def _matrix(data: Mapping[str, Any]) -> MatrixData:
    rows = tuple(
        tuple(math.nan if value is None else value for value in row)
        for row in data["values"]
    )
    return MatrixData(**{**data, "names": tuple(data["names"]), "values": rows})
