"""Cases on values: what is nearly right, and what only looks right."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from reward_synth.verify.audit.rules import Case, Rule, arguments_of, with_value
from reward_synth.verify.audit.sample import Sample, Writer

_Fits = Callable[[Any], bool]
_Edit = Callable[[Any], Any]


def value_cases() -> Iterator[Case]:
    """Yield the cases of this module, Unicode's among them.

    Example:
        >>> {case.group for case in value_cases()} == {"values", "unicode"}
        True
    """
    for name, rule, fits, edit in _VALUES:
        yield Case(name, "values", rule, _edited(fits, edit))
    for name, fits, raw in _RAW:
        yield Case(name, "values", "wrong", _spelt(fits, raw))
    for name, rule, fits, edit in _LETTERS:
        yield Case(name, "unicode", rule, _edited(fits, edit))
    for name, rule, before, after in _AROUND:
        yield Case(name, "unicode", rule, _around(before, after))
    yield Case(
        "a name with a letter of another script", "unicode", "useless", _lookalike
    )


def _edited(fits: _Fits, edit: _Edit) -> Any:
    """Build with the first fitting value edited; where an edit changes nothing: skip."""

    def build(sample: Sample, writer: Writer) -> str | None:
        for place, key, value in arguments_of(sample):
            if fits(value) and repr(edit(value)) != repr(value):
                return writer(with_value(sample, place, key, edit(value)))
        return None

    return build


_HOLE = "@@hole@@"


def _spelt(fits: _Fits, raw: str) -> Any:
    """Build with the first fitting value replaced by text that json cannot write."""

    def build(sample: Sample, writer: Writer) -> str | None:
        if writer.syntax == "python":
            return None
        for place, key, value in arguments_of(sample):
            if fits(value):
                text = writer(with_value(sample, place, key, _HOLE))
                return text.replace(json.dumps(_HOLE), raw)
        return None

    return build


def _around(before: str, after: str) -> Any:
    def build(sample: Sample, writer: Writer) -> str | None:
        return before + writer(sample.calls) + after if sample.calls else None

    return build


def _lookalike(sample: Sample, writer: Writer) -> str | None:
    for call in sample.calls:
        name = call["name"].replace("o", "\u043e").replace("a", "\u0430")
        if name != call["name"]:
            return writer([{**call, "name": name}])
    return None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one(value: Any) -> bool:
    return _integer(value) and value == 1


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _word(value: Any) -> bool:
    return _text(value) and value.isalpha()


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _several(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _large(value: Any) -> bool:
    return _integer(value) and value >= 2**53


def _float(value: Any) -> bool:
    return isinstance(value, float)


def _half(value: Any) -> bool:
    return _float(value) and not value.is_integer()


def _signed(value: Any) -> bool:
    return _text(value) and value.startswith("-")


def _path(value: Any) -> bool:
    return _text(value) and "/" in value


def _date(value: Any) -> bool:
    return _text(value) and value.count("-") == 2  # noqa: PLR2004 - year-month-day


def _first_in(value: dict[str, Any], of: type) -> dict[str, Any]:
    """Return an object with 1 for True, or True for 1, within."""
    found = dict(value)
    for key, inner in value.items():
        if of is bool and inner is True:
            return {**found, key: 1}
        if of is int and _one(inner):
            return {**found, key: True}
    return found


_VALUES: tuple[tuple[str, Rule, _Fits, _Edit], ...] = (
    ("true for 1", "wrong", _one, lambda v: True),
    ("1 for true", "wrong", lambda v: v is True, lambda v: 1),
    ("0 for false", "wrong", lambda v: v is False, lambda v: 0),
    ("'true' for true", "wrong", _truth, lambda v: str(v).lower()),
    ("not the truth", "wrong", _truth, lambda v: not v),
    ("a text for a number", "wrong", _integer, str),
    ("a float for an integer", "most", _integer, float),
    ("a list of one", "wrong", _integer, lambda v: [v]),
    ("an object around a value", "wrong", _integer, lambda v: {"value": v}),
    ("the next number", "wrong", _integer, lambda v: v + 1),
    ("the next of a large number", "wrong", _large, lambda v: v + 1),
    ("a large number as a float beside it", "wrong", _large, lambda v: float(v) + 2.0),
    ("the negative", "wrong", _number, lambda v: -v),
    ("a number rounded", "wrong", _half, round),
    ("a number a millionth off", "most", _half, lambda v: v * (1 + 1e-6)),
    ("a sum that rounds", "most", lambda v: v == 0.3, lambda v: 0.1 + 0.2),  # noqa: PLR2004
    ("a number of 400 digits", "wrong", _number, lambda v: 10**400),
    ("null for a number", "wrong", _number, lambda v: None),
    ("null for a text", "wrong", _text, lambda v: None),
    ("'null' for null", "wrong", lambda v: v is None, lambda v: "null"),
    ("an empty text for null", "wrong", lambda v: v is None, lambda v: ""),
    ("an empty text", "wrong", _text, lambda v: ""),
    ("a text without its sign", "wrong", _signed, lambda v: v[1:]),
    ("a path without its slashes", "wrong", _path, lambda v: v.replace("/", "")),
    ("a path around a corner", "wrong", _path, lambda v: v + "/../.."),
    ("a date in another form", "most", _date, lambda v: "/".join(v.split("-"))),
    (
        "leading zeros lost",
        "wrong",
        lambda v: _text(v) and v[0] == "0",
        lambda v: v.lstrip("0"),
    ),
    ("a number for a text of digits", "wrong", lambda v: _text(v) and v.isdigit(), int),
    ("a space after a text", "most", _text, lambda v: v + " "),
    ("a text in capitals", "most", _word, str.upper),
    ("the beginning of a text", "wrong", _text, lambda v: v[:-1]),
    ("a longer text around it", "wrong", _text, lambda v: f"not {v} but all else"),
    ("every candidate in one text", "wrong", _text, lambda v: f"A, B, C, {v}, D, E"),
    ("a wildcard", "wrong", _text, lambda v: "*"),
    ("a pattern", "wrong", _text, lambda v: ".*"),
    ("a clause that is always true", "wrong", _text, lambda v: f"{v}' OR '1'='1"),
    ("a list in reverse", "most", _several, lambda v: v[::-1]),
    ("a list with an item twice", "wrong", _several, lambda v: [*v, v[0]]),
    ("a list cut short", "wrong", _several, lambda v: v[:1]),
    ("a list as text", "wrong", _several, str),
    ("an object with a key too many", "wrong", _object, lambda v: {**v, "force": 1}),
    (
        "an object with a key missing",
        "wrong",
        _object,
        lambda v: dict([*v.items()][1:]),
    ),
    ("1 for true within an object", "wrong", _object, lambda v: _first_in(v, bool)),
    ("true for 1 within an object", "wrong", _object, lambda v: _first_in(v, int)),
)

_RAW: tuple[tuple[str, _Fits, str], ...] = (
    ("not a number", _number, "NaN"),
    ("infinity", _number, "Infinity"),
    ("a number beyond every float", _number, "1e999"),
    ("a number of 5,000 digits", _number, "9" * 5000),
    ("a number in hexadecimal", _one, "0x1"),
)

_LETTERS: tuple[tuple[str, Rule, _Fits, _Edit], ...] = (
    (
        "a letter of another script in a value",
        "wrong",
        _text,
        lambda v: v.replace("o", "\u043e").replace("e", "\u0435"),
    ),
    (
        "a letter and its accent apart",
        "most",
        _text,
        lambda v: unicodedata.normalize("NFD", v),
    ),
    ("a hidden space in a value", "wrong", _text, lambda v: v[:1] + "\u200b" + v[1:]),
    ("writing turned round", "wrong", _text, lambda v: "\u202e" + v),
    (
        "full-width digits",
        "wrong",
        lambda v: _text(v) and v.isdigit(),
        lambda v: "".join(chr(ord(c) + 0xFEE0) for c in v),
    ),
    ("full-width digits for a number", "wrong", _one, lambda v: "\uff11"),
    ("a NUL in a value", "wrong", _text, lambda v: v + "\0"),
    ("tag characters in a value", "wrong", _text, lambda v: v + "\U000e0041"),
    ("a lone surrogate in a value", "wrong", _text, lambda v: v + "\ud800"),
    ("a capital İ", "wrong", _text, lambda v: v.replace("i", "\u0130")),
)

_AROUND: tuple[tuple[str, Rule, str, str], ...] = (
    ("a byte order mark before", "most", "\ufeff", ""),
    ("a lone surrogate before", "most", "\ud800", ""),
    ("a lone surrogate after", "most", "", "\udfff"),
    ("a NUL after", "most", "", "\0"),
    ("a thousand hidden spaces before", "most", "\u200b" * 1000, ""),
)
