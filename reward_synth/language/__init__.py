"""The reward language: the subset of Python and NumPy that reward programs use."""

from reward_synth.language.evaluate import evaluate
from reward_synth.language.finding import Finding
from reward_synth.language.ir import FunctionIR, ProgramIR
from reward_synth.language.parser import POTENTIAL, REWARD, Parsed, parse
from reward_synth.language.success import SuccessTest

__all__ = [
    "POTENTIAL",
    "REWARD",
    "Finding",
    "FunctionIR",
    "Parsed",
    "ProgramIR",
    "SuccessTest",
    "evaluate",
    "parse",
]
