"""Fixtures: a host with a secret, and a look for what a run left behind."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SECRET = "CANARY-7319-SECRET"


class Host:
    """What a program must neither read nor change."""

    def __init__(self, folder: Path) -> None:
        """Lay out the folder, listen, and start a process to be spared."""
        self.folder = folder
        self.canary = folder / "canary"
        self.canary.write_text(SECRET)
        self._stat = self.canary.stat()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.tcp.setblocking(False)
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.victim = subprocess.Popen(["sleep", "600"], start_new_session=True)

    def fill(self, text: str) -> str:
        """Put the host's names into a program."""
        words = {
            "CANARY": str(self.canary),
            "TARGET": str(self.folder / "target"),
            "FOLDER": str(self.folder),
            "VICTIM": str(self.victim.pid),
            "PARENT": str(os.getpid()),
            "TCP": str(self.tcp.getsockname()[1]),
            "UDP": str(self.udp.getsockname()[1]),
        }
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    def assert_untouched(self) -> None:
        """Fail if anything was read over the network, changed, or killed."""
        now = self.canary.stat()
        assert self.canary.read_text() == SECRET
        assert os.listdir(self.folder) == ["canary"]
        for field in ("st_mode", "st_uid", "st_mtime_ns", "st_ctime_ns", "st_nlink"):
            assert getattr(now, field) == getattr(self._stat, field), field
        with pytest.raises(BlockingIOError):
            self.tcp.accept()
        with pytest.raises(BlockingIOError):
            self.udp.recv(99)
        assert self.victim.poll() is None

    def close(self) -> None:
        """End the process and the listeners."""
        self.victim.kill()
        self.victim.wait()
        self.tcp.close()
        self.udp.close()


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One host for all programs; each test asserts that it is as it was."""
    os.environ["SANDBOX_SECRET"] = SECRET
    with contextlib.closing(Host(tmp_path_factory.mktemp("host"))) as host:
        yield host
    del os.environ["SANDBOX_SECRET"]


class Process(NamedTuple):
    """A line of the process table."""

    pid: int
    parent: int
    state: str
    command: list[bytes]

    @property
    def serves(self) -> bool:
        """Whether workers are forked from it."""
        return b"serve" in self.command and self.sandboxed

    @property
    def sandboxed(self) -> bool:
        """Whether it runs the worker's script."""
        return any(part.endswith(b"sandbox/worker.py") for part in self.command)


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            state, ppid = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            yield Process(int(folder.name), int(ppid), state, command)


def servers_of(parent: int) -> list[int]:
    """Return the warm servers that a process has."""
    return [item.pid for item in _processes() if item.parent == parent and item.serves]


def workers_of(parent: int) -> list[int]:
    """Return the sandbox workers, and the zombies, that a process and its servers have."""
    servers = servers_of(parent)
    return [
        item.pid
        for item in _processes()
        if item.parent in servers
        or (
            item.parent == parent
            and (item.state == "Z" or (item.sandboxed and not item.serves))
        )
    ]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No run leaves a process, a zombie, or a temporary folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert workers_of(os.getpid()) == []
    assert os.listdir(folder) == []
