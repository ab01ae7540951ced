"""What a wrapper scores steps with, and the sums that it keeps."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

from reward_synth.errors import ProgramError, UsageError
from reward_synth.language import FunctionIR
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec


@dataclass(slots=True)
class EpisodeSums:
    """Sums over the running episode."""

    sparse: float = 0.0
    dense: float = 0.0
    components: dict[str, float] = field(default_factory=dict)
    faults: int = 0

    def add(self, sparse: float, reward: float, parts: Mapping[str, float]) -> None:
        """Add one step."""
        self.sparse += sparse
        self.dense += reward
        sums = self.components
        for name, value in parts.items():
            try:  # costs nothing where it holds, as on all steps but the first
                sums[name] += value
            except KeyError:
                sums[name] = value

    def summary(self) -> dict[str, Any]:
        """Return what ``info["reward_synth"]`` holds at the end of an episode."""
        return {
            "sparse_return": self.sparse,
            "dense_return": self.dense,
            "components": dict(self.components),
            "faults": self.faults,
        }


_TEXT = re.compile(r"\s*(def|import|from|#)\b")
"""How a program begins that is given as one line of text."""


def as_reward(
    reward: RewardProgram | RewardFunction | str | Path,
) -> RewardProgram | RewardFunction:
    """Return a program given as such, as a path or as text; functions unchanged.

    Raises:
        UsageError: It is none of these.
    """
    if isinstance(reward, str) and ("\n" in reward or _TEXT.match(reward)):
        return RewardProgram.from_text(reward)
    if reward == "":
        raise UsageError("The reward is an empty text. Give a file or a program.")
    if isinstance(reward, (str, Path)):
        return RewardProgram.load(reward)
    if isinstance(reward, RewardProgram) or callable(reward):
        return reward
    raise UsageError(
        f"reward must be a RewardProgram, a file, or a function; received {reward!r}."
    )


def checked_discount(gamma: float, weight: float) -> float:
    """Return ``gamma`` if both numbers can be used.

    Raises:
        UsageError: ``gamma`` is outside (0, 1], or ``weight`` is not finite.
    """
    for name, value in (("gamma", gamma), ("weight", weight)):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise UsageError(f"{name} must be a number, received {value!r}.")
    if not 0.0 < gamma <= 1.0:
        raise UsageError(f"gamma must lie in (0, 1], received {gamma}.")
    if not math.isfinite(weight):
        raise UsageError(f"weight must be finite, received {weight}.")
    return gamma


def program_function(
    program: RewardProgram, task: TaskSpec, *, potential: bool
) -> FunctionIR:
    """Return the typed function that a combiner needs.

    Raises:
        ProgramError: The program lacks it, or cannot be used.
    """
    ir = program.ir(task)
    if potential:
        return _needed(ir.potential, "compute_potential")
    return _needed(ir.reward, "compute_reward")


def refuse_potential(reward: Any) -> None:
    """Refuse to shape with a function of transitions.

    Raises:
        UsageError: Always.
    """
    raise UsageError(
        "combine='potential' needs a RewardProgram with compute_potential; "
        f"{reward!r} is a function of transitions, which is no potential."
    )


def _needed(function: FunctionIR | None, name: str) -> FunctionIR:
    if function is None:
        other = "potential" if name == "compute_potential" else "add"
        raise ProgramError(
            f"combine={other!r} needs {name}, which this reward program does not define."
        )
    return function
