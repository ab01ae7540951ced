"""Designs of rewards that suites compare; a new one is a class and a line in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from reward_synth.agents import Arm
from reward_synth.agents.intrinsic_spec import Intrinsic
from reward_synth.api import GenerateConfig, generate
from reward_synth.api.config import EnvConfig, SandboxMode
from reward_synth.api.result import REWARD_FILE, Watcher
from reward_synth.combine import make_combiner
from reward_synth.envs import EnvRef
from reward_synth.errors import NothingUsableError, UsageError
from reward_synth.program import RewardProgram
from reward_synth.store import RunStore
from reward_synth.task import TaskSpec
from reward_synth.wrappers.sources import program_function


@dataclass(frozen=True, slots=True)
class Place:
    """What a design is asked to reward."""

    env: EnvConfig
    ref: EnvRef
    task: TaskSpec
    folder: Path
    """Where the design may keep what it makes; its own for this task."""
    notify: Callable[[str], None] = lambda _: None
    sandbox: SandboxMode = "reduced"
    """Of the processes that check programs."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a design rewards an agent on one task."""

    arm: Arm
    program: RewardProgram | None = None
    combine: str = "add"
    weight: float = 1.0
    expert: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the environment in the arm ``expert``."""
    intrinsic: Intrinsic | None = None
    """Labels and bonuses, beside what the arm pays."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a design has nothing to offer on a task."""

    reason: str


class Design(Protocol):
    """Decides how agents are rewarded."""

    kind: ClassVar[str]

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""

    def treat(self, place: Place) -> Treatment | Skipped:
        """Return the treatment of a task; equal calls give equal treatments."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """Success and nothing else.

    Example:
        >>> Sparse().about
        '1 for every step in which the success rule holds, else 0.'
    """

    kind: ClassVar[str] = "sparse"

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""
        return "1 for every step in which the success rule holds, else 0."

    def treat(self, place: Place) -> Treatment | Skipped:  # noqa: ARG002 - the protocol's
        """Return the sparse arm."""
        return Treatment("sparse")


@dataclass(frozen=True, slots=True)
class Expert:
    """The dense reward that the environment's authors wrote.

    Example:
        >>> Expert({"reward_function_version": "v1"}).about
        "The environment's own dense reward (reward_function_version='v1')."
    """

    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Selects one of several rewards of the environment."""
    kind: ClassVar[str] = "expert"

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""
        given = ", ".join(
            f"{name}={value!r}" for name, value in self.env_kwargs.items()
        )
        return f"The environment's own dense reward{f' ({given})' if given else ''}."

    def treat(self, place: Place) -> Treatment | Skipped:
        """Return the expert arm, if the environment has one."""
        own = place.ref.adapter().expert(place.ref.task)
        if own is None or (not own and place.task.sparse):
            return Skipped("the environment has no dense reward of its own")
        return Treatment("expert", expert={**own, **self.env_kwargs})


@dataclass(frozen=True, slots=True)
class Symbolic:
    """The best of some programs composed without a language model.

    They are ranked on stored rollouts; none is trained for the choice.

    Example:
        >>> Symbolic(candidates=4).about
        'Composed without a language model, the best of 4 by screening; add.'
    """

    candidates: int = 16
    combine: str = "add"
    weight: float = 1.0
    seed: int = 0
    kind: ClassVar[str] = "symbolic"

    def __post_init__(self) -> None:
        """Refuse what no wrapper takes."""
        make_combiner(self.combine, gamma=1.0, weight=self.weight)

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""
        return (
            f"Composed without a language model, the best of {self.candidates} by "
            f"screening; {self.combine}."
        )

    def treat(self, place: Place) -> Treatment | Skipped:
        """Return the best program of a search that trains nothing."""
        config = GenerateConfig(
            replace(place.env, seed=self.seed),
            candidates=self.candidates,
            combine=self.combine,
            sandbox=place.sandbox,
        )
        file = place.folder / REWARD_FILE
        if not (file.is_file() and _finished(place.folder)):
            try:
                generate(config, place.folder, Watcher(notify=place.notify))
            except NothingUsableError as cause:
                return Skipped(str(cause))
        return Treatment("dense", RewardProgram.load(file), self.combine, self.weight)


@dataclass(frozen=True, slots=True)
class File:
    """A reward program in a file.

    ``{task}`` in the file's name stands for the task's name, so that a folder of
    programs is one design; tasks without a file are left out.

    Example:
        >>> File("rewards/{task}.py").about
        'The program rewards/{task}.py; add.'
    """

    file: str
    combine: str = "add"
    weight: float = 1.0
    kind: ClassVar[str] = "file"

    def __post_init__(self) -> None:
        """Refuse what no wrapper takes."""
        make_combiner(self.combine, gamma=1.0, weight=self.weight)

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""
        return f"The program {self.file}; {self.combine}."

    def treat(self, place: Place) -> Treatment | Skipped:
        """Return the program of the task.

        Raises:
            ProgramError: The file holds no program for the task.
        """
        path = Path(self.file.replace("{task}", place.ref.name.replace("/", "-")))
        if not path.is_file():
            if "{task}" in self.file:
                return Skipped(f"there is no {path.name}")
            raise UsageError(f"There is no reward program {path}.")
        program = RewardProgram.load(path)
        # refuse before anything is trained what the wrapper would refuse in each trial
        program_function(program, place.task, potential=self.combine == "potential")
        return Treatment("dense", program, self.combine, self.weight)


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of what the agent sees, by rules from knowledge of the task.

    Example:
        >>> Labels().about
        'Labels by rules, each over its count in the episode to the power 3 (oni-retrieval).'
    """

    model: str = "oni-retrieval"
    weight: float = 1.0
    power: float = 3.0
    kind: ClassVar[str] = "labels"

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""
        return (
            "Labels by rules, each over its count in the episode to the power "
            f"{self.power:g} ({self.model})."
        )

    def treat(self, place: Place) -> Treatment | Skipped:
        """Return labels beside the sparse arm, if there are rules for the task."""
        from reward_synth.agents.intrinsic_trial import require_labels

        pay = Intrinsic(self.model, (), self.weight, power=self.power)
        try:
            require_labels(place.ref, self.model)
        except UsageError as cause:
            return Skipped(str(cause).rstrip("."))
        return Treatment("sparse", intrinsic=pay)


@dataclass(frozen=True, slots=True)
class Bonus:
    """An exploration bonus, without any label.

    Example:
        >>> Bonus("e3b").about
        'The exploration bonus e3b.'
    """

    bonus: str
    weight: float = 0.1
    kind: ClassVar[str] = "bonus"

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        from reward_synth.agents.intrinsic_setup import BONUSES, require_name

        require_name("bonus", self.bonus, BONUSES)

    @property
    def about(self) -> str:
        """A sentence: what the agent is paid."""
        return f"The exploration bonus {self.bonus}."

    def treat(self, place: Place) -> Treatment | Skipped:  # noqa: ARG002 - the protocol's
        """Return the bonus beside the sparse arm."""
        pay = Intrinsic(bonuses=(self.bonus,), bonus_weight=self.weight)
        return Treatment("sparse", intrinsic=pay)


def _finished(folder: Path) -> bool:
    with RunStore.read(folder) as store:
        return store.finished


DESIGNS: Mapping[str, type[Any]] = {
    design.kind: design for design in (Sparse, Expert, Symbolic, File, Labels, Bonus)
}
"""By the name that suites use."""
