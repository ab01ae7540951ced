"""BFCL's check of several turns, after its published code.

Source: as for :mod:`reward_synth.verify.compat.bfcl`, ``multi_turn_checker.py``. Kept as it
is there: after each turn the states must be equal by Python's ``==``, and what the expected
calls returned must be among everything that the model's calls returned so far, so that a
call made twice, or in vain, costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn left: after the model's calls, and after the expected ones.

    Example:
        >>> Turn({"open": True}, {"open": True}).state == {"open": True}
        True
    """

    state: Mapping[str, Any]
    """Public values of what was acted on."""
    gold_state: Mapping[str, Any]
    results: Sequence[Any] = field(default_factory=tuple)
    """What each of the model's calls returned."""
    gold_results: Sequence[Any] = field(default_factory=tuple)


def bfcl_turns(turns: Sequence[Turn]) -> tuple[bool, str]:
    """Return whether every turn is as BFCL accepts it, and the first type of error.

    Example:
        >>> bfcl_turns([Turn({"n": 1}, {"n": 1}, ["ok", "ok"], ["ok"])])
        (True, '')
        >>> bfcl_turns([Turn({"n": 1}, {"n": 2}, ["ok"], ["ok"])])
        (False, 'instance_state_mismatch')
    """
    so_far: list[Any] = []
    for turn in turns:
        so_far.extend(turn.results)
        if turn.gold_results and not turn.results:
            return False, "empty_turn_model_response"
        if dict(turn.state) != dict(turn.gold_state):
            return False, "instance_state_mismatch"
        left = list(so_far)
        for result in turn.gold_results:
            if result not in left:
                return False, "execution_response_mismatch"
            left.remove(result)
    return True, ""
