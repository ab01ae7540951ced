"""Search for reward programs: proposers, screening and the loop."""

from reward_synth.search.language_model import (
    Attempt,
    LanguageModelProposer,
    Sampling,
)
from reward_synth.search.loop import Plan, Recorder, Search, judge, rank
from reward_synth.search.outcome import Outcome, Proposer
from reward_synth.search.screening import Screen, screen
from reward_synth.search.symbolic import SymbolicProposer

__all__ = [
    "Attempt",
    "LanguageModelProposer",
    "Outcome",
    "Plan",
    "Proposer",
    "Recorder",
    "Sampling",
    "Screen",
    "Search",
    "SymbolicProposer",
    "judge",
    "rank",
    "screen",
]
