"""Hostile programs cost one execution, and the host is as it was before."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from reward_synth.sandbox import (
    Execution,
    Job,
    Limits,
    ProcessSandbox,
    live_layers,
    missing_layers,
)
from tests.sandbox.conftest import SECRET, Host
from tests.sandbox.hostile_programs import (
    CRASHES,
    ESCAPES,
    HANGS,
    MEMORY,
    RAISES,
    Escape,
)

pytestmark = pytest.mark.skipif(
    bool(missing_layers(live_layers())),
    reason=f"a layer is missing here: {dict(live_layers())}",
)

# Runs each program in a forked copy of itself with no lock, and tells which
# ended in order.  The few builtins are those of the sandbox.
CONTROL = """
import json, math, os, sys
import numpy as np
from reward_synth.sandbox.program import few_builtins
for name, source, unrestricted in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        sys.stderr = open(os.devnull, "w")
        space = {"np": np, "math": math, "__name__": "reward"}
        if not unrestricted:
            space["__builtins__"] = few_builtins()
        try:
            exec(source, space)
            space["compute_reward"](1.0)
        except BaseException as error:
            os.write(1, f"{name}: {error!r}\\n".encode())
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""


def program(body: str, function: str = "compute_reward") -> str:
    """Return a program with one function of ``x``."""
    return Escape("", body).source.replace("compute_reward", function)


def run(source: str, *, unrestricted: bool = True, **limits: float) -> Execution:
    """Run a program on one row with tight limits."""
    chosen = {"seconds": 8.0, "memory_bytes": 512 << 20, **limits}
    job = Job(source, "compute_reward", ("x",), {"x": np.array([1.0])}, unrestricted)
    return ProcessSandbox(Limits(**chosen), mode="strict").run(job)  # type: ignore[arg-type]


@pytest.mark.parametrize("escape", ESCAPES, ids=lambda escape: escape.name)
def test_no_program_reaches_the_host(escape: Escape, host: Host) -> None:
    """Whatever a program reaches for, it fails there, and nothing has happened."""
    source = host.fill(escape.source)
    execution = run(source, unrestricted=escape.unrestricted)
    assert execution.status in ("raised", "crashed"), execution
    assert execution.values.shape == (1, 0)
    assert SECRET not in execution.error
    host.assert_untouched()


def test_the_programs_would_do_harm_without_the_lock(tmp_path: Path) -> None:
    """The table above proves nothing unless its programs work in a bare process."""
    escapes = [escape for escape in ESCAPES if escape.works_outside]
    with contextlib.ExitStack() as stack:
        jobs = []
        for escape in escapes:
            folder = tmp_path / f"host-{escape.name}"
            folder.mkdir()
            host = stack.enter_context(contextlib.closing(Host(folder)))
            threading.Thread(target=_answer, args=(host.tcp,), daemon=True).start()
            jobs.append((escape.name, host.fill(escape.source), escape.unrestricted))
        assert _run_bare(jobs, tmp_path) == []


def _answer(listener: socket.socket) -> None:
    """Serve a line of numbers to each that asks, until the listener is closed."""
    listener.settimeout(30)
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    connection.recv(9999)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n1,2\n")


def _run_bare(jobs: list[tuple[str, str, bool]], folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CONTROL],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": _ROOT, "SANDBOX_SECRET": SECRET, "PATH": "/usr/bin:/bin"},
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


_ROOT = str(Path(__file__).resolve().parents[2])


@pytest.mark.parametrize("name", HANGS)
def test_a_program_that_hangs_is_killed_at_the_wall_limit(name: str) -> None:
    """No program can hold the caller for longer than the wall limit."""
    start = time.monotonic()
    execution = run(program(HANGS[name]), seconds=0.4)
    assert execution.status == "timeout"
    assert execution.error == "no answer after 0.4 s"
    # 0.1 s of start and 0.4 s of limit; the rest is slack for a busy machine.
    assert time.monotonic() - start < 5


def test_the_processor_limit_ends_a_program_before_the_wall_limit() -> None:
    """One second of processor time is over long before 30 seconds of wall time."""
    execution = run(program("while True: pass"), seconds=30.0, cpu_seconds=1)
    assert execution.status == "timeout"
    assert execution.error == "used more than 1 s of processor time"


