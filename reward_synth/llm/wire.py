"""The connection under the client: hard deadlines, bounded errors, no redirects.

Clients of HTTP limit each single read. A server that sends a byte now and then, in
its headers or in the text of an error, would hold such a client for ever, and one
that never stops would fill its memory.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reward_synth.errors import MissingExtraError

if TYPE_CHECKING:
    import openai

LARGEST_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""
FIRST_FAILURE = 300
"""From here on an HTTP status holds no answer; redirects are not followed."""
# Bytes that TLS and HTTP read at once; a drip of them is what deadlines are for.
_SHORTEST = 0.001


class HttpRefusal(Exception):  # noqa: N818 - carried from a hook to the client
    """An answer with a status other than 2xx."""

    def __init__(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"HTTP {code}")
        self.code = code
        self.headers = headers
        self.body = body


class Deadline(threading.local):
    """Until when the thread's request may use the network."""

    ends: float = math.inf

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: None are left.
        """
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return max(left, _SHORTEST)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let the block use the network for ``seconds``.

        Example:
            >>> deadline = Deadline()
            >>> with deadline.within(60.0):
            ...     59.0 < deadline.left() <= 60.0
            True
            >>> deadline.left()
            inf
        """
        self.ends = time.monotonic() + seconds
        try:
            yield
        finally:
            self.ends = math.inf


def build_client(url: str, key: str, deadline: Deadline) -> openai.OpenAI:
    """Return a client that never repeats a request and keeps to ``deadline``.

    Raises:
        MissingExtraError: If ``openai`` is not installed.
    """
    try:
        import openai  # noqa: PLC0415 - heavy, and only here is it needed
    except ImportError as cause:
        raise MissingExtraError("openai", "llm") from cause
    http = openai.DefaultHttpxClient(
        follow_redirects=False, event_hooks={"response": [stop_refusals]}
    )
    _limit(http, deadline)
    return openai.OpenAI(api_key=key, base_url=url, max_retries=0, http_client=http)


def stop_refusals(response: Any) -> None:
    """Raise for a status other than 2xx, before its body is read without a bound."""
    if response.status_code < FIRST_FAILURE:
        return
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST_ERROR:
            break
    raise HttpRefusal(
        response.status_code, response.headers, bytes(body[:LARGEST_ERROR])
    )


def _limit(http: Any, deadline: Deadline) -> None:
    """Put ``deadline`` on every read of a client, also on those through a proxy.

    The pools take such a backend as an argument, but the client hides its pools.
    """
    transports = [http._transport, *http._mounts.values()]
    for transport in transports:
        if transport is not None:
            pool = transport._pool
            pool._network_backend = _Backend(pool._network_backend, deadline)


class _Backend:
    """Connects like the backend that it wraps."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self.inner = inner
        self.deadline = deadline

    def connect_tcp(self, *args: Any, **settings: Any) -> _Stream:
        settings["timeout"] = _most(settings.get("timeout"), self.deadline)
        return _Stream(self.inner.connect_tcp(*args, **settings), self.deadline)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Stream:
    """Reads and writes like the stream that it wraps, until the deadline."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self.inner = inner
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self.inner.read(max_bytes, _most(timeout, self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _most(timeout, self.deadline))

    def start_tls(self, *args: Any, **settings: Any) -> _Stream:
        settings["timeout"] = _most(settings.get("timeout"), self.deadline)
        return _Stream(self.inner.start_tls(*args, **settings), self.deadline)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _most(timeout: float | None, deadline: Deadline) -> float | None:
    seconds = min(math.inf if timeout is None else timeout, deadline.left())
    return None if math.isinf(seconds) else seconds
