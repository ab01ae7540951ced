"""The reward language: the subset of Python and NumPy that reward programs use."""

from reward_synth.language.evaluate import evaluate
from reward_synth.language.finding import Finding
from reward_synth.language.functions import FUNCTIONS
from reward_synth.language.ir import (
    Assign,
    Const,
    Expr,
    FunctionIR,
    If,
    Kind,
    Name,
    Op,
    Pick,
    ProgramIR,
    Stack,
    Statement,
    Type,
)
from reward_synth.language.parser import POTENTIAL, REWARD, Parsed, parse
from reward_synth.language.success import SuccessTest

__all__ = [
    "FUNCTIONS",
    "POTENTIAL",
    "REWARD",
    "Assign",
    "Const",
    "Expr",
    "Finding",
    "FunctionIR",
    "If",
    "Kind",
    "Name",
    "Op",
    "Parsed",
    "Pick",
    "ProgramIR",
    "Stack",
    "Statement",
    "SuccessTest",
    "Type",
    "evaluate",
    "parse",
]
