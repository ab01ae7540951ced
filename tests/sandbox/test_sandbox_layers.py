"""The layers: what is live, what each one holds alone, and what ends a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.sandbox import Job, Limits, ProcessSandbox, live_layers, process, warm
from reward_synth.sandbox.lockdown import LAYERS, OPTIONAL_LAYERS
from reward_synth.sandbox.seccomp import build
from tests.sandbox.conftest import workers_of

ROOT = str(Path(__file__).resolve().parents[2])
JOB = Job(
    "def compute_reward(x):\n    return {'a': 2.0 * x}",
    "compute_reward",
    ("x",),
    {"x": np.array([1.0, 3.0])},
)
HANG = Job(
    "def compute_reward(x):\n    while True: pass",
    "compute_reward",
    ("x",),
    {"x": np.array([1.0])},
)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def needs(*layers: str) -> pytest.MarkDecorator:
    """Skip a test where the kernel lacks a layer, and say which."""
    missing = {name: live_layers()[name] for name in layers}
    return pytest.mark.skipif(set(missing.values()) != {"live"}, reason=str(missing))


def test_every_layer_is_named_with_its_state() -> None:
    """A layer is ``live`` or has a reason; none is left out."""
    assert set(live_layers()) == {"process", *LAYERS, *OPTIONAL_LAYERS}
    assert all(live_layers().values())


def test_an_execution_names_the_live_layers() -> None:
    """A reader of a result can tell under which protections it came to be."""
    live = tuple(name for name, state in live_layers().items() if state == "live")
    assert ProcessSandbox().run(JOB).layers == live


def test_strict_refuses_where_a_layer_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``strict`` names what is missing and why; ``reduced`` goes on without."""
    layers = {"process": "live", "seccomp": "the kernel refused"}
    monkeypatch.setattr(process, "layers_of", lambda worker: layers)
    with pytest.raises(NotAvailableError, match=r"lacks seccomp \(the kernel refused"):
        ProcessSandbox(mode="strict").run(JOB)


def test_a_mode_that_does_not_exist_is_misuse() -> None:
    """A misspelt mode must not silently be the weaker one."""
    with pytest.raises(UsageError, match="'Strict'"):
        ProcessSandbox(mode="Strict")  # type: ignore[arg-type]


def test_a_worker_that_cannot_start_is_not_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broken interpreter is the host's fault, and says what it wrote."""
    monkeypatch.setattr(warm, "SHARED", warm.Shared())
    monkeypatch.setattr(sys, "executable", "/bin/ls")
    with pytest.raises(NotAvailableError, match="did not start"):
        ProcessSandbox().run(JOB)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(NotAvailableError, match="cannot start /no/such/python"):
        ProcessSandbox().run(JOB)


# Each attempt returns without an exception where the layer is not on.
ATTEMPTS = """
import ctypes, os, socket, subprocess, sys
from reward_synth.sandbox import landlock, lockdown, seccomp
libc = ctypes.CDLL(None, use_errno=True)
listener = socket.create_server(("127.0.0.1", 0))
attempts = {
    "read": lambda: open("/etc/passwd").read(),
    "write": lambda: open(sys.argv[2], "w"),
    "list": lambda: os.listdir("/"),
    "connect": lambda: socket.create_connection(listener.getsockname()),
    "bind": lambda: socket.create_server(("127.0.0.1", 0)),
    "udp": lambda: socket.socket(type=socket.SOCK_DGRAM),
    "stat": lambda: os.stat("/etc/passwd"),
    "spawn": lambda: subprocess.run(["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
    "setuid": lambda: os.setuid(os.getuid()),
    "raise_nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
}
assert lockdown._prctl(libc, 38, 1) == "live"
on = {
    "nothing": lambda: None,
    "landlock": lambda: landlock.deny_everything(libc),
    "seccomp": lambda: seccomp.install(libc),
    "capabilities": lambda: lockdown._drop_capabilities(libc),
}
on[sys.argv[1]]()
for name, attempt in attempts.items():
    try:
        attempt()
    except OSError:
        os.write(1, name.encode() + b" ")
os._exit(0)
"""


