"""The warm server of trainings: forks a process that has the libraries loaded.

Loading PyTorch, Stable-Baselines3 and numba takes seconds of a processor; a short training
takes not many more.  This server is a new program with a scrubbed environment, loads them
once, and forks one process a training.  It never reads a job, a program or a message: it
hands three descriptors on and tells how a process ended.  A forked process does what a
new one does (:mod:`~reward_synth.agents.boot`): it confines itself before generated code
enters it.

It ends with the process that started it, and each training with the one that asked for it.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import hmac
import importlib
import os
import random
import select
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from dataclasses import dataclass

import numpy as np

from reward_synth.agents import boot
from reward_synth.agents.trainer import PRELOADED

REQUEST, DESCRIPTORS = 1 << 10, 3
"""Bytes of a request, which is the token, and what comes with it."""


@dataclass(frozen=True, slots=True)
class ServerJob:
    """What the server is given by the process that starts it."""

    listener: int
    """Descriptor of the socket that requests come to."""
    folder: str
    """Its own folder, removed at its end."""
    digest: str
    """SHA-256 of the token that a request must hold; what is forked cannot know it."""
    owner: int
    """The process with which it ends."""

    def run(self, _: int | None) -> None:
        """Load the libraries and serve until the owner is gone."""
        for name in PRELOADED:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # so that trainings share these pages
        listener = socket.socket(fileno=self.listener)
        with contextlib.suppress(OSError):
            Loop(listener, os.pidfd_open(self.owner), self.digest).run()
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)  # the kernel kills the trainings: each asked for it


class Loop:
    """Forks a training a request and watches both of its ends."""

    def __init__(self, listener: socket.socket, owner: int, digest: str) -> None:
        self._listener = listener
        self._owner = owner
        self._digest = digest
        self._poll = select.poll()
        self._lines: dict[int, socket.socket] = {}
        self._trainings: dict[int, tuple[int, socket.socket]] = {}
        """Descriptor of a process to its number and the line it was asked for on."""
        for number in (listener.fileno(), owner):
            self._poll.register(number, select.POLLIN)

    def run(self) -> None:
        """Serve until the owner is gone."""
        while True:
            ready = [number for number, _ in self._poll.poll()]
            if self._owner in ready:
                return
            for number in ready:
                self._serve(number)

    def _serve(self, number: int) -> None:
        if number == self._listener.fileno():
            line, _ = self._listener.accept()
            self._lines[line.fileno()] = line
            self._poll.register(line, select.POLLIN)
        elif number in self._trainings:
            self._tell_end(number)
        elif number in self._lines:
            self._hear(self._lines[number])

    def _hear(self, line: socket.socket) -> None:
        """Fork at the first message; anything after it, also the end, is a kill."""
        try:
            token, given, _, _ = socket.recv_fds(line, REQUEST, DESCRIPTORS)
        except OSError:
            token, given = b"", []
        own = [pid for pid, asked in self._trainings.values() if asked is line]
        known = hmac.compare_digest(hashlib.sha256(token).hexdigest(), self._digest)
        if known and len(given) == DESCRIPTORS and not own:
            self._fork(line, given)
        else:
            for pid in own:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._forget(line)
        for number in given:
            os.close(number)

    def _fork(self, line: socket.socket, given: list[int]) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            line.send(f"The server cannot fork: {error}.".encode())
            self._forget(line)
            return
        if pid == 0:
            _become_training(given, parent)
        descriptor = os.pidfd_open(pid)
        self._trainings[descriptor] = (pid, line)
        self._poll.register(descriptor, select.POLLIN)

    def _tell_end(self, descriptor: int) -> None:
        pid, line = self._trainings.pop(descriptor)
        self._poll.unregister(descriptor)
        os.close(descriptor)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(OSError):  # who asked may be gone
            line.send(str(code).encode())
        self._forget(line)

    def _forget(self, line: socket.socket) -> None:
        """Hear no more of a line, and close it once its training has ended."""
        if self._lines.pop(line.fileno(), None) is not None:
            self._poll.unregister(line)
        if all(asked is not line for _, asked in self._trainings.values()):
            line.close()


def _become_training(given: list[int], parent: int) -> None:
    code = 1
    try:
        for standard, number in enumerate(given):  # the job, what it says, its output
            os.dup2(number, standard)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        random.seed()
        np.random.seed()  # noqa: NPY002 - user's environments may draw from it
        tempfile.tempdir = None  # the training's own folder takes its place
        boot.main(parent)
        code = 0
    except BaseException:  # as an interpreter does at its end
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
