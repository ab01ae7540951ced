"""What a reward function gave for one answer, in numbers that a trainer could use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal[
    "ok", "none", "raised", "hung", "died", "not_finite", "not_a_number", "skipped"
]
LARGEST = 3.4e38
"""Beyond, a number is infinite in the float32 that trainers compute in."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer's score, or why there is none."""

    status: Status
    score: float = math.nan
    seconds: float = math.nan
    """The least of a few measurements, of the function alone."""
    error: str = ""
    keys: tuple[str, ...] = ()
    """Keys of what was returned, if it was a mapping."""
    spoilt: bool = False
    """The function changed what it was given."""
    ran: bool = False
    """The function executed the answer."""


def read_score(found: Any) -> tuple[Status, float, str, tuple[str, ...]]:
    """Return status, score, error and keys of what a function returned.

    Example:
        >>> read_score({"score": 1, "steps": 3})
        ('ok', 1.0, '', ('score', 'steps'))
        >>> read_score(float("inf"))[0], read_score(1e40)[0], read_score("1")[0]
        ('not_finite', 'not_finite', 'not_a_number')
    """
    keys: tuple[str, ...] = ()
    if isinstance(found, Mapping):
        keys = tuple(sorted(map(str, found)))
        for name in ("score", "reward"):
            if name in found:
                found = found[name]
                break
        else:
            if len(found) != 1:
                error = f"a mapping without the key 'score': {list(keys)[:8]}"
                return "not_a_number", math.nan, error, keys
            found = next(iter(found.values()))
    elif hasattr(found, "score"):
        found = found.score
    if found is None:
        return "none", math.nan, "no score (None)", keys
    return *_number(found), keys


def _number(found: Any) -> tuple[Status, float, str]:
    if isinstance(found, str | bytes) or not hasattr(found, "__float__"):
        return "not_a_number", math.nan, f"a {type(found).__name__} for a score"
    try:
        score = float(found)
    except (TypeError, ValueError, OverflowError) as error:
        return "not_a_number", math.nan, f"{type(error).__name__}: {error}"[:200]
    if not abs(score) <= LARGEST:
        return "not_finite", math.nan, f"the score {score}"
    return "ok", score, ""
