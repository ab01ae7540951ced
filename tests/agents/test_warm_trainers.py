"""The warm server forks trainings that are those of a new program, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reward_synth.agents import TrialSpec, run_trial
from reward_synth.agents.failures import TrainingError
from reward_synth.agents.warm_trainers import ForkedTraining, Server
from reward_synth.benchmarks import forgers as hostile
from tests.agents.test_forgery import alive, until
from tests.agents.test_trial import spec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own."""
    started = Server()
    yield started
    started.end()


@pytest.mark.parametrize("arm", ["sparse", "dense"])
def test_a_forked_training_is_that_of_a_new_program(
    arm: Any, tmp_path: Path, server: Server
) -> None:
    """The same specification gives the same numbers and the same layers."""
    new = run_trial(spec(arm), str(tmp_path / "new"))
    forked = run_trial(spec(arm), str(tmp_path / "forked"), None, server.address)
    del new["seconds"], forked["seconds"]
    assert forked == new


def tells_variables(spec: TrialSpec, folder: Path, tell: Any) -> None:
    """Fail with what a training sees."""
    seen = [os.environ.get(name, "none") for name in ("MUJOCO_GL", "OPENAI_API_KEY")]
    raise ValueError(*seen, os.environ["TMPDIR"] == str(folder))


def test_variables_are_those_of_the_evaluator(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forked process sees the scrubbed variables of the process that asks, no others."""
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with pytest.raises(TrainingError, match=r"\('egl', 'none', True\)"):
        run_trial(spec(), str(tmp_path), tells_variables, server.address)


def test_who_does_not_know_the_token_gets_no_process(server: Server) -> None:
    """A wrong token ends the line, and the server goes on to serve others."""
    with tempfile.TemporaryFile() as printed:
        wrong = replace(server.address, token=b"x" * 32)
        refused = ForkedTraining(wrong, printed.fileno())
        assert refused.wait(60) == -signal.SIGKILL
        right = ForkedTraining(server.address, printed.fileno())
        assert right.stdin is not None
        right.stdin.close()  # a process without a job ends with an error
        assert right.wait(60) == 1
        printed.seek(0)
        assert b"EOFError" in printed.read()


def test_trainings_end_with_the_server(tmp_path: Path, server: Server) -> None:
    """A server that is killed leaves no process, and its trial is a failure told."""
    mark = tmp_path / "training" / "process"

    def kill_server() -> None:
        until(lambda: mark.exists() and mark.read_text() != "")
        server.end()

    killer = threading.Thread(target=kill_server)
    killer.start()
    with pytest.raises(TrainingError, match="signal 9"):
        run_trial(spec(), str(tmp_path), hostile.hangs, server.address)
    killer.join()
    until(lambda: not alive(int(mark.read_text())))


def test_a_server_that_is_gone_costs_time_alone(tmp_path: Path, server: Server) -> None:
    """Where nothing can be forked, a new program trains."""
    server.end()
    assert run_trial(spec(), str(tmp_path), None, server.address)["step"] == 120


def test_the_server_ends_with_its_owner(tmp_path: Path) -> None:
    """``kill -9`` of the process that trains leaves no server and no folder."""
    code = (
        "from reward_synth.agents.warm_trainers import SHARED\n"
        "print(SHARED.address().path, SHARED._server._process.pid, flush=True)\n"
        "import time; time.sleep(600)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    with owner:
        assert owner.stdout is not None
        path, process = owner.stdout.readline().split()
        assert alive(int(process))
        owner.kill()
    until(lambda: not alive(int(process)) and not os.path.exists(path))


def test_a_server_is_renewed_when_variables_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Libraries read variables when they are loaded, so what they read is current."""
    server = Server()
    try:
        assert server.serves()
        monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
        assert not server.serves()
    finally:
        server.end()
