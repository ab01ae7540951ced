"""What a comparison of rewards holds, and how rewards are scored for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.kernels import RewardKernel, parameters
from reward_synth.program import RewardProgram
from reward_synth.reward import Fields, FunctionReward, Rollout, Step
from reward_synth.task import TaskSpec
from reward_synth.wrappers.sources import program_function

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A state and action that two rewards judge differently."""

    rewards: tuple[str, str]
    state: Mapping[str, Any]
    """Fields before the action."""
    action: Any
    gap: float
    """Difference of the canonical rewards, in units of their root mean square."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What :func:`compare` found."""

    env: str
    names: tuple[str, ...]
    """The rewards in order; the first is the environment's own, ``sparse``."""
    exact: bool
    """True if every transition of the environment is known and was used."""
    transitions: int
    """How many were compared."""
    kind: str
    """The canonical form."""
    gamma: float
    distances: Values
    """STARC, shape ``(n, n)``; 0 same, 1 opposite."""
    correlations: Values
    """Pearson's, of the rewards on shared rollouts; NaN for a constant one."""
    regrets: dict[str, dict[str, float]]
    """Exact regret of following each reward, by name; empty where it is not known."""
    disagreements: tuple[Disagreement, ...]
    remarks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data; NaN is None."""
        data = asdict(self)
        for name in ("distances", "correlations"):
            data[name] = [
                [round(x, 9) if np.isfinite(x) else None for x in row]
                for row in getattr(self, name).tolist()
            ]
        return data


def joined(played: Sequence[Rollout]) -> Step:
    """Return the steps of rollouts, behind one another."""
    steps = [item.steps for item in played]

    def fields(which: str) -> Fields:
        rows = [getattr(step, which) for step in steps]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    arrays = {
        name: np.concatenate([getattr(step, name) for step in steps])
        for name in ("action", "sparse", "terminated", "truncated", "valid")
    }
    return Step(before=fields("before"), after=fields("after"), **arrays)


def scored(reward: Any, name: str, task: TaskSpec, steps: Step) -> Values:
    """Return the sum of a reward's components on each step.

    Raises:
        ProgramError: A program has no ``compute_reward``.
        UsageError: A number is not finite.
    """
    if isinstance(reward, RewardProgram):
        kernel = RewardKernel(program_function(reward, task, potential=False))
        out = np.empty((len(kernel.names) + 1, steps.num_envs))
        found = np.array(kernel.batch(parameters(kernel, steps), out)[-1])
    else:
        rows = FunctionReward(reward)(steps)
        found = np.sum(list(rows.values()), axis=0)
    bad = ~np.isfinite(found)
    if bad.any():
        raise UsageError(
            f"{name} is not finite on {int(bad.sum())} of {len(found)} transitions. "
            "`reward_synth check` tells where."
        )
    return np.asarray(found, np.float64)