@pytest.mark.parametrize("name", MEMORY)
def test_a_program_that_takes_too_much_memory_is_told_apart(name: str) -> None:
    """A refused allocation ends the run as ``memory``, also one by hand."""
    execution = run(program(MEMORY[name]))
    assert execution.status == "memory", execution


@pytest.mark.parametrize("name", CRASHES)
def test_a_program_that_ends_the_worker_is_a_crash(name: str) -> None:
    """A worker that ends without an answer is ``crashed``, also with exit code 0."""
    execution = run(program(CRASHES[name]))
    assert execution.status == "crashed", execution
    assert "without an answer" in execution.error


def test_the_exit_code_of_a_crash_is_told() -> None:
    """``os._exit(7)`` is reported as exit code 7, not as the kill that follows."""
    for _ in range(10):
        assert run(program("import os; os._exit(7)")).error.endswith("exit code 7")


@pytest.mark.parametrize("name", RAISES)
def test_what_a_program_raises_is_data(name: str) -> None:
    """Every exception, also one meant to end the interpreter, becomes ``raised``."""
    body, expected = RAISES[name]
    execution = run(program(body))
    assert execution.status == "raised", execution
    assert execution.error.startswith(expected)


def test_a_flood_of_output_goes_nowhere() -> None:
    """50 MB on standard output and error neither block nor reach the answer."""
    body = """
        import sys
        for _ in range(50):
            print("y" * 10**6)
            print("y" * 10**6, file=sys.stderr)
    """
    assert run(program(body)).status == "ok"


FORGED = {
    "noise": "data = b'noise' * 99",
    "huge_size": "data = b'\\xff' * 4096",
    "whole_answer": """
        import json, struct
        header = dict(
            token="0" * 32, status="ok", names=["forged"], error="", line=None,
            seconds_per_call=0.0,
        )
        text = json.dumps(header).encode()
        data = struct.pack("<IQ", len(text), 8) + text + struct.pack("<d", 1e9)
    """,
}


@pytest.mark.parametrize("name", FORGED)
def test_an_answer_written_to_every_descriptor_is_not_believed(name: str) -> None:
    """Without the token of the job, bytes on the pipe are a crash, not an answer."""
    send = """
        import os
        for number in range(64):
            try: os.write(number, data)
            except OSError: pass
        os._exit(0)
    """
    source = "\n".join(
        ["def compute_reward(x):"]
        + [f"    {line.strip()}" if not line.startswith("            ") else line
           for line in FORGED[name].strip().splitlines()]
        + [line[4:] for line in send.strip("\n").splitlines()]
    )  # fmt: skip
    execution = run(source)
    assert execution.status == "crashed"
    assert "answer could not be read" in execution.error
    assert "forged" not in execution.names


def test_an_answer_over_the_limit_is_refused() -> None:
    """Three names for one row are 24 bytes; the limit of 16 lets two through."""
    source = "def compute_reward(x):\n    return {'a': x, 'b': x, 'c': x}"
    execution = run(source, output_bytes=16)
    assert execution.status == "invalid_output"
    assert execution.error == "24 bytes of components are over the limit of 16"


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + ")" * 5000,
        "x = " + "-" * 100_000 + "1",
        "x = a" + ".b" * 50_000,
        "def compute_reward(x:\n",
        "\0",
        "# coding: utf-7\n+AGkAbQBwAG8AcgB0-",
        "def compute_reward(x):\n    return {'a': '\ud800'}",
    ],
    ids=["parens", "unary", "dots", "syntax", "nul", "utf7", "surrogate"],
)
def test_a_text_that_no_parser_likes_is_data(source: str) -> None:
    """A text that does not compile, or that breaks the compiler, ends as data."""
    assert run(source).status in ("raised", "memory", "crashed")


def test_text_of_a_program_cannot_drive_the_terminal() -> None:
    """Control characters of a message are blanked, and it ends at 500 characters."""
    execution = run(program("raise ValueError('\\x1b[31m\\ud800' + 'y' * 10**6)"))
    assert execution.error.startswith("ValueError:  [31m yyy")
    assert len(execution.error) == 500
