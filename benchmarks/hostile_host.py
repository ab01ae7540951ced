"""A host with canaries: what a hostile program must neither read, change nor call."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

SECRET = "CANARY-7319-SECRET"
VARIABLE = "SANDBOX_SECRET"


class Host:
    """A file with a secret, two listeners, and a process to be spared."""

    def __init__(self, folder: Path) -> None:
        """Lay everything out in an empty folder."""
        self.folder = folder
        self.canary = folder / "canary"
        self.target = folder / "target"
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.tcp.setblocking(False)
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self._renew()

    def _renew(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.canary.write_text(SECRET)
        self._stat = self.canary.stat()
        self.victim = subprocess.Popen(["sleep", "3600"], start_new_session=True)

    def fill(self, text: str) -> str:
        """Put the host's names into a program."""
        words = {
            "CANARY": str(self.canary),
            "TARGET": str(self.target),
            "FOLDER": str(self.folder),
            "VICTIM": str(self.victim.pid),
            "PARENT": str(os.getpid()),
            "TCP": str(self.tcp.getsockname()[1]),
            "UDP": str(self.udp.getsockname()[1]),
        }
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    def effects(self) -> list[str]:
        """Return what has happened since the last look, and put it right."""
        found = [name for name, seen in self._looks() if seen]
        if {"file", "canary", "victim"} & set(found):
            self._end_victim()
            self._renew()
        return found

    def _looks(self) -> list[tuple[str, bool]]:
        names = set(os.listdir(self.folder))
        return [
            ("file", bool(names - {"canary"})),
            ("canary", not self._same_canary()),
            ("tcp", self._called()),
            ("udp", self._told()),
            ("victim", self.victim.poll() is not None),
        ]

    def _same_canary(self) -> bool:
        try:
            now = self.canary.stat()
        except OSError:
            return False
        kept = (
            "st_mode",
            "st_uid",
            "st_mtime_ns",
            "st_ctime_ns",
            "st_nlink",
            "st_size",
        )
        return all(getattr(now, key) == getattr(self._stat, key) for key in kept)

    def _called(self) -> bool:
        calls = 0
        with contextlib.suppress(BlockingIOError):
            while True:  # all of them, or the next program would answer for them
                self.tcp.accept()[0].close()
                calls += 1
        return calls > 0

    def _told(self) -> bool:
        messages = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.udp.recv(99)
                messages += 1
        return messages > 0

    def _end_victim(self) -> None:
        self.victim.kill()
        self.victim.wait()

    def close(self) -> None:
        """End the process and the listeners."""
        self._end_victim()
        self.tcp.close()
        self.udp.close()
