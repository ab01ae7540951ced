"""Everything that a trial's result depends on, and the environments that follow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import gymnasium as gym

from reward_synth.agents.config import TWO_VALUES, AgentConfig
from reward_synth.agents.early import EarlyStop
from reward_synth.agents.intrinsic_spec import Intrinsic
from reward_synth.envs import EnvRef
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.task import TaskSpec
from reward_synth.wrappers import SuccessInfo
from reward_synth.wrappers.arm import arm

Arm = Literal["sparse", "dense", "expert"]
ARMS = get_args(Arm)
Sandbox = Literal["reduced", "strict"]


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """Everything that a trial's result depends on; picklable."""

    env: EnvRef
    task: TaskSpec
    arm: Arm
    """``sparse``: success alone; ``dense``: with the program; ``expert``: the
    environment's own dense reward."""
    steps: int
    """Environment steps of training."""
    seed: int
    agent: AgentConfig = field(default_factory=AgentConfig)
    program: RewardProgram | None = None
    """Required for the arm ``dense``."""
    combine: str = "add"
    weight: float = 1.0
    expert: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the environment that the arm ``expert`` is trained in, beside those
    that select its own dense reward."""
    episodes: int = 20
    """Episodes of each evaluation."""
    evaluations: int = 5
    """Evaluations on the way, the last one at the end."""
    film: bool = False
    """Draw one episode of the trained agent; changes no result."""
    told: bool = False
    """Tell in the result what the trained agent did in its best and worst episode, of a
    few that candidates are chosen by."""
    intrinsic: Intrinsic | None = None
    """Labels and bonuses, which only the agent ``two-value-ppo`` learns from."""
    early: EarlyStop | None = None
    """When the training ends before its time; None: never."""
    sandbox: Sandbox = "reduced"
    """``strict``: fail unless every layer around the training process is live; changes
    no result."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained or measured."""
        if self.task.success is None:
            raise UsageError(
                f"Task {self.task.id!r} has no success rule, so training cannot be "
                "measured. Give one, for example --success 'position >= 0.45'."
            )
        if self.steps < 1:
            raise UsageError(f"steps must be at least 1, received {self.steps}.")
        if self.arm == "dense" and self.program is None:
            raise UsageError("The dense arm needs a reward program.")
        if self.intrinsic is not None and self.agent.algorithm != TWO_VALUES:
            raise UsageError(
                f"Labels and bonuses are learned by the agent {TWO_VALUES!r}; received "
                f"{self.agent.algorithm!r}. Set algorithm = {TWO_VALUES!r}."
            )
        if self.sandbox not in get_args(Sandbox):
            raise UsageError(
                f"sandbox is {self.sandbox!r}; it must be 'reduced' or 'strict'."
            )

    @property
    def gamma(self) -> float:
        """The agent's discount, which potentials share."""
        return self.task.gamma if self.agent.gamma is None else self.agent.gamma

    def config(self) -> dict[str, Any]:
        """Return everything that the result depends on, as JSON-ready data."""
        return {
            "env": self.env.name,
            "env_kwargs": dict(self.env.kwargs),
            "task": self.task.digest,
            "arm": self.arm,
            "steps": self.steps,
            "seed": self.seed,
            "agent": self.agent.to_dict(),
            "program": self.program.digest if self.program else None,
            "combine": self.combine if self.arm == "dense" else None,
            "weight": self.weight if self.arm == "dense" else None,
            "expert": dict(self.expert) if self.arm == "expert" else None,
            "episodes": self.episodes,
            "evaluations": self.evaluations,
            **({"told": True} if self.told else {}),
            **({"early": asdict(self.early)} if self.early else {}),
            **({"intrinsic": self.intrinsic.config()} if self.intrinsic else {}),
        }

    @property
    def key(self) -> str:
        """Identity: equal for trials that must give equal results."""
        text = json.dumps(self.config(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def build(self, **overrides: Any) -> gym.Env[Any, Any]:
        """Return the arm's environment, made with further arguments.

        Every arm publishes ``is_success`` and ``env_reward``. The sparse arm pays 1
        for success; the dense arm adds the program to that, or to the environment's
        own reward where this is sparse already.
        """
        if self.arm == "expert":
            chosen = {**self.expert, **overrides}
            return SuccessInfo(self.env.expert().make(**chosen), self.task)
        return arm(
            self.env.make(**overrides),
            self.task,
            self.program if self.arm == "dense" else None,
            combine=self.combine,
            gamma=self.gamma,
            weight=self.weight,
        )

    def build_for_measurement(self, **overrides: Any) -> gym.Env[Any, Any]:
        """Return the environment that agents of every arm are measured in.

        It is the sparse arm's: no program is in it, and ``env_reward`` means the same
        for every arm, what the environment pays as the user made it.
        """
        return replace(self, arm="sparse", program=None).build(**overrides)
