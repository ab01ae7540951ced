"""A real browser without windows, told what to do through a pair of pipes."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 90
WATCHING = """
window.wrong = [];
addEventListener("securitypolicyviolation", (e) => wrong.push(`policy: ${e.blockedURI}`));
addEventListener("error", (e) => wrong.push(e.message));
addEventListener("unhandledrejection", (e) => wrong.push(String(e.reason)));
"""
"""Keeps in every page what goes wrong in it."""
LAUNCH = """
import fcntl, os, sys
given = [fcntl.fcntl(int(item), fcntl.F_DUPFD, 10) for item in sys.argv[1:3]]
for number, item in zip((3, 4), given):
    os.dup2(item, number)
    os.close(item)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Starts a browser with the pipes where it looks for them."""


class Tab:
    """One page of the browser."""

    def __init__(self, to: int, of: int) -> None:
        self._to = to
        self._of = of
        self._rest = b""
        self._number = 0
        self._session = ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        found = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        self._call("Page.enable")
        self._call("Page.addScriptToEvaluateOnNewDocument", source=WATCHING)

    def open(self, address: str) -> None:
        self._call("Page.navigate", url=address)

    def run(self, code: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        answer = self._call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, code: str) -> None:
        """Wait until an expression is true; pages may be loading meanwhile."""
        ends = time.monotonic() + SECONDS
        while self.run(f"document.readyState === 'complete' && !!({code})") is not True:
            assert time.monotonic() < ends, (code, self.run("document.body.innerText"))
            time.sleep(0.1)

    def sleep(self, seconds: float) -> None:
        """Let the page go on for a while."""
        time.sleep(seconds)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while (said := self._next()).get("id") != self._number:
            pass  # an event
        assert "error" not in said, (method, said)
        result: dict[str, Any] = said["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._of], [], [], SECONDS)
            more = os.read(self._of, 1 << 16) if ready else b""
            assert more, "the browser says nothing"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def browser() -> Iterator[Tab]:
    """Run a browser while the block runs; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(NAMES)})")
    (its_in, to), (of, its_out) = os.pipe(), os.pipe()
    command = [
        sys.executable,
        "-c",
        LAUNCH,
        str(its_in),
        str(its_out),
        found,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--remote-debugging-pipe",
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        child = subprocess.Popen(
            [*command, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(its_in, its_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(its_in)
        os.close(its_out)
        try:
            yield Tab(to, of)
        finally:
            os.close(to)  # it ends when nobody speaks to it
            os.close(of)
            child.terminate()
            child.wait(SECONDS)
