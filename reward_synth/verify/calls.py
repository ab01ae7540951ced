"""Tool calls, and what is expected of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model made.

    Example:
        >>> ToolCall("add", {"a": 1, "b": 2}).name
        'add'
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accept:
    """The values that an argument may have.

    Example:
        >>> Accept((1, "one"), optional=True).values
        (1, 'one')
    """

    values: tuple[Any, ...]
    optional: bool = False
    """True: the argument may be left out."""


@dataclass(frozen=True, slots=True)
class GoldCall:
    """One call that is asked for."""

    name: str
    arguments: Mapping[str, Accept] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """The calls that an answer should hold; none: no call should be made.

    Build it with :func:`reward_synth.verify.expect`, which checks what it is given.
    """

    calls: tuple[GoldCall, ...] = ()
    ordered: bool = False
    """True: the calls must come in this order."""
