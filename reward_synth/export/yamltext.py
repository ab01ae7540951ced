"""Writes plain data as YAML that every reader of YAML takes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reward_synth.errors import UsageError


def yaml_text(data: Mapping[str, Any]) -> str:
    """Return plain data as YAML: mappings, lists, texts, numbers, True, False, None.

    Texts stand in quotes, so none is taken for a number or a date.

    Raises:
        UsageError: A value is none of these.

    Example:
        >>> print(yaml_text({"tags": ["a", "b"], "rate": 1e-05, "net": {"pi": []}}))
        tags:
          - "a"
          - "b"
        rate: 1.0e-05
        net:
          pi: []
        <BLANKLINE>
    """
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(data: Any) -> Iterator[str]:
    """Yield the lines of a mapping or a list that is not empty."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _entry(f"{_key(str(key))}:", value)
        return
    for value in data:
        if _is_block(value):
            first, *rest = _lines(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_scalar(value)}"


def _entry(start: str, value: Any) -> Iterator[str]:
    if not _is_block(value):
        yield f"{start} {_scalar(value)}"
        return
    yield start
    yield from (f"  {line}" for line in _lines(value))


def _is_block(value: Any) -> bool:
    """Return whether a value takes lines of its own."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return (isinstance(value, Mapping) or is_list) and len(value) > 0


def _key(text: str) -> str:
    plain = text.replace("_", "").replace("-", "").replace(".", "").isalnum()
    risky = text[:1].isdigit() or text.lower() in _WORDS or text[:1] in "-."
    return text if plain and text.isascii() and not risky else json.dumps(text)


_SHORT_CODES = 0xFFFF
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf")
"""What YAML 1.1 does not read as a text."""


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return f'"{"".join(map(_letter, value))}"'
    if value is None or isinstance(value, (int, Mapping, Sequence)):
        return json.dumps([] if isinstance(value, tuple) else value)
    raise UsageError(
        f"{value!r} cannot be written as YAML; give texts, numbers, lists and mappings."
    )


def _letter(one: str) -> str:
    """Return a letter as it stands between double quotes."""
    if one < "\x7f":
        return json.dumps(one)[1:-1]
    code = ord(one)
    return f"\\u{code:04x}" if code <= _SHORT_CODES else f"\\U{code:08x}"


def _number(value: float) -> str:
    """Return a number with a point, without which YAML 1.1 reads a text."""
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits, mark, power = repr(value).partition("e")
    if mark and "." not in digits:
        digits += ".0"
    return f"{digits}{mark}{power}"
