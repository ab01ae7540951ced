"""Exchange messages with one worker process, and kill it.

How a worker comes to be is told in :mod:`cold` (a new interpreter) and :mod:`warm`
(forked from a server that has NumPy loaded); here it is only a :class:`Started`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from types import TracebackType
from typing import IO, Protocol

from reward_synth.sandbox import wire

_CHUNK = 1 << 16
_HEADER_LIMIT = 1 << 20


class WorkerTimeoutError(Exception):
    """No whole answer came in time."""


class WorkerEndedError(Exception):
    """The worker closed its end before a whole answer came."""


class Channel(Protocol):
    """Something that answers a message with a message."""

    def exchange(self, data: bytes, /, *, cap: int, deadline: float) -> wire.Message:
        """Send bytes and return the next message, of at most ``cap`` body bytes."""
        ...


class Started(Protocol):
    """A worker process that runs, or has run."""

    @property
    def sink(self) -> IO[bytes]:
        """Takes the job."""
        ...

    @property
    def source(self) -> IO[bytes]:
        """Gives the answer."""
        ...

    def stop(self) -> int:
        """Kill the process group if need be, reap the worker, return its exit code.

        Minus the number of the signal where one ended it.  May be called again.
        """
        ...

    def error_text(self) -> str:
        """Return the end of what a stopped worker wrote before its lock."""
        ...

    def close(self) -> None:
        """Give back what the start took, beside the pipes."""
        ...


class Worker:
    """A worker process in a session of its own; leaving the ``with`` kills it."""

    def __init__(self, started: Started) -> None:
        """Keep the process."""
        self._started = started
        self._buffer = bytearray()

    def __enter__(self) -> Worker:
        """Return the worker."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the worker and all that it started."""
        self._started.stop()
        for pipe in (self._started.sink, self._started.source):
            with contextlib.suppress(OSError):
                pipe.close()
        self._started.close()

    def stop(self) -> int:
        """Kill and reap the worker; return its exit code."""
        return self._started.stop()

    def error_text(self) -> str:
        """Return the end of what a stopped worker wrote before its lock."""
        return self._started.error_text()

    def exchange(self, data: bytes, /, *, cap: int, deadline: float) -> wire.Message:
        """Send bytes and return the next message, of at most ``cap`` body bytes.

        Args:
            data: What to send; the pipe is closed after it.  Nothing: only listen.
            cap: Most bytes of the answer's body.
            deadline: When to give up, by ``time.monotonic()``.

        Raises:
            WorkerTimeoutError: The deadline passed.
            WorkerEndedError: The worker closed its end.
            WireError: What came is not a message, or over the cap.
        """
        with selectors.DefaultSelector() as selector:
            source = self._started.source
            selector.register(source, selectors.EVENT_READ)
            if data:
                selector.register(self._started.sink, selectors.EVENT_WRITE)
            unsent = memoryview(data)
            while (message := self._take(cap)) is None:
                for key in _wait(selector, deadline):
                    if key.fileobj is source:
                        self._receive(source)
                    else:
                        unsent = self._send(unsent, selector)
        return message

    def _take(self, cap: int) -> wire.Message | None:
        return wire.unpack(self._buffer, header_limit=_HEADER_LIMIT, body_limit=cap)

    def _receive(self, source: IO[bytes]) -> None:
        chunk = source.read(_CHUNK)
        if not chunk:
            raise WorkerEndedError
        self._buffer += chunk

    def _send(self, unsent: memoryview, selector: selectors.BaseSelector) -> memoryview:
        sink = self._started.sink
        os.set_blocking(sink.fileno(), False)
        try:
            unsent = unsent[sink.write(unsent) or 0 :]
        except BrokenPipeError:
            # The worker is gone; what it last wrote, if anything, is still to read.
            unsent = unsent[:0]
        if not unsent:
            selector.unregister(sink)
            sink.close()
        return unsent


def _wait(
    selector: selectors.BaseSelector, deadline: float
) -> list[selectors.SelectorKey]:
    """Return what is ready; every loop comes by here, so a flood ends in time."""
    left = deadline - time.monotonic()
    ready = selector.select(left) if left > 0 else []
    if not ready:
        raise WorkerTimeoutError
    return [key for key, _ in ready]
