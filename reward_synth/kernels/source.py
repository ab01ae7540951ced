"""What a function's parameters are on stored steps."""

from __future__ import annotations

from reward_synth.kernels.kernel import RewardKernel
from reward_synth.reward import Array, Step
from reward_synth.task import ACTION, PREVIOUS


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
