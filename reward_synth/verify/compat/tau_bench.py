"""τ-bench's reward, after its published code.

Source: Yao et al., 2024, "τ-bench", arXiv:2406.12045; behaviour of its ``envs/base.py``. Kept
as it is there: 1 and 1.0 are different states; an output is found within other words and
numbers (``5`` in ``15``); where nothing is to be changed, doing nothing earns 1. The repaired
twin is :func:`reward_synth.verify.rewards.state_check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any


def tau_hash(state: Any) -> str:
    """Return τ-bench's digest of a state.

    Example:
        >>> tau_hash({"a": 1, "b": 2}) == tau_hash({"b": 2, "a": 1})
        True
        >>> tau_hash({"a": 1}) == tau_hash({"a": 1.0})
        False
    """
    return sha256(str(_hashable(state)).encode()).hexdigest()


def tau_bench(
    state: Any, gold_state: Any, said: Sequence[str], outputs: Sequence[str] = ()
) -> float:
    """Return 1 if the state is as expected and every output was told, else 0.

    Args:
        state: The data base at the end.
        gold_state: What it is after the expected actions.
        said: What the agent told the user.
        outputs: What must have been told.

    Example:
        >>> tau_bench({"seats": 3}, {"seats": 3}, ["That is 1,500."], ["1500"])
        1.0
    """
    same = tau_hash(state) == tau_hash(gold_state)
    told = all(
        any(output.lower() in text.lower().replace(",", "") for text in said)
        for output in outputs
    )
    return float(same and told)


def _hashable(item: Any) -> Any:
    if isinstance(item, dict):
        return tuple((key, _hashable(item[key])) for key in sorted(item))
    if isinstance(item, list):
        return tuple(_hashable(element) for element in item)
    if isinstance(item, set):
        return tuple(sorted(_hashable(element) for element in item))
    return item
