"""When a policy is measured: known before training, so that nothing need be believed."""

from __future__ import annotations

ROLLOUT = 2048
"""PPO: environment steps between two updates; trainings end with a whole one."""
FINAL = "final"
SUFFIX = ".safetensors"


def every(steps: int, evaluations: int) -> int:
    """Return the environment steps from one evaluation to the next.

    Example:
        >>> every(1000, 5), every(3, 5)
        (200, 1)
    """
    return max(1, steps // evaluations)


def points(steps: int, evaluations: int, block: int) -> list[int]:
    """Return the steps at which weights are kept on the way.

    Args:
        steps: Environment steps that were asked for.
        evaluations: Of them on the way.
        block: Steps that are collected at once: training goes on to the end of one.

    Example:
        >>> points(1000, 2, 1), points(1000, 2, 1024), points(1000, 2, 1500)
        ([500, 1000], [500, 1000], [500, 1000, 1500])
    """
    between = every(steps, evaluations)
    learned = -(-steps // block) * block
    return list(range(between, learned + 1, between))


def weights_file(name: str | int) -> str:
    """Return the name of the file of a step's weights, or of the final ones.

    Example:
        >>> weights_file(500), weights_file(FINAL)
        ('500.safetensors', 'final.safetensors')
    """
    return f"{name}{SUFFIX}"
