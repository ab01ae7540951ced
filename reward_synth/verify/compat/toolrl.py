"""ToolRL's correctness of tool calls, after its published code.

Source: Qian et al., 2025, "ToolRL: Reward is All Tool Learning Needs",
arXiv:2504.13958; behaviour of its repository's ``rlla.py``. Kept as it is there:

* predicted calls are matched greedily in the order of the expected ones, which can miss
  the best assignment (use :func:`reward_synth.verify.verify` for that);
* values are equal if Python's ``==`` says so, so ``True`` equals ``1``;
* fifty guesses of which one is right score above abstaining.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from reward_synth.errors import UsageError

Variant = Literal["default", "refined", "coarse", "intermediate"]
_VARIANTS = ("default", "refined", "coarse", "intermediate")
_Similarity = Callable[[list[str], list[str]], float]


def toolrl_correctness(
    gold: Sequence[Mapping[str, Any]],
    predicted: Sequence[Mapping[str, Any]],
    variant: Variant = "default",
    low: float = -3.0,
    high: float = 3.0,
) -> float:
    """Return ToolRL's reward for the correctness of calls.

    Args:
        gold: Expected calls, each ``{"name": …, "parameters": {…}}``.
        predicted: Calls of the answer, likewise.
        variant: ``default``: shares of names, of argument names and of values;
            ``refined``: names and argument names count only if all are equal;
            ``intermediate``: a call counts only if it is equal; ``coarse``: only the
            whole list counts.
        low: Reward of a wholly wrong answer.
        high: Reward of a right one.

    Returns:
        A number from ``low`` to ``high``.

    Raises:
        UsageError: The variant is unknown, or a call lacks a key.

    Example:
        >>> gold = [{"name": "f", "parameters": {"a": 1}}]
        >>> toolrl_correctness(gold, [{"name": "f", "parameters": {"a": 2}}])
        1.0
    """
    if variant not in _VARIANTS:
        raise UsageError(f"variant must be one of {_VARIANTS}, received {variant!r}.")
    _check(gold, "gold")
    _check(predicted, "predicted")
    if list(gold) == list(predicted):
        return high
    if variant == "coarse":
        return low
    similarity = _exact if variant == "refined" else _jaccard
    whole = variant == "intermediate"
    reached = similarity(_names(gold), _names(predicted))
    for best in _matched(gold, predicted, similarity, whole=whole):
        reached += best  # one after the other: sums are compared bit by bit
    possible = 1.0 + sum(1.0 if whole else 1.0 + len(g["parameters"]) for g in gold)
    return (high - low) * reached / possible + low


def _matched(
    gold: Sequence[Mapping[str, Any]],
    predicted: Sequence[Mapping[str, Any]],
    similarity: _Similarity,
    *,
    whole: bool,
) -> Iterator[float]:
    """Yield for each expected call the score of the first best unused predicted one."""
    free = list(range(len(predicted)))
    for call in gold:
        best, chosen = 0.0, -1
        for place in free:
            score = _score(call, predicted[place], similarity, whole=whole)
            if score > best:
                best, chosen = score, place
        if chosen >= 0:
            free.remove(chosen)
            yield best


def _score(
    gold: Mapping[str, Any],
    call: Mapping[str, Any],
    similarity: _Similarity,
    *,
    whole: bool,
) -> float:
    if call["name"] != gold["name"]:
        return 0.0
    if whole:
        return float(gold == call)
    asked, given = gold["parameters"], call["parameters"]
    right = sum(
        bool(key in given and given[key] == value) for key, value in asked.items()
    )
    return similarity(list(asked), list(given)) + right


def _names(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    return [call["name"] for call in calls]


def _exact(left: list[str], right: list[str]) -> float:
    return float(left == right)


def _jaccard(left: list[str], right: list[str]) -> float:
    """Return the Jaccard index of two multisets; 1 for two empty ones."""
    if left == right:
        return 1.0
    if not left or not right:
        return 0.0
    common = (Counter(left) & Counter(right)).total()
    return common / (len(left) + len(right) - common)


def _check(calls: Sequence[Mapping[str, Any]], which: str) -> None:
    for place, call in enumerate(calls):
        if not isinstance(call, Mapping) or not {"name", "parameters"} <= call.keys():
            raise UsageError(
                f"{which}[{place}] must be an object with the keys name and parameters, "
                f"received {str(call)[:80]}."
            )
        if not isinstance(call["parameters"], Mapping):
            raise UsageError(f"{which}[{place}]: parameters must be an object.")
