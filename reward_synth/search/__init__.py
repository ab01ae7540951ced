"""Search for reward programs: proposers, screening and the loop."""

from reward_synth.search.attempts import Attempt
from reward_synth.search.judging import judge, rank
from reward_synth.search.language_model import LanguageModelProposer, Sampling
from reward_synth.search.loop import Plan, Recorder, Search
from reward_synth.search.method import Method, Rung, load_method, method_names
from reward_synth.search.motion_model import MotionProposer
from reward_synth.search.outcome import Outcome, Proposer
from reward_synth.search.prompting import Refinement
from reward_synth.search.reflection import Measured
from reward_synth.search.screening import Screen, screen
from reward_synth.search.symbolic import SymbolicProposer
from reward_synth.search.tournament import Duel, Referee, Tournament, bradley_terry

__all__ = [
    "Attempt",
    "Duel",
    "LanguageModelProposer",
    "Measured",
    "Method",
    "MotionProposer",
    "Outcome",
    "Plan",
    "Proposer",
    "Recorder",
    "Referee",
    "Refinement",
    "Rung",
    "Sampling",
    "Screen",
    "Search",
    "SymbolicProposer",
    "Tournament",
    "bradley_terry",
    "judge",
    "load_method",
    "method_names",
    "rank",
    "screen",
]
