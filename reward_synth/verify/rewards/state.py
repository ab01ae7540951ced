"""Checks of states and of what was told: the repaired twins of τ-bench's and BFCL's.

Which checks are in the score is told with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reward_synth.verify.compat.bfcl_turns import Turn
from reward_synth.verify.policy import ValuePolicy
from reward_synth.verify.result import Status
from reward_synth.verify.rewards.tokens import holds
from reward_synth.verify.values import equal

_EXACT = ValuePolicy()


@dataclass(frozen=True, slots=True)
class Checked:
    """A score, the checks that it is made of, and those that are only told."""

    score: float
    checks: Mapping[str, bool]
    told: Mapping[str, bool]
    """Checks that do not count."""
    status: Status = "ok"
    """``not_applicable``: an agent that does nothing would get the score as well."""


def state_check(
    state: Any,
    gold_state: Any,
    said: Sequence[str] = (),
    outputs: Sequence[str] = (),
    *,
    initial: Any = None,
    policy: ValuePolicy = _EXACT,
) -> Checked:
    """Return whether the state is as expected and every output was told.

    Values are compared with their types (1 is 1.0, but not True), outputs as whole words
    and numbers. A task that asks for no change and no output is passed by doing nothing:
    with ``initial`` given it is ``not_applicable``, so that idling is not rewarded.

    Args:
        state: The data base at the end.
        gold_state: What it is after the expected actions.
        said: What the agent told the user; nothing that a tool or the user said.
        outputs: What must have been told.
        initial: The data base at the beginning.
        policy: How values are compared.

    Raises:
        UsageError: An output has no word and no number.

    Example:
        >>> state_check({"n": 1}, {"n": 1.0}, ["It is 15."], ["5"]).checks
        {'state': True, 'outputs': False}
    """
    same = equal(gold_state, state, policy)
    told = {text: any(holds(item, text) for item in said) for text in outputs}
    checks = {"state": same, "outputs": all(told.values())}
    idle = initial is not None and not outputs and equal(gold_state, initial, policy)
    score = float(all(checks.values()))
    return Checked(score, checks, told, "not_applicable" if idle and same else "ok")


def turn_states(turns: Sequence[Turn], policy: ValuePolicy = _EXACT) -> Checked:
    """Return the share of turns, counted up to the first wrong one, that are right.

    A turn is right if the state is as expected, what the expected calls returned was
    returned in this turn, each as often, and no call was made where none is expected.

    Args:
        turns: In order.
        policy: How values are compared.

    Example:
        >>> turn_states([Turn({"n": 1}, {"n": 1}), Turn({"n": 1}, {"n": 2})]).score
        0.5
    """
    right = [_right(turn, policy) for turn in turns]
    good = right.index(False) if False in right else len(right)
    checks = {f"turn {i}": ok for i, ok in enumerate(right)}
    return Checked(good / len(turns) if turns else 0.0, checks, {})


def _right(turn: Turn, policy: ValuePolicy) -> bool:
    if not equal(dict(turn.gold_state), dict(turn.state), policy):
        return False
    if turn.results and not turn.gold_results:
        return False
    left = list(turn.results)
    for wanted in turn.gold_results:
        place = next((i for i, x in enumerate(left) if equal(wanted, x, policy)), None)
        if place is None:
            return False
        del left[place]
    return True
