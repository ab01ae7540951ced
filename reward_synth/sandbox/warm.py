"""Workers forked from a warm server: milliseconds in place of a new interpreter.

The server is a *new program* (``exec``), started with a scrubbed environment and no
descriptor but its own: however late that happens, nothing of this process's memory is
in it, no key, no environment, no reward.  What a worker inherits by ``fork`` is the
interpreter and NumPy.  The server never sees a program: jobs and answers travel in
pipes that it only hands on.

One server serves a process; it ends with it, however that ends.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import IO, Any

from reward_synth.errors import NotAvailableError
from reward_synth.sandbox.cold import ERROR_TAIL, command, environment, not_started
from reward_synth.sandbox.job import Limits

_ANSWER = 1 << 12
_SECONDS = 60.0
"""Time for an answer of the server; the first waits for NumPy's import."""


def available() -> bool:
    """Tell whether this platform can have a warm server."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class ServerEndedError(Exception):
    """The server is gone; its workers died with it."""


class Server:
    """A process that forks workers on request.

    Raises:
        NotAvailableError: It cannot be started.
    """

    def __init__(self) -> None:
        """Start the process; do not wait for it."""
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._folder = tempfile.mkdtemp(prefix="reward-sandbox-")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_SECONDS)
        try:
            self._process = self._start(theirs.fileno())
        except OSError as error:
            self._control.close()
            self._remove_folder()
            raise not_started(error) from error
        finally:
            theirs.close()

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command("serve", os.getpid(), descriptor),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env=environment(),
            pass_fds=(descriptor,),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ask(
        self, request: Mapping[str, object], descriptors: tuple[int, ...] = ()
    ) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            ServerEndedError: There is no answer.
        """
        data = json.dumps(request).encode()
        with self._lock:
            try:
                socket.send_fds(self._control, [data], descriptors)
                answer = self._control.recv(_ANSWER)
            except OSError as error:
                raise ServerEndedError from error
        if not answer:
            raise ServerEndedError
        found: dict[str, Any] = json.loads(answer)
        return found

    def hello(self) -> None:
        """Wait until the server is ready.

        Raises:
            NotAvailableError: It ended, and what it said.
        """
        try:
            self.ask({"do": "hello"})
        except ServerEndedError as error:
            raise NotAvailableError(
                f"The sandbox's server did not start (exit code {self.end()}): "
                f"{self._error_text() or 'it wrote nothing'}"
            ) from error
        self._remove_folder()

    def _error_text(self) -> str:
        pipe = self._process.stderr
        text = pipe.read() if pipe is not None else b""
        return text.decode("utf-8", "replace").strip()[-ERROR_TAIL:]

    def end(self) -> int:
        """Kill the server, and with it all workers; return its exit code."""
        self._control.close()
        if self._process.returncode is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)  # it ends by itself when nobody holds the line
            self._process.kill()
        self._remove_folder()
        return self._process.wait()

    def leave(self) -> None:
        """Forget a server that belongs to the process that this one came from."""
        self._control.close()
        self._process.returncode = 0  # not ours to wait for

    def _remove_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class WarmWorker:
    """A worker process that a server forked."""

    def __init__(self, server: Server, limits: Limits) -> None:
        """Fork the process.

        Raises:
            NotAvailableError: The server refused.
            ServerEndedError: The server is gone.
        """
        self._server = server
        self._code: int | None = None
        job_out, job_in = os.pipe()
        answer_out, answer_in = os.pipe()
        request = {
            "do": "fork",
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
        }
        self.sink: IO[bytes] = os.fdopen(job_in, "wb", buffering=0)
        self.source: IO[bytes] = os.fdopen(answer_out, "rb", buffering=0)
        try:
            answer = server.ask(request, (job_out, answer_in))
            if "pid" not in answer:
                raise NotAvailableError(
                    f"The sandbox's server cannot fork: {answer.get('error')}."
                )
        except BaseException:
            self.sink.close()
            self.source.close()
            raise
        finally:
            os.close(job_out)
            os.close(answer_in)
        self.pid = int(answer["pid"])

    def stop(self) -> int:
        """Kill the group, let the server reap the worker, return its exit code.

        The number is the worker's until the server reaps it, which only we ask for.
        """
        if self._code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            try:
                self._code = int(
                    self._server.ask({"do": "reap", "pid": self.pid})["code"]
                )
            except ServerEndedError:
                self._code = -signal.SIGKILL
        return self._code

    def error_text(self) -> str:
        """Return nothing: what a forked worker says goes nowhere."""
        return ""

    def close(self) -> None:
        """Nothing is left to give back."""


class Shared:
    """The one server of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: Server | None = None

    def fork(self, limits: Limits) -> WarmWorker:
        """Return a worker; a server that died is replaced once."""
        try:
            return WarmWorker(self._running(), limits)
        except ServerEndedError:
            self.end()
        try:
            return WarmWorker(self._running(), limits)
        except ServerEndedError as error:
            self.end()
            raise NotAvailableError("The sandbox's server ended twice.") from error

    def _running(self) -> Server:
        with self._lock:
            if self._server is None:
                server = Server()
                server.hello()
                self._server = server
            return self._server

    def pid(self) -> int | None:
        """Return the server's number, or None before the first worker."""
        return self._server.pid if self._server is not None else None

    def end(self) -> None:
        """End the server, if there is one."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.end()

    def after_fork(self) -> None:
        """Leave the parent's server to the parent."""
        self._lock = threading.Lock()
        if self._server is not None:
            self._server.leave()
            self._server = None


SHARED = Shared()
"""Used by :class:`~reward_synth.sandbox.ProcessSandbox`."""
if available():
    atexit.register(SHARED.end)
    os.register_at_fork(after_in_child=SHARED.after_fork)
