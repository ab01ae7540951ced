"""Rewards beside the graded score: repaired twins of published ones.

Where :mod:`reward_synth.verify.compat` computes what a publication's code does, these keep
its idea and close the gaps that pay without a right answer.
"""

from reward_synth.verify.rewards.executed import Executed, executed_calls
from reward_synth.verify.rewards.executing import ExecutedReward, ExecutedScore
from reward_synth.verify.rewards.judgements import Judgement, judgements
from reward_synth.verify.rewards.nuggets import NuggetScore, Verdict, nugget_score
from reward_synth.verify.rewards.process import (
    implicit_loss,
    implicit_rewards,
    information_gain,
    prime_advantages,
    renorm,
)
from reward_synth.verify.rewards.reasoning_sql import (
    ReasoningSQL,
    SQLScore,
    extract_sql,
    names_of,
)
from reward_synth.verify.rewards.sqlite import Query, QueryLimits, SQLite
from reward_synth.verify.rewards.state import Checked, state_check, turn_states
from reward_synth.verify.rewards.tokens import holds, word_f1

__all__ = [
    "Checked",
    "Executed",
    "ExecutedReward",
    "ExecutedScore",
    "Judgement",
    "NuggetScore",
    "Query",
    "QueryLimits",
    "ReasoningSQL",
    "SQLScore",
    "SQLite",
    "Verdict",
    "executed_calls",
    "extract_sql",
    "holds",
    "implicit_loss",
    "implicit_rewards",
    "information_gain",
    "judgements",
    "names_of",
    "nugget_score",
    "prime_advantages",
    "renorm",
    "state_check",
    "turn_states",
    "word_f1",
]
