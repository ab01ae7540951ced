"""The API key, and how it is kept out of everything that is written down."""

from __future__ import annotations

import os
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from reward_synth.errors import UsageError

KEY_VARIABLE = "OPENAI_API_KEY"
NO_KEY = "none"
SHORTEST_SECRET = 8
"""Shorter keys are placeholders of local servers; cutting them would harm text."""


class Secret:
    """Holds an API key; prints as stars and refuses to be pickled.

    Example:
        >>> key = Secret("sk-0123456789")
        >>> key
        Secret(***)
        >>> key.redact("bad key sk-0123456789!")
        'bad key [API key]!'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

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
        """Return ``text`` with the key replaced, should a server repeat it."""
        if len(self._value) < SHORTEST_SECRET:
            return text
        return text.replace(self._value, "[API key]")


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
