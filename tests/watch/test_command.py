"""The command: its first line, its end, and what it says when it cannot begin."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reward_synth.cli.main import run
from reward_synth.watch.server import WatchServer
from tests.cli.tools import python, start
from tests.watch.tools import SECONDS, Visitor, begin, end

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)(/\S*)\?token=([\w-]{43})\n")


@contextmanager
def watching(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command in a process; gives it and its first line."""
    child = start("watch", *arguments, "--no-open")
    try:
        assert child.stdout is not None
        yield child, child.stdout.readline()
    finally:
        child.kill()
        child.communicate(timeout=SECONDS)


def test_the_first_line_is_the_address(tmp_path: Path) -> None:
    """One run: the address of its page; several or none: of the list. Each start has a
    token of its own."""
    begin(tmp_path / "a-1").close()
    begin(tmp_path / "b-2").close()
    tokens = set()
    for arguments, path in {
        (tmp_path / "a-1",): "/runs/a-1",
        (tmp_path / "a-1", tmp_path / "b-2"): "/",
        ("--root", tmp_path): "/",
    }.items():
        with watching(*arguments) as (_, line):
            found = ADDRESS.fullmatch(line)
            assert found is not None, line
            assert found[2] == path
            tokens.add(found[3])
            assert Visitor(line.strip()).come_in().ask(path).status == 200
    assert len(tokens) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupts_end_it_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends the command although a browser is connected and a page is being
    made: code 130, one line, no traceback; and the port is free for the next one."""
    begin(tmp_path / "a", programs=200).close()
    with watching(tmp_path / "a") as (child, line):
        visitor = Visitor(line.strip()).come_in()
        idle = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=SECONDS)
        idle.request("GET", "/", headers={"Cookie": visitor.cookie})
        idle.getresponse().read()
        busy = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=SECONDS)
        busy.request("GET", "/runs/a", headers={"Cookie": visitor.cookie})
        time.sleep(0.1)
        began = time.monotonic()
        os.kill(child.pid, number)
        _, said = child.communicate(timeout=SECONDS)
        assert time.monotonic() - began < 15
        assert child.returncode == 130
        assert "Traceback" not in said
        assert said.strip().splitlines()[-1] == "error: Interrupted."
        for connection in (idle, busy):
            connection.close()
        with watching(tmp_path / "a", "--port", visitor.port) as (_, again):
            assert f":{visitor.port}/" in again


def test_a_port_in_use_names_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with code 2 and says which option helps."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = run(["watch", "--root", str(tmp_path), "--port", str(port), "--no-open"])
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert f"Port {port} is in use. Give another one with --port" in said.err


def test_a_missing_run_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that holds no run ends the command with code 2."""
    assert run(["watch", str(tmp_path / "missing"), "--no-open"]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_a_missing_package_names_the_extra() -> None:
    """Without Starlette, uvicorn or Jinja the command says what to install."""
    for name in ("starlette", "uvicorn", "jinja2"):
        result = python(
            f"import sys; sys.modules[{name!r}] = None\n"
            "from reward_synth.cli.main import run\n"
            "sys.exit(run(['watch', '--no-open']))"
        )
        assert result.code == 3
        assert "pip install 'reward-synth[watch]'" in result.err
        assert name in result.err


def test_nothing_of_the_server_loads_early() -> None:
    """Neither the package nor the help of the command loads a server."""
    code = (
        "import sys, reward_synth, reward_synth.cli.app\n"
        "from reward_synth.cli.main import run\n"
        "run(['watch', '--help'])\n"
        "print([n for n in ('starlette', 'uvicorn', 'jinja2') if n in sys.modules])"
    )
    result = python(code)
    assert result.out.strip().endswith("[]")
    assert "--no-open" in result.out


@pytest.mark.parametrize(
    ("display", "arguments", "opened"),
    [(":0", [], True), (":0", ["--no-open"], False), ("", [], False)],
)
def test_a_browser_is_opened_where_there_are_windows(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    display: str,
    arguments: list[str],
    opened: bool,
) -> None:
    """The browser gets the printed address, unless asked not to, or without a screen:
    a browser in the terminal would hold the command up."""
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", asked.append)
    monkeypatch.setattr(WatchServer, "run", WatchServer.close)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    assert run(["watch", "--root", str(tmp_path), *arguments]) == 0
    assert len(asked) == opened


def test_a_run_goes_on_beside_the_command(tmp_path: Path) -> None:
    """Another process shows a run that this one is writing."""
    with begin(tmp_path / "a") as store, watching(tmp_path / "a") as (_, line):
        visitor = Visitor(line.strip()).come_in()
        for number in range(3):
            end(store, f"t{number}", 0.5)
            text = visitor.ask("/runs/a").text
            assert f"{number + 1} of 4 trainings finished" in text
