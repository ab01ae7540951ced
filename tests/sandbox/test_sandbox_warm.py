"""The warm server: clean, one a process, replaced when it dies, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from reward_synth.errors import NotAvailableError
from reward_synth.sandbox import Job, Limits, ProcessSandbox, choose, process, warm
from reward_synth.sandbox.child import Worker
from reward_synth.sandbox.cold import ColdWorker
from reward_synth.sandbox.lockdown import LAYERS
from reward_synth.sandbox.tier import STOPS
from tests.sandbox.conftest import servers_of, workers_of

ROOT = str(Path(__file__).resolve().parents[2])
JOB = Job(
    "def compute_reward(x):\n    return {'a': 2.0 * x}",
    "compute_reward",
    ("x",),
    {"x": np.array([1.0, 3.0])},
)
pytestmark = pytest.mark.skipif(not warm.available(), reason="needs Linux")


def test_all_jobs_of_a_process_share_one_server() -> None:
    """The server that served one job serves the next."""
    ProcessSandbox().run(JOB)
    first = warm.SHARED.pid()
    assert ProcessSandbox().run(JOB).ok
    assert [first] == servers_of(os.getpid())


def test_a_server_that_died_is_replaced() -> None:
    """A killed server costs the next job a start, not an error."""
    ProcessSandbox().run(JOB)
    first = warm.SHARED.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert ProcessSandbox().run(JOB).values.tolist() == [[2.0], [6.0]]
    assert warm.SHARED.pid() != first


def test_a_worker_dies_with_its_server() -> None:
    """A worker whose server is killed is killed by the kernel."""
    worker = process.start(Limits())
    process.layers_of(worker)
    server = warm.SHARED.pid()
    assert server is not None
    (pid,) = workers_of(os.getpid())
    os.kill(server, signal.SIGKILL)
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    worker.__exit__(None, None, None)
    warm.SHARED.end()
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_of_the_caller_is_in_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither its environment nor its memory holds a secret of this process."""
    secret = "-".join(["CANARY", "4417"])
    monkeypatch.setenv("API_KEY_OF_A_TEST", secret)
    kept = [secret.encode() * 3]
    warm.SHARED.end()
    ProcessSandbox().run(JOB)
    folder = Path(f"/proc/{warm.SHARED.pid()}")
    assert b"API_KEY_OF_A_TEST" not in (folder / "environ").read_bytes()
    assert not _in_memory(folder, kept[0])
    assert _in_memory(Path("/proc/self"), kept[0])  # the look finds what is there


def _in_memory(folder: Path, needle: bytes) -> bool:
    with open(folder / "mem", "rb", 0) as memory:
        for line in (folder / "maps").read_text().splitlines():
            place, rights, *rest = line.split()
            if not rights.startswith("rw") or rest[-1] in ("[vvar]", "[vsyscall]"):
                continue
            low, high = (int(number, 16) for number in place.split("-"))
            try:
                memory.seek(low)
                if needle in memory.read(high - low):
                    return True
            except (OSError, OverflowError, ValueError):
                continue
    return False


def test_a_forked_caller_has_a_server_of_its_own() -> None:
    """Two processes that talked to one server would read each other's answers."""
    ProcessSandbox().run(JOB)
    first = warm.SHARED.pid()
    child = os.fork()
    if child == 0:
        good = ProcessSandbox().run(JOB).ok and warm.SHARED.pid() != first
        warm.SHARED.end()
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ProcessSandbox().run(JOB).ok
    assert warm.SHARED.pid() == first


@pytest.mark.parametrize("how", [None, signal.SIGKILL], ids=["exit", "kill"])
def test_the_server_ends_with_its_process(how: signal.Signals | None) -> None:
    """However the caller ends, nothing of it is left."""
    code = (
        "from tests.sandbox.test_sandbox_warm import JOB\n"
        "from reward_synth.sandbox import ProcessSandbox, warm\n"
        "import time\n"
        "ProcessSandbox().run(JOB)\n"
        "print(warm.SHARED.pid(), flush=True)\n" + ("time.sleep(60)" if how else "")
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ROOT, "PATH": os.defpath},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert caller.stdout is not None
    server = int(caller.stdout.readline())
    if how:
        caller.send_signal(how)
    caller.wait(20)
    caller.stdout.close()
    end = time.monotonic() + 10
    while _alive(server) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _alive(server)


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


ORPHAN = """
import os, time
from reward_synth.sandbox import forking, lockdown
lockdown.prctl(lockdown.SUBREAPER, 1)
child = os.fork()
if child == 0:
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    os._exit(7)
time.sleep(0.2)
loop = forking.Loop(None, 0, "")
loop.workers.add(child)
print(loop.reap(child), forking.children())
"""


def test_what_a_worker_leaves_behind_is_ended() -> None:
    """A grandchild in a session of its own becomes the server's, which kills it."""
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN],
        env={"PYTHONPATH": ROOT, "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split("\n")[0] == "7 set()"


def test_a_cold_worker_does_the_same() -> None:
    """Where there is no server, a new interpreter serves the job."""
    with Worker(ColdWorker(Limits())) as worker:
        layers = process.layers_of(worker)
    assert layers["seccomp"] == "live" or layers["seccomp"]
    assert "warm server" in layers["namespaces"]


def test_every_layer_says_what_it_stops() -> None:
    """The table of the doctor has a line for each layer."""
    assert {"process", *LAYERS, "namespaces"} == set(STOPS)


def test_strict_is_the_choice_where_all_is_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody must ask for the whole lock; where it cannot hold, that is said."""
    from reward_synth.sandbox import tier

    whole = {"process": "live", "seccomp": "live", "namespaces": "refused"}
    monkeypatch.setattr(tier, "live_layers", lambda: whole)
    assert (choose().mode, choose().remark) == ("strict", "")
    lacking = {**whole, "seccomp": "the kernel refused"}
    monkeypatch.setattr(tier, "live_layers", lambda: lacking)
    assert choose().mode == "reduced"
    assert "seccomp (the kernel refused)" in choose().remark
    assert choose("reduced").mode == "reduced"
    with pytest.raises(NotAvailableError, match="strict cannot hold here: seccomp"):
        choose("strict")


def test_the_environment_of_a_worker_holds_only_what_is_listed() -> None:
    """A variable that slipped in would be named in the layer's state."""
    from reward_synth.sandbox import lockdown

    os.environ["SLIPPED_IN"] = "1"
    try:
        assert "SLIPPED_IN" in lockdown._scrubbed()
    finally:
        del os.environ["SLIPPED_IN"]


def test_an_open_descriptor_is_named() -> None:
    """Anything open beside the pipes is a way out, and is told."""
    from reward_synth.sandbox import lockdown

    descriptor = os.open("/", os.O_RDONLY)
    try:
        assert str(descriptor) in lockdown._only((0, 1))
    finally:
        os.close(descriptor)
