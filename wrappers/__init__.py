"""Wrappers that give environments dense, sparse and measured rewards."""

from reward_synth.wrappers.dense import DenseReward, NonFiniteRewardWarning
from reward_synth.wrappers.sparse import SparseReward, SuccessInfo

__all__ = ["DenseReward", "NonFiniteRewardWarning", "SparseReward", "SuccessInfo"]
