"""Reads plain data, such as files hold, into the parts of a task description."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from numbers import Integral, Real
from typing import Any

from reward_synth.errors import TaskSpecError, did_you_mean

_NOT_FINITE = ("inf", "-inf", "nan")
"""How JSON, which has no such numbers, holds them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key may hold."""

    words: str
    """Completes "must be"."""
    read: Callable[[Any], Any]
    """Returns the value as the description keeps it; TypeError: it does not fit."""


def read_parts(
    data: Any, cls: type, kinds: Mapping[str, Kind], what: str
) -> dict[str, Any]:
    """Return the arguments of ``cls`` that ``data`` holds.

    Args:
        data: A mapping.
        cls: The dataclass to be made.
        kinds: What each of its keys may hold.
        what: Names the data in errors, after "the".

    Raises:
        TaskSpecError: A key is unknown or missing, or a value does not fit.
    """
    given = _read(MAPPING, data, f"the {what}")
    for key in given:
        if key not in kinds:
            raise TaskSpecError(
                f"Unknown key {key!r} in the {what}.{did_you_mean(str(key), kinds)}"
            )
    for item in fields(cls):
        required = item.default is MISSING and item.default_factory is MISSING
        if required and item.name not in given:
            raise _unusable(f"the {what} lacks {item.name!r}")
    return {
        key: _read(kinds[key], value, f"{key!r} of the {what}")
        for key, value in given.items()
    }


def _read(kind: Kind, value: Any, name: str) -> Any:
    try:
        return kind.read(value)
    except TypeError as cause:
        received = reprlib.repr(value)
        raise _unusable(f"{name} must be {kind.words}, received {received}") from cause


def _unusable(why: str) -> TaskSpecError:
    return TaskSpecError(
        f"The task description is not usable: {why}. "
        "`reward_synth describe --env ENV --json` prints one that is."
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError
    return float(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _many(one: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise TypeError
        return tuple(one(item) for item in value)

    return read


def optional(kind: Kind) -> Kind:
    """Return the kind that may also be None."""
    return Kind(
        f"{kind.words}, or left out",
        lambda value: None if value is None else kind.read(value),
    )


TEXT = Kind("a text", _text)
FLAG = Kind("true or false", _flag)
WHOLE = Kind("a whole number", _whole)
NUMBER = Kind("a number", _number)
MAPPING = Kind("a mapping (a JSON object, a TOML table)", _mapping)
TEXTS = Kind("a list of texts", _many(_text))
WHOLES = Kind("a list of whole numbers", _many(_whole))
NUMBERS = Kind("a list of numbers", _many(_number))
MAPPINGS = Kind("a list of mappings (JSON objects, TOML tables)", _many(_mapping))
