"""Published rewards as their authors' code computes them, known exploits included.

Use these to reproduce figures and to compare; train with the repaired twins.
"""

from reward_synth.verify.compat.toolrl import toolrl_correctness
from reward_synth.verify.compat.toolrl_reward import ToolRL, ToolRLScore

__all__ = ["ToolRL", "ToolRLScore", "toolrl_correctness"]
