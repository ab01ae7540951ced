"""One worker process: start it, exchange messages with it, and kill it.

Only this module knows how a worker comes to be.  What talks to it needs no more
than :class:`Channel`, which a worker forked from a warm server could serve too.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

import numpy as np

from reward_synth.errors import NotAvailableError
from reward_synth.sandbox import wire
from reward_synth.sandbox.job import Limits

_CHUNK = 1 << 16
_HEADER_LIMIT = 1 << 20
_ERROR_TAIL = 500
_SCRIPT = Path(__file__).with_name("worker.py")


class WorkerTimeoutError(Exception):
    """No whole answer came in time."""


class WorkerEndedError(Exception):
    """The worker closed its end before a whole answer came."""


class Channel(Protocol):
    """Something that answers a message with a message."""

    def exchange(self, data: bytes, /, *, cap: int, deadline: float) -> wire.Message:
        """Send bytes and return the next message, of at most ``cap`` body bytes."""
        ...


def _command(limits: Limits) -> list[str]:
    """Return the command line.

    ``-P -s -S`` keep the working folder, the user's packages and ``.pth`` files
    out.  ``-I`` would also ignore ``PYTHONHASHSEED``, and its other half, ignoring
    ``PYTHON*`` variables, is moot: the environment holds only what is set here.
    """
    site = Path(np.__file__).resolve().parent.parent
    numbers = (os.getpid(), limits.memory_bytes, limits.cpu_seconds)
    flags = ("-P", "-s", "-S")
    return [sys.executable, *flags, str(_SCRIPT), str(site), *map(str, numbers)]


def _environment() -> dict[str, str]:
    """Return all that the worker's environment holds; nothing secret, one thread."""
    return {
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }


class Worker:
    """A worker process in a session of its own; leaving the ``with`` kills it.

    The folder that it starts in is removed by the worker itself, and again at the
    end in case it never came so far.
    """

    def __init__(self, limits: Limits) -> None:
        """Start the process.

        Raises:
            NotAvailableError: It cannot be started.
        """
        self._folder = tempfile.mkdtemp(prefix="reward-sandbox-")
        self._buffer = bytearray()
        try:
            self._process = self._start(limits)
        except BaseException:
            self._remove_folder()
            raise

    def _start(self, limits: Limits) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                _command(limits),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise NotAvailableError(
                f"The sandbox cannot start {sys.executable}: {error}."
            ) from error

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
        self.stop()
        for pipe in (
            self._process.stdin, self._process.stdout, self._process.stderr
        ):  # fmt: skip
            with contextlib.suppress(OSError):
                _open(pipe).close()
        self._remove_folder()

    def _remove_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> int:
        """Kill the process group if need be, reap the worker, return its exit code.

        Killing comes before reaping: until then nobody else can have the number.
        """
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def error_text(self) -> str:
        """Return the end of what a stopped worker wrote before its lock."""
        text = _open(self._process.stderr).read() or b""
        return text.decode("utf-8", "replace").strip()[-_ERROR_TAIL:]

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
            source = _open(self._process.stdout)
            selector.register(source, selectors.EVENT_READ)
            if data:
                selector.register(_open(self._process.stdin), selectors.EVENT_WRITE)
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
        sink = _open(self._process.stdin)
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


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise WorkerEndedError
    return pipe


def _wait(
    selector: selectors.BaseSelector, deadline: float
) -> list[selectors.SelectorKey]:
    """Return what is ready; every loop comes by here, so a flood ends in time."""
    left = deadline - time.monotonic()
    ready = selector.select(left) if left > 0 else []
    if not ready:
        raise WorkerTimeoutError
    return [key for key, _ in ready]
