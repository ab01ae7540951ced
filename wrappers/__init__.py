"""Wrappers that give environments dense, sparse and measured rewards."""

from reward_synth.wrappers.batched import BatchedDenseReward
from reward_synth.wrappers.dense import DenseReward
from reward_synth.wrappers.episodic import EpisodicReturn, VectorEpisodicReturn
from reward_synth.wrappers.guard import Guard
from reward_synth.wrappers.publish import PublishFields
from reward_synth.wrappers.sparse import SparseReward, SuccessInfo
from reward_synth.wrappers.tool_reward import DenseToolReward
from reward_synth.wrappers.vector import VectorDenseReward
from reward_synth.wrappers.words import NonFiniteRewardWarning, RewardFaultWarning

__all__ = [
    "BatchedDenseReward",
    "DenseReward",
    "DenseToolReward",
    "EpisodicReturn",
    "Guard",
    "NonFiniteRewardWarning",
    "PublishFields",
    "RewardFaultWarning",
    "SparseReward",
    "SuccessInfo",
    "VectorDenseReward",
    "VectorEpisodicReturn",
]
