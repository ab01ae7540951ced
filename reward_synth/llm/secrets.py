"""The API key, and how it is kept out of everything that is written down."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from reward_synth.errors import UsageError

KEY_VARIABLE = "OPENAI_API_KEY"
NO_KEY = "none"
SHOWN = "[API key]"
SHORTEST_SECRET = 8
"""Shorter keys are placeholders of local servers; cutting them would harm text."""


class Secret:
    """Holds an API key; prints as stars and refuses to be pickled.

    Example:
        >>> key = Secret("sk-0123456789")
        >>> key
        Secret(***)
        >>> key.redact("bad key sk-0123456789, sk%2D0123456789, c2stMDEyMzQ1Njc4OQ==")
        'bad key [API key], [API key], [API key]Q=='
    """

    __slots__ = ("_pattern", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._pattern = _find(value) if len(value) >= SHORTEST_SECRET else None

    def __repr__(self) -> str:
        """Show that there is a key, not the key."""
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickled key would travel to workers and files."""
        raise UsageError(
            "An API key cannot be pickled. Build the model client in the process "
            "that uses it."
        )

    def reveal(self) -> str:
        """Return the key itself, for the request's header only."""
        return self._value

    def redact(self, text: str) -> str:
        """Return ``text`` with the key replaced, should a server repeat it.

        Also where it stands in base64 or hexadecimal, alone or amid other bytes, and
        where characters are escaped as JSON, URLs or HTML have them.
        """
        return text if self._pattern is None else self._pattern.sub(SHOWN, text)


def _find(value: str) -> re.Pattern[str]:
    """Return what finds the key in any of its forms, in linear time."""
    forms = list(dict.fromkeys(_forms(value)))
    starts = re.escape("".join(sorted({form[0] for form in forms} | set("\\%&"))))
    ways = "|".join(map(_escaped, forms))
    return re.compile(f"(?=[{starts}])(?:{ways})")


def _forms(value: str) -> Iterator[str]:
    yield value
    data = value.encode()
    yield data.hex()
    yield data.hex().upper()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Only digits that the key alone decides: its neighbours are not known.
            text = encode(b"." * before + data).decode().rstrip("=")
            first = -(-before * 8 // 6)
            whole = (before + len(data)) * 8 // 6
            yield text[first:whole]


def _escaped(form: str) -> str:
    """Return a pattern for ``form`` whose characters may be escaped."""
    return "".join(map(_escaped_character, form))


def _escaped_character(char: str) -> str:
    code = ord(char)
    hexadecimal = "".join(f"[{d}{d.upper()}]" for d in f"{code:02x}")
    ways = (
        rf"\\{{0,2}}{re.escape(char)}",
        rf"\\{{1,2}}u00{hexadecimal}",
        rf"%(?:25){{0,2}}{hexadecimal}",
        rf"&#(?:0{{0,4}}{code}|[xX]0{{0,4}}{hexadecimal});?",
    )
    return f"(?:{'|'.join(ways)})"


def find_key(given: str | None = None) -> Secret:
    """Return the given key, else the environment's, else a placeholder.

    Raises:
        UsageError: If the key holds a character that no HTTP header can carry.
    """
    value = given if given is not None else os.environ.get(KEY_VARIABLE, "")
    value = value.strip()  # a key read from a file often ends in a newline
    bad = [place for place, char in enumerate(value) if not "!" <= char <= "~"]
    if bad:
        raise UsageError(
            f"The API key has {len(bad)} character(s) that no HTTP header can carry, "
            f"the first at position {bad[0]}. Copy it again into {KEY_VARIABLE}."
        )
    return Secret(value or NO_KEY)


def public_url(url: str) -> str:
    """Return ``url`` without user, password and query, fit for messages.

    Example:
        >>> public_url("http://me:secret@host:80/v1?token=1")
        'http://host:80/v1'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def check_url(url: str) -> str:
    """Return ``url`` without a trailing slash.

    Raises:
        UsageError: If it is not an http or https address with a host.

    Example:
        >>> check_url("http://127.0.0.1:8000/v1/")
        'http://127.0.0.1:8000/v1'
    """
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
        good = good and parts.port != 0 and not any(c.isspace() for c in url.strip())
    except ValueError:  # a port that is no number, or half an IPv6 address
        good = False
    if not good:
        raise UsageError(
            "The model server's address must look like http://127.0.0.1:8000/v1; "
            f"got {_shown(url)!r}."
        )
    return url.strip().rstrip("/")


def _shown(url: str) -> str:
    """Return what may be shown of an address that may not be one."""
    return url.rpartition("@")[2]
