"""Caps on what is read, so that no output can take long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reward_synth.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """What is beyond a limit is ``invalid_output``, never an error.

    Example:
        >>> Limits().max_calls
        64
    """

    max_chars: int = 200_000
    """Characters of a text, and of all arguments together."""
    max_depth: int = 32
    """Lists and objects within each other."""
    max_calls: int = 64
    """Calls of one answer."""
    max_digits: int = 300
    """Digits of one number."""
    max_values: int = 20_000
    """Values of all arguments together, containers included."""

    def __post_init__(self) -> None:
        """Refuse limits that nothing could keep."""
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1: {getattr(self, name)}.")


class UnreadableError(Exception):
    """An output that cannot be read; data for the result, never seen by the caller."""

    def __init__(self, error_type: str, text: str) -> None:
        super().__init__(text)
        self.error_type = error_type
        self.text = text


_PLAIN = (str, int, float, bool, type(None))


def check_size(value: Any, limits: Limits) -> None:
    """Refuse a value that is too deep, too large, or not JSON.

    Walks without recursion, so that neither depth nor a value that holds itself can
    overflow the stack.

    Raises:
        UnreadableError: It is beyond a limit, or holds something that JSON does not have.

    Example:
        >>> check_size({"a": [1, 2]}, Limits())
    """
    level = [value]
    seen = chars = depth = 0
    while level:
        depth += 1
        seen += len(level)
        if depth > limits.max_depth:
            raise UnreadableError("too_deep", f"more than {limits.max_depth} levels")
        if seen > limits.max_values:
            raise UnreadableError("too_long", f"more than {limits.max_values} values")
        below: list[Any] = []
        for item in level:
            chars += _open(item, below, limits)
        if chars > limits.max_chars:
            raise UnreadableError(
                "too_long", f"more than {limits.max_chars} characters"
            )
        level = below


def _open(item: Any, below: list[Any], limits: Limits) -> int:
    """Put what is in ``item`` on ``below``; return its own characters."""
    if isinstance(item, str):
        return len(item)
    if isinstance(item, Mapping):
        below.extend(item.values())
        return sum(_key_length(key) for key in item)
    if isinstance(item, list | tuple):
        below.extend(item)
        return 0
    if isinstance(item, _PLAIN):
        _check_number(item, limits)
        return 0
    raise UnreadableError("not_json", f"a {type(item).__name__} is no JSON value")


def _key_length(key: Any) -> int:
    if not isinstance(key, str):
        raise UnreadableError("not_json", f"the key {key!r} is not a text")
    return len(key)


def _check_number(item: Any, limits: Limits) -> None:
    if isinstance(item, float) and item - item != 0.0:
        raise UnreadableError("not_finite", f"the number {item} is not finite")
    # Python refuses to print a long integer: compare bits, 3.33 to a digit.
    if isinstance(item, int) and item.bit_length() > limits.max_digits * 3.33:
        raise UnreadableError(
            "too_long", f"a number of more than {limits.max_digits} digits"
        )
