"""Compiles typed reward programs with numba; the one door to it."""

from reward_synth.kernels.kernel import RewardKernel
from reward_synth.kernels.source import PotentialReward, ProgramReward, parameters

__all__ = [
    "PotentialReward",
    "ProgramReward",
    "RewardKernel",
    "parameters",
]
