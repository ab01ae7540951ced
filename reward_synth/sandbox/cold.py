"""Start a worker as a new interpreter: where there is no server to fork it from.

What this module knows of interpreters serves the server's own start too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

from reward_synth.errors import NotAvailableError
from reward_synth.sandbox.job import Limits
from reward_synth.sandbox.wire import ENVIRONMENT

ERROR_TAIL = 500
_SCRIPT = Path(__file__).with_name("worker.py")


def command(*arguments: object) -> list[str]:
    """Return the command line of the worker's script.

    ``-P -s -S`` keep the working folder, the user's packages and ``.pth`` files
    out.  ``-I`` would also ignore ``PYTHONHASHSEED``, and its other half, ignoring
    ``PYTHON*`` variables, is moot: the environment holds only what is set here.
    """
    site = Path(np.__file__).resolve().parent.parent
    flags = ("-P", "-s", "-S")
    return [sys.executable, *flags, str(_SCRIPT), str(site), *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return all that the worker's environment holds; nothing secret, one thread."""
    return {"LANG": os.environ.get("LANG", "C.UTF-8"), **ENVIRONMENT}


def not_started(error: OSError) -> NotAvailableError:
    """Return what to raise where the interpreter does not start."""
    return NotAvailableError(f"The sandbox cannot start {sys.executable}: {error}.")


class ColdWorker:
    """A worker process with an interpreter of its own.

    The folder that it starts in is removed by the worker itself, and again at the
    end in case it never came so far.
    """

    def __init__(self, limits: Limits) -> None:
        """Start the process.

        Raises:
            NotAvailableError: It cannot be started.
        """
        self._folder = tempfile.mkdtemp(prefix="reward-sandbox-")
        try:
            self._process = self._start(limits)
        except BaseException:
            self._remove_folder()
            raise

    def _start(self, limits: Limits) -> subprocess.Popen[bytes]:
        numbers = (os.getpid(), limits.memory_bytes, limits.cpu_seconds)
        try:
            return subprocess.Popen(
                command(*numbers),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise not_started(error) from error

    @property
    def sink(self) -> IO[bytes]:
        """Takes the job."""
        return _given(self._process.stdin)

    @property
    def source(self) -> IO[bytes]:
        """Gives the answer."""
        return _given(self._process.stdout)

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
        text = _given(self._process.stderr).read() or b""
        return text.decode("utf-8", "replace").strip()[-ERROR_TAIL:]

    def close(self) -> None:
        """Close the last pipe and remove the folder."""
        with contextlib.suppress(OSError):
            _given(self._process.stderr).close()
        self._remove_folder()

    def _remove_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _given(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # all three are asked for
        raise NotAvailableError("The sandbox's worker has no pipes.")
    return pipe
