"""One trial: train an agent on one arm, measure it by the task's own success rule."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import gymnasium as gym

from reward_synth.agents.config import AgentConfig
from reward_synth.agents.frames import film
from reward_synth.engine import Call
from reward_synth.envs import EnvRef
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.task import TaskSpec
from reward_synth.wrappers import SuccessInfo
from reward_synth.wrappers.arm import arm

Arm = Literal["sparse", "dense", "expert"]
ARMS = get_args(Arm)
_EVALUATION_SEED = 1_000_000
"""Evaluation resets use seeds from here on; training and screening stay below."""
_SELECTION_SEED = 2_000_000
"""Candidates are chosen on these episodes and reported on the others."""


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
        """Return the environment that agents of this arm are measured in.

        The expert arm is measured where the sparse one is, so that ``env_reward`` means
        the same in every arm: what the environment pays as the user made it.
        """
        if self.arm == "expert":
            return replace(self, arm="sparse").build(**overrides)
        return self.build(**overrides)


def trial_call(spec: TrialSpec, folder: Path, timeout: float | None = None) -> Call:
    """Return the call that runs ``spec`` in a process of its own."""
    return Call(spec.key, run_trial, (spec, str(folder)), timeout)


def run_trial(spec: TrialSpec, folder: str) -> dict[str, Any]:
    """Train and measure; called in a process of its own.

    Args:
        spec: The trial.
        folder: Takes TensorBoard logs, progress and component curves.

    Returns:
        The final evaluation, the one that candidates are chosen by (``selection``), the
        evaluations on the way (``curve``) and ``seconds``.
    """
    from reward_synth.agents import sb3  # noqa: PLC0415 - loads torch
    from reward_synth.agents.evaluate import evaluate  # noqa: PLC0415 - likewise

    place = Path(folder)
    shutil.rmtree(place, ignore_errors=True)  # what a killed training left
    place.mkdir(parents=True)
    (place / "trial.json").write_text(json.dumps(spec.config(), indent=2))
    seeds = range(_EVALUATION_SEED, _EVALUATION_SEED + spec.episodes)
    test_env = spec.build_for_measurement()
    began = time.monotonic()
    model, curve = sb3.train(spec, place, lambda m: evaluate(m, test_env, seeds))
    seconds = time.monotonic() - began
    chosen_by = range(_SELECTION_SEED, _SELECTION_SEED + spec.episodes)
    selection = evaluate(model, test_env, chosen_by)
    final = curve[-1] if curve and curve[-1]["step"] >= spec.steps else None
    result = final or {"step": spec.steps, **evaluate(model, test_env, seeds)}
    test_env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    if spec.film:
        film(spec.build_for_measurement, model, seeds[0], place)
    points = curve if final else [*curve, result]
    return {
        **result,
        "selection": selection,
        "curve": points,
        "seconds": round(seconds, 1),
    }
