"""Verifiers: graded checks of tool calls that no exploit pays under.

``verify(output, expected)`` grades one answer; the extra ``verify`` brings SciPy and
jsonschema, which are loaded on use.
"""

from reward_synth.verify.calls import Accept, Expected, GoldCall, ToolCall
from reward_synth.verify.explain import explain
from reward_synth.verify.gold import GoldError, expect, from_bfcl, load_gold
from reward_synth.verify.limits import Limits
from reward_synth.verify.origin import Origin, Record, ToolOutput
from reward_synth.verify.policy import Policy, ValuePolicy
from reward_synth.verify.result import (
    COMPONENTS,
    ERROR_TYPES,
    Match,
    Problem,
    VerifyResult,
)
from reward_synth.verify.tools import Tool, Tools
from reward_synth.verify.verifier import ToolCallVerifier, verify

__all__ = [
    "COMPONENTS",
    "ERROR_TYPES",
    "Accept",
    "Expected",
    "GoldCall",
    "GoldError",
    "Limits",
    "Match",
    "Origin",
    "Policy",
    "Problem",
    "Record",
    "Tool",
    "ToolCall",
    "ToolCallVerifier",
    "ToolOutput",
    "Tools",
    "ValuePolicy",
    "VerifyResult",
    "expect",
    "explain",
    "from_bfcl",
    "load_gold",
    "verify",
]
