"""Published rewards as their authors' code computes them, known exploits included.

Use these to reproduce figures and to compare; train with the repaired twins, in
:mod:`reward_synth.verify` and :mod:`reward_synth.verify.rewards`.
"""

from reward_synth.verify.compat.bfcl import bfcl_calls
from reward_synth.verify.compat.bfcl_turns import Turn, bfcl_turns
from reward_synth.verify.compat.ftrl import ftrl_solves, ftrl_step
from reward_synth.verify.compat.igpo import igpo_advantages, igpo_outcome
from reward_synth.verify.compat.reseek import reseek
from reward_synth.verify.compat.tau_bench import tau_bench, tau_hash
from reward_synth.verify.compat.toolrl import toolrl_correctness
from reward_synth.verify.compat.toolrl_reward import ToolRL, ToolRLScore

__all__ = [
    "ToolRL",
    "ToolRLScore",
    "Turn",
    "bfcl_calls",
    "bfcl_turns",
    "ftrl_solves",
    "ftrl_step",
    "igpo_advantages",
    "igpo_outcome",
    "reseek",
    "tau_bench",
    "tau_hash",
    "toolrl_correctness",
]
