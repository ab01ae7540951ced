"""JSON as parsers agree on it: no doubled keys, no NaN, no number without end.

Where readers of JSON differ (the first or the last of two equal keys, ``Infinity``), a
model can show one thing to the verifier and another to what runs the call. So such texts
are not read at all.
"""

from __future__ import annotations

import json
import re
from json import JSONDecodeError, JSONDecoder
from typing import Any

from reward_synth.verify.limits import Limits, UnreadableError

_SPACE = re.compile(r"[ \t\r\n]*")
_OPEN = re.compile(r"[\[{\]}\"\\]")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableError("duplicate_key", f"the key {double[:60]!r} stands twice")
    return found


def _constant(text: str) -> Any:
    raise UnreadableError("not_finite", f"{text} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0.0:
        raise UnreadableError("not_finite", f"the number {text[:40]} is not finite")
    return value


def _integer(limits: Limits) -> Any:
    def read(text: str) -> int:
        if len(text) > limits.max_digits:
            raise UnreadableError("too_long", f"a number of {len(text)} digits")
        return int(text)

    return read


class StrictJSON:
    """Reads JSON under limits.

    Example:
        >>> StrictJSON(Limits()).read('{"a": 1}')
        {'a': 1}
        >>> StrictJSON(Limits()).read('{"a": 1, "a": 2}')
        Traceback (most recent call last):
        ...
        reward_synth.verify.limits.UnreadableError: the key 'a' stands twice
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._decoder = JSONDecoder(
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer(limits),
        )

    def __reduce__(self) -> tuple[type[StrictJSON], tuple[Limits]]:
        """Travel to other processes as limits: a decoder cannot."""
        return type(self), (self.limits,)

    def read(self, text: str) -> Any:
        """Return the value of a text that is one JSON value.

        Raises:
            UnreadableError: It is not.
        """
        value, end = self.read_at(text, 0)
        if text[end:].strip():
            raise UnreadableError(
                "malformed", f"text after the JSON: {_shown(text[end:])}"
            )
        return value

    def read_at(self, text: str, start: int) -> tuple[Any, int]:
        """Return the JSON value that begins at ``start``, and where it ends."""
        self._check_depth(text, start)
        begin = skip_space(text, start)
        try:
            return self._decoder.raw_decode(text, begin)
        except JSONDecodeError as error:
            said = f"no JSON ({error.msg}): {_shown(text[begin:])}"
            raise UnreadableError("malformed", said) from None

    def _check_depth(self, text: str, start: int) -> None:
        """Refuse deep nesting before the decoder, which recurses, meets it."""
        cap = self.limits.max_depth
        if text.count("[", start) + text.count("{", start) <= cap:
            return
        depth, quoted, skip = 0, False, -1
        for found in _OPEN.finditer(text, start):
            mark, at = found.group(), found.start()
            if at == skip:
                continue
            if quoted:
                if mark == "\\":
                    skip = at + 1
                elif mark == '"':
                    quoted = False
            elif mark == '"':
                quoted = True
            elif mark in "[{":
                depth += 1
                if depth > cap:
                    raise UnreadableError("too_deep", f"more than {cap} levels")
            elif mark in "]}":
                depth -= 1
                if depth <= 0:
                    return  # the value's end; the next is checked when it is read


def skip_space(text: str, start: int) -> int:
    r"""Return where white space of JSON ends.

    Example:
        >>> skip_space("f \t\n g", 1)
        5
    """
    found = _SPACE.match(text, start)
    return found.end() if found else start


def _shown(text: str) -> str:
    return json.dumps(text.strip()[:60], ensure_ascii=True)
