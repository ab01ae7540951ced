"""Compiles typed reward programs with numba; the one door to it."""

from reward_synth.kernels.cache import keeps_code
from reward_synth.kernels.cuda import CudaKernel
from reward_synth.kernels.fused import FusedReward
from reward_synth.kernels.given import native
from reward_synth.kernels.kernel import RewardKernel, compile_ahead
from reward_synth.kernels.population import Population
from reward_synth.kernels.source import parameters

__all__ = [
    "CudaKernel",
    "FusedReward",
    "Population",
    "RewardKernel",
    "compile_ahead",
    "keeps_code",
    "native",
    "parameters",
]
