"""Adapters: the same verifier as TRL, verl, verifiers, OpenEnv and Gymnasium call it.

One module a framework; none imports its framework. Whatever a verifier gives, what reaches
a trainer is a finite number within bounds, or the framework's own sign for "no score".
"""

from reward_synth.verify.adapters.guarded import Guarded, Verifier
from reward_synth.verify.adapters.gymnasium import GradedToolCalls
from reward_synth.verify.adapters.judged import (
    JudgeReward,
    JudgeRewardV0,
    JudgeRewardV1,
    JudgeScore,
)
from reward_synth.verify.adapters.openenv import ToolCallRubric
from reward_synth.verify.adapters.trl import ToolCallReward
from reward_synth.verify.adapters.verifiers_v0 import (
    ToolCallGroupReward,
    ToolCallRewardV0,
)
from reward_synth.verify.adapters.verifiers_v1 import NoScoreError, ToolCallRewardV1
from reward_synth.verify.adapters.verl import compute_score, compute_score_batch

__all__ = [
    "GradedToolCalls",
    "Guarded",
    "JudgeReward",
    "JudgeRewardV0",
    "JudgeRewardV1",
    "JudgeScore",
    "NoScoreError",
    "ToolCallGroupReward",
    "ToolCallReward",
    "ToolCallRewardV0",
    "ToolCallRewardV1",
    "ToolCallRubric",
    "Verifier",
    "compute_score",
    "compute_score_batch",
]
