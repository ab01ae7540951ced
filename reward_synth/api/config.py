"""Settings of a run: what the store compares when a run goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from reward_synth.agents import AgentConfig
from reward_synth.api.limits import Limits
from reward_synth.api.model_settings import ModelConfig, refuse_empty
from reward_synth.engine import EngineConfig
from reward_synth.errors import UsageError
from reward_synth.search import Method, Plan, Refinement, Rung, load_method
from reward_synth.search.method import DEFAULT

SandboxMode = Literal["strict", "reduced"]

__all__ = [
    "PREFERENCE",
    "SUCCESS",
    "EnvConfig",
    "GenerateConfig",
    "ModelConfig",
    "SandboxMode",
    "TrainConfig",
    "check_weight",
]


@dataclass(frozen=True, slots=True)
class EnvConfig:
    """Which environment, and how it is described."""

    env: str
    """A family, ``Family/Task``, a Gymnasium id, or ``module:Id``."""
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Given to the environment when it is made."""
    instruction: str | None = None
    """What is to be done; by default what the environment says."""
    success: str | None = None
    """The success rule; by default the environment's own."""
    allow_info: tuple[str, ...] = ()
    """Keys of ``info`` that programs may read."""
    task_file: str | None = None
    """A saved task description, used in place of a new one."""
    demonstrations: str | None = None
    """Recorded rollouts (.npz) or the name of a Minari data set."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse texts without content, which would pass for not given."""
        refuse_empty(
            {
                "--task": self.instruction,
                "--success": self.success,
                "--task-spec": self.task_file,
                "--demos": self.demonstrations,
            }
        )


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How candidates are measured by training."""

    steps: int = 0
    """Environment steps of each training; 0: none."""
    top: int | None = None
    """How many of the best candidates are trained at last; by default the method's."""
    seeds: int | None = None
    """Last trainings of each arm, with seeds that count up; by default the method's."""
    algorithm: str = "auto"
    episodes: int = 20
    """Episodes of each evaluation."""
    engine: EngineConfig = field(default_factory=EngineConfig)
    """Where trainings run."""
    expert: bool = False
    """Also train with the environment's own dense reward."""
    early_stop: bool = False
    """End trainings of candidates that are hacked, or beaten by far, before their time."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.steps < 0:
            raise UsageError(
                f"--train-steps must be 0 (no training) or more, received {self.steps}."
            )
        counts = {
            "--train-top": self.top,
            "--seeds": self.seeds,
            "--episodes": self.episodes,
        }
        for name, value in counts.items():
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, received {value}.")
        self.agent()

    def agent(self) -> AgentConfig:
        """Return the agent's settings.

        Raises:
            UsageError: The algorithm is not one of ours.
        """
        return AgentConfig(self.algorithm)  # type: ignore[arg-type]  # checked there


SUCCESS, PREFERENCE = "success", "preference"
_LATER = {
    "method": ("merge", "elites", "planner"),
    "plan": ("merge", "elites"),
    "training": ("early_stop",),
}
"""Settings that runs of earlier versions lack."""


@dataclass(frozen=True, slots=True)
class GenerateConfig:
    """Everything that decides what ``generate`` does."""

    env: EnvConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainConfig = field(default_factory=TrainConfig)
    method: Method = field(default_factory=lambda: load_method(DEFAULT))
    """How candidates are proposed and chosen."""
    candidates: int | None = None
    """Programs in all, of one restart; by default the method's."""
    rounds: int | None = None
    """Rounds in which they are asked for; by default the method's."""
    combine: str | None = None
    """How the dense reward meets the sparse one; by default the method's, else add."""
    weight: float = 1.0
    sandbox: SandboxMode = "reduced"
    fitness: str = SUCCESS
    """What trained candidates are chosen by: measured ``success``, or the ``preference``
    of who watches their agents."""
    refinements: tuple[Refinement, ...] = ()
    """What a person said of earlier programs, oldest first."""
    limits: Limits = field(default_factory=Limits)
    """What the run may use; changes nothing but where it stops."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.fitness not in (SUCCESS, PREFERENCE):
            raise UsageError(
                f"fitness must be {SUCCESS!r} or {PREFERENCE!r}, received {self.fitness!r}."
            )
        if self.fitness == PREFERENCE and not self.plan.trains:
            raise UsageError(
                "Preferences are of trained agents. Give --train-steps, or leave out "
                "--prefer."
            )
        for name, value in (("--n", self.candidates), ("--rounds", self.rounds)):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, received {value}.")
        check_weight(self.weight)

    @property
    def combination(self) -> str:
        """How the dense reward meets the sparse one."""
        return self.combine or self.method.combine or "add"

    @property
    def plan(self) -> Plan:
        """How much is proposed and trained."""
        method, training = self.method, self.training
        rounds = self.rounds or method.rounds
        candidates = self.candidates or method.samples * rounds
        merge = method.merge is not None
        if not training.steps and not method.planner:
            return Plan(candidates, rounds, method.restarts, merge)
        *before, last = method.final
        last = replace(
            last, keep=training.top or last.keep, seeds=training.seeds or last.seeds
        )
        each, final = replace(method, final=(*before, last)).rungs()
        return Plan(
            candidates, rounds, method.restarts, merge, method.elites, each, final
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data: what a run is compared by when it goes on.

        Where trainings run and how many at once, prices and the budget change no result and are
        left out: a run that a budget stopped goes on with a larger one. So is what an
        earlier version did not know, unless it is used: its runs go on.
        """
        data = asdict(self)
        data["plan"] = asdict(self.plan)
        data["combine"] = self.combination
        del data["candidates"], data["rounds"], data["limits"]
        for name in ("engine", "top", "seeds"):
            del data["training"][name]
        for name in ("prices", "budget", "parallel"):
            del data["model"][name]
        if self.fitness == SUCCESS:
            del data["fitness"]
        for part, names in _LATER.items():
            for name in names:
                if not data[part][name]:
                    del data[part][name]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GenerateConfig:
        """Return the configuration of a stored run, with its plan as counts.

        Raises:
            UsageError: It is that of another command, or of another version.
        """
        try:
            plan, method = data["plan"], dict(data["method"])
            for key in ("each_round", "final"):
                method[key] = tuple(Rung(**item) for item in method[key])
            last = plan["final"][-1] if plan["final"] else {}
            training = {
                **data["training"],
                "top": last.get("keep"),
                "seeds": last.get("seeds"),
            }
            env = {**data["env"], "allow_info": tuple(data["env"]["allow_info"])}
            return cls(
                EnvConfig(**env),
                ModelConfig(**data["model"]),
                TrainConfig(**training),
                Method(**method),
                plan["candidates"],
                plan["rounds"],
                data["combine"],
                data["weight"],
                data["sandbox"],
                data.get("fitness", SUCCESS),
                tuple(Refinement(**item) for item in data["refinements"]),
            )
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"The run was not made by generate, or by another version of it ({error})."
            ) from None


def check_weight(weight: float) -> None:
    """Refuse a factor that would spoil every reward, or leave nothing of it.

    Raises:
        UsageError: It is not finite, or 0.
    """
    if weight == 0.0:
        raise UsageError(
            "--weight must not be 0: nothing of the dense reward would be left."
        )
    if not math.isfinite(weight):
        raise UsageError(f"--weight must be finite, received {weight}.")
