"""Typed, recursive comparison of argument values."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from reward_synth.verify.policy import ValuePolicy

_SIMPLE = (str, int)


def equal(expected: Any, found: Any, policy: ValuePolicy) -> bool:
    """Return whether two JSON values are equal under a policy.

    Depth is limited where values are read, so recursion is safe.

    Example:
        >>> equal(1, 1.0, ValuePolicy()), equal(1, True, ValuePolicy())
        (True, False)
        >>> equal("é", "e\N{COMBINING ACUTE ACCENT}", ValuePolicy())
        True
    """
    if (
        type(expected) in _SIMPLE
        and type(found) is type(expected)
        and found == expected
    ):
        return True  # the usual case, first
    if isinstance(expected, str):
        return isinstance(found, str) and _same_text(expected, found, policy)
    if expected is None or isinstance(expected, bool):
        return found is expected
    if isinstance(expected, int | float):
        return _same_number(expected, found, policy)
    if isinstance(expected, Mapping):
        return _same_mapping(expected, found, policy)
    return _same_list(expected, found, policy)


def _same_text(expected: str, found: str, policy: ValuePolicy) -> bool:
    if expected == found:
        return True
    left, right = _plain(expected, policy), _plain(found, policy)
    return left == right


def _plain(text: str, policy: ValuePolicy) -> str:
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    if policy.strip:
        text = text.strip()
    return text if policy.case else text.casefold()


def _same_number(expected: float, found: Any, policy: ValuePolicy) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    if type(expected) is not type(found) and not policy.integers:
        return False
    if expected == found:
        return True
    allowed = policy.absolute, policy.relative
    if allowed == (0.0, 0.0):
        return False
    try:
        apart, size = abs(found - expected), abs(expected)
    except OverflowError:  # an integer that no float can hold
        return False
    return bool(apart <= max(policy.absolute, policy.relative * size))


def _same_mapping(expected: Mapping[str, Any], found: Any, policy: ValuePolicy) -> bool:
    if not isinstance(found, Mapping) or len(expected) != len(found):
        return False
    return all(
        key in found and equal(value, found[key], policy)
        for key, value in expected.items()
    )


def _same_list(expected: Any, found: Any, policy: ValuePolicy) -> bool:
    if not isinstance(found, list | tuple) or len(expected) != len(found):
        return False
    if not policy.unordered:
        return all(
            equal(left, right, policy)
            for left, right in zip(expected, found, strict=True)
        )
    return _same_multiset(list(expected), list(found), policy)


def _same_multiset(left: list[Any], right: list[Any], policy: ValuePolicy) -> bool:
    """Compare without order; exact where equality is transitive (no tolerance)."""
    for value in left:
        for place, other in enumerate(right):
            if equal(value, other, policy):
                del right[place]
                break
        else:
            return False
    return True
