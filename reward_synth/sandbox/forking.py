"""The warm server's own loop: fork a locked worker when asked, and reap it when asked.

It runs nothing of a program, opens nothing, and ends with the process that started
it: by the end of the line between them, or by that process's descriptor.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
from pathlib import Path
from typing import Any

from reward_synth.sandbox import namespaces, serve
from reward_synth.sandbox.lockdown import SUBREAPER, prctl

_REQUEST = 1 << 12
_DESCRIPTORS = 2


def main(owner: int, descriptor: int) -> None:
    """Serve requests until the owner is gone, and end the process."""
    control = socket.socket(fileno=descriptor)
    serve.preload()
    serve.leave_folder()
    prctl(SUBREAPER, 1)  # what a worker leaves behind becomes our child
    isolated = namespaces.leave()
    gc.collect()
    gc.freeze()  # so that workers share these pages
    with contextlib.suppress(OSError):
        Loop(control, os.pidfd_open(owner), isolated).run()
    os._exit(0)  # the kernel kills the workers: each asked for it


class Loop:
    """Answers requests, one at a time."""

    def __init__(self, control: socket.socket, owner: int, isolated: str) -> None:
        self._control = control
        self._owner = owner
        self._isolated = isolated
        self.workers: set[int] = set()

    def run(self) -> None:
        """Answer until the owner is gone."""
        watched = (self._control.fileno(), self._owner)
        poll = select.poll()
        for number in watched:
            poll.register(number, select.POLLIN)
        while True:
            ready = {number for number, _ in poll.poll()}
            if self._owner in ready:
                break
            data, descriptors, _, _ = socket.recv_fds(
                self._control, _REQUEST, _DESCRIPTORS
            )
            if not data:
                break
            self._control.send(json.dumps(self._answer(data, descriptors)).encode())
        for pid in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _answer(self, data: bytes, descriptors: list[int]) -> dict[str, Any]:
        request = json.loads(data)
        if request["do"] == "fork":
            return self._fork(request, descriptors)
        if request["do"] == "reap":
            return {"code": self.reap(int(request["pid"]))}
        return {}

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            return {"error": str(error)}
        finally:
            if os.getpid() == parent:
                for number in descriptors:
                    os.close(number)
        if pid == 0:
            _become_worker(request, descriptors, parent, self._isolated)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # so that the group is there before we answer
        self.workers.add(pid)
        return {"pid": pid}

    def reap(self, pid: int) -> int:
        """Wait for a worker, end what it left, and return its exit code."""
        self.workers.discard(pid)
        _, status = os.waitpid(pid, 0)
        self._end_orphans()
        return os.waitstatus_to_exitcode(status)

    def _end_orphans(self) -> None:
        """Kill what a worker left, also in sessions of their own, and what those left."""
        while orphans := children() - self.workers:
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def children() -> set[int]:
    """Return this process's children, as the kernel lists them."""
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return set()
    return set(map(int, text.split()))


def _become_worker(
    request: dict[str, Any], descriptors: list[int], parent: int, isolated: str
) -> None:
    try:
        with contextlib.suppress(OSError):
            os.setsid()
        serve.work(
            *descriptors,
            parent=parent,
            memory_bytes=int(request["memory_bytes"]),
            cpu_seconds=int(request["cpu_seconds"]),
            isolated=isolated,
        )
    finally:
        os._exit(1)