def refused_under(layer: str, folder: Path) -> set[str]:
    """Return which attempts fail in a process with one layer only."""
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, layer, str(folder / "target")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ROOT, "PATH": "/usr/bin:/bin"},
        check=True,
        timeout=30,
    )
    return set(done.stdout.split())


@on_linux
def test_nothing_is_refused_without_a_layer(tmp_path: Path) -> None:
    """The attempts below fail for the layer's sake, not for another reason."""
    allowed = {"raise_nice"} if os.geteuid() else set()
    assert refused_under("nothing", tmp_path) <= allowed


@needs("landlock_files", "landlock_network", "landlock_scope")
def test_landlock_alone_holds_files_tcp_and_signals(tmp_path: Path) -> None:
    """Landlock refuses files, TCP, and signals to processes outside; not ``stat``."""
    refused = refused_under("landlock", tmp_path)
    assert {"read", "write", "list", "connect", "bind", "spawn", "signal"} <= refused
    assert "stat" not in refused


@needs("seccomp")
def test_seccomp_alone_holds_everything(tmp_path: Path) -> None:
    """The list of system calls alone refuses every attempt."""
    everything = {
        "read", "write", "list", "connect", "bind", "udp", "stat", "spawn",
        "signal", "setuid", "raise_nice",
    }  # fmt: skip
    assert refused_under("seccomp", tmp_path) == everything


@on_linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to lose")
def test_root_without_capabilities_loses_roots_rights(tmp_path: Path) -> None:
    """Raising a priority needs CAP_SYS_NICE, which is gone; files stay in reach."""
    assert refused_under("capabilities", tmp_path) == {"raise_nice"}


def test_the_filter_starts_with_the_architecture() -> None:
    """Call numbers mean other calls elsewhere: another architecture is killed."""
    for machine, arch in (("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)):
        words = np.frombuffer(build(machine), dtype="<u8")
        values, codes = words >> np.uint64(32), words & np.uint64(0xFFFF)
        assert (codes[0], values[0]) == (0x20, 4)
        assert (codes[1], values[1]) == (0x15, arch)
        assert (codes[2], values[2]) == (0x06, 0x80000000)
        assert values[-1] == 0x00050001  # the default: EPERM
    with pytest.raises(KeyError):
        build("riscv64")


def test_runs_at_once_do_not_mix() -> None:
    """Eight jobs in four threads each get their own answer."""

    def double(i: int) -> list[list[float]]:
        inputs = {"x": np.array([float(i)])}
        job = Job(JOB.source, JOB.function, JOB.arguments, inputs)
        values: list[list[float]] = ProcessSandbox().run(job).values.tolist()
        return values

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(double, range(8))) == [[[2.0 * i]] for i in range(8)]


def test_a_hang_does_not_hold_up_another_run() -> None:
    """While one program runs to its wall limit, another is done."""
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(ProcessSandbox(Limits(seconds=2.0)).run, HANG)
        assert ProcessSandbox().run(JOB).ok
        assert not hanging.done()
        assert hanging.result().status == "timeout"


@needs("parent_death")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
def test_a_worker_dies_with_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    """A caller that is killed or interrupted in a run leaves no worker and no folder."""
    code = (
        "from tests.sandbox.test_sandbox_layers import HANG\n"
        "from reward_synth.sandbox import Limits, ProcessSandbox\n"
        "ProcessSandbox(Limits(seconds=60.0)).run(HANG)"
    )
    environment = {"PYTHONPATH": ROOT, "TMPDIR": str(tmp_path)}
    caller = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL
    )
    worker = _wait_for_locked_worker(caller.pid)
    os.kill(caller.pid, how)
    caller.wait(10)
    end = time.monotonic() + 5
    while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not Path(f"/proc/{worker}").exists()
    assert list(tmp_path.glob("reward-sandbox-*")) == []


def _wait_for_locked_worker(parent: int) -> int:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for worker in workers_of(parent):
            status = Path(f"/proc/{worker}/status").read_text()
            if "Seccomp:\t2" in status:
                return worker
        time.sleep(0.01)
    raise AssertionError("no worker came up")
