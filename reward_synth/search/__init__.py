"""Search for reward programs: proposers, screening and the loop."""

from reward_synth.search.judging import judge, rank
from reward_synth.search.language_model import (
    Attempt,
    LanguageModelProposer,
    Sampling,
)
from reward_synth.search.loop import Plan, Recorder, Search
from reward_synth.search.method import Method, Rung, load_method, method_names
from reward_synth.search.motion_model import MotionProposer
from reward_synth.search.outcome import Outcome, Proposer
from reward_synth.search.prompting import Refinement
from reward_synth.search.reflection import Measured
from reward_synth.search.screening import Screen, screen
from reward_synth.search.symbolic import SymbolicProposer

__all__ = [
    "Attempt",
    "LanguageModelProposer",
    "Measured",
    "Method",
    "MotionProposer",
    "Outcome",
    "Plan",
    "Proposer",
    "Recorder",
    "Refinement",
    "Rung",
    "Sampling",
    "Screen",
    "Search",
    "SymbolicProposer",
    "judge",
    "load_method",
    "method_names",
    "rank",
    "screen",
]
