"""Texts of others made harmless to read: nothing invisible, nothing that turns lines round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from reward_synth.report.data import Measured

T = TypeVar("T")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""Control characters, marks of direction, and halves of characters."""


def plain(data: T) -> T:
    r"""Return the same data, with such characters in their written form.

    A program could otherwise show other code than it holds.

    Example:
        >>> print(plain("tell \u202eme"))
        tell \u202eme
    """
    done: Any = _plain(data)
    return done  # type: ignore[no-any-return]


def _plain(item: Any) -> Any:
    if isinstance(item, str):
        return _HIDDEN.sub(_written, item.replace("\r\n", "\n"))
    if isinstance(item, Measured):
        return _measured(item)
    if isinstance(item, tuple | list):
        return tuple(_plain(part) for part in item)
    if isinstance(item, Mapping):
        return {_plain(key): _plain(value) for key, value in item.items()}
    if is_dataclass(item) and not isinstance(item, type):
        parts = {field.name: getattr(item, field.name) for field in fields(item)}
        return replace(item, **{name: _plain(value) for name, value in parts.items()})
    return item


def _measured(item: Measured) -> Measured:
    """Return the measurement itself in all but strange cases: there may be millions."""
    if not any(_HIDDEN.search(name) for name in item.components):
        return item
    return replace(item, components=_plain(item.components))


def _written(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004
