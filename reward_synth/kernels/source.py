"""Programs as reward sources: compiled kernels that score steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reward_synth.kernels.kernel import RewardKernel
from reward_synth.reward import Array, Components, Fields, Step
from reward_synth.task import ACTION, PREVIOUS


class ProgramReward:
    """A compiled ``compute_reward`` as a :class:`~reward_synth.reward.RewardSource`.

    Args:
        kernel: Compiled from the program's reward function.
    """

    pure = True

    def __init__(self, kernel: RewardKernel) -> None:
        self.kernel = kernel

    def begin(self, fields: Fields, lanes: npt.NDArray[np.bool_]) -> None:
        """Do nothing: a program keeps no state."""

    def __call__(self, step: Step) -> Components:
        """Return each component, shape ``(num_envs,)``."""
        return columns(self.kernel, parameters(self.kernel, step))


class PotentialReward:
    """A compiled ``compute_potential`` as a source of phi after each step."""

    pure = True

    def __init__(self, kernel: RewardKernel) -> None:
        self.kernel = kernel

    def begin(self, fields: Fields, lanes: npt.NDArray[np.bool_]) -> None:
        """Do nothing: phi is a function of the state."""

    def __call__(self, step: Step) -> Components:
        """Return phi of the states after the step."""
        return self.at(step.after)

    def at(self, fields: Fields) -> Components:
        """Return phi of these states, shape ``(num_envs,)``."""
        return columns(self.kernel, dict(fields))


def parameters(kernel: RewardKernel, step: Step) -> dict[str, Array]:
    """Return what the kernel's parameters are on ``step``."""
    values: dict[str, Array] = {}
    for name, _ in kernel.function.parameters:
        if name == ACTION:
            values[name] = step.action
        elif name.startswith(PREVIOUS):
            values[name] = step.before[name.removeprefix(PREVIOUS)]
        else:
            values[name] = step.after[name]
    return values


def columns(kernel: RewardKernel, values: dict[str, Array]) -> Components:
    """Run the kernel on N states and name its columns."""
    count = len(next(iter(values.values()))) if values else 1
    rows = kernel.batch(values, np.empty((len(kernel.names) + 1, count), kernel.dtype))
    return {name: rows[number] for number, name in enumerate(kernel.names)}
