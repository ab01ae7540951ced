"""Asks a warm server for training processes: milliseconds in place of seconds.

The process that runs trials starts the server (:data:`SHARED`) and tells each evaluator
where it is; the evaluator asks for a process of its own (:class:`ForkedTraining`), which
has the face of a ``subprocess.Popen``.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import pickle
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import spawn
from pathlib import Path
from typing import IO, Any, Protocol

from reward_synth.agents.surroundings import scrubbed
from reward_synth.agents.trainer_server import ServerJob

SCRIPT = Path(__file__).with_name("boot.py")
_SOCKET = "socket"
_WAITING = 64
"""Evaluators that may wait for the server at once."""


class Started(Protocol):
    """A training process, as ``subprocess.Popen`` shows it."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code, or raise ``subprocess.TimeoutExpired``."""

    def kill(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and what it wants to hear."""

    path: str
    token: bytes


def preparation() -> dict[str, Any]:
    """Return what sets up Python elsewhere as it is here, for :mod:`boot`."""
    found = spawn.get_preparation_data("training")
    found.pop("authkey", None)  # a secret between our own processes
    return found


class ForkedTraining:
    """A training process that a server forked.

    Args:
        address: The server's.
        printed: Descriptor that its output goes to.

    Raises:
        OSError: The server is gone.
    """

    def __init__(self, address: Address, printed: int) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        job_out, job_in = os.pipe()
        said_out, said_in = os.pipe()
        self.stdin: IO[bytes] | None = os.fdopen(job_in, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(said_out, "rb")
        self._code: int | None = None
        try:
            self._line.connect(address.path)
            given = [job_out, said_in, printed]
            socket.send_fds(self._line, [address.token], given)
        except OSError:
            self.stdin.close()
            self.stdout.close()
            self._line.close()
            raise
        finally:
            os.close(job_out)
            os.close(said_in)

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        if self._code is None:
            ready, _, _ = select.select([self._line], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired("training", timeout or 0.0)
            self._code = self._read_code()
            self._line.close()
        return self._code

    def _read_code(self) -> int:
        try:
            text = self._line.recv(1 << 10).decode()
        except OSError:
            text = ""
        # No word: the server is gone, and its trainings were killed with it.
        return int(text) if text else -signal.SIGKILL

    def kill(self) -> None:
        """End it."""
        if self._code is None:
            with suppress(OSError):
                self._line.send(b"kill")


class Server:
    """The process that forks trainings; see :mod:`~reward_synth.agents.trainer_server`."""

    def __init__(self) -> None:
        """Start it, and do not wait for it: requests wait in its socket."""
        self.owner = os.getpid()
        self.variables = _variables()
        self._folder = Path(tempfile.mkdtemp(prefix="reward-training-"))
        token = secrets.token_bytes()
        self.address = Address(str(self._folder / _SOCKET), token)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with listener:
            listener.bind(self.address.path)
            listener.listen(_WAITING)
            self._process = self._start(listener.fileno(), token)

    def _start(self, listener: int, token: bytes) -> subprocess.Popen[bytes]:
        variables = scrubbed(os.environ, self._folder)
        process = subprocess.Popen(
            [sys.executable, "-P", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=variables,
            pass_fds=(listener,),
            start_new_session=True,
        )
        python = {k: v for k, v in preparation().items() if "main" not in k}
        digest = hashlib.sha256(token).hexdigest()
        job = ServerJob(listener, str(self._folder), digest, self.owner)
        with suppress(BrokenPipeError), _given(process.stdin) as pipe:
            for item in (variables, python, job):
                pipe.write(pickle.dumps(item))
        return process

    @property
    def pid(self) -> int:
        """Number of its process."""
        return self._process.pid

    def serves(self) -> bool:
        """Tell whether it runs, for this process as it is now."""
        here = self.owner == os.getpid() and self.variables == _variables()
        return here and self._process.poll() is None

    def end(self) -> None:
        """Kill it, and with it all trainings."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)


class Shared:
    """The one server of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: Server | None = None

    def address(self) -> Address | None:
        """Return where trainings are forked; None: nowhere on this platform."""
        if not _available():
            return None
        with self._lock:
            if self._server is None or not self._server.serves():
                if self._server is not None:
                    self._server.end()
                self._server = Server()
            return self._server.address

    def end(self) -> None:
        """End the server, if there is one."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.end()


def _available() -> bool:
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def _variables() -> Mapping[str, str]:
    return scrubbed(os.environ, Path())


def _given(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # it is asked for
        raise BrokenPipeError
    return pipe


SHARED = Shared()
"""Used for all trials of this process."""
atexit.register(SHARED.end)
