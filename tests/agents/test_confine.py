"""Confinement of trainings: what the filter of system calls, the rules and the variables
allow. That they hold in a process is shown in ``test_forgery.py``."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.agents.failures import ConfinementError
from reward_synth.agents.surroundings import allowance, scrubbed
from reward_synth.agents.trainer import _require_all
from reward_synth.envs import resolve
from reward_synth.sandbox import seccomp
from reward_synth.sandbox.confine import outermost
from reward_synth.sandbox.confine_calls import allowed, build
from reward_synth.sandbox.confine_files import rights

X86, ARM = 0xC000003E, 0xC00000B7
ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
REFUSED = {  # from the kernel's tables of system calls
    "x86_64": {
        "socket": 41, "connect": 42, "bind": 49, "sendmsg": 46, "fork": 57, "vfork": 58,
        "execve": 59, "kill": 62, "link": 86, "symlink": 88, "chmod": 90, "chown": 92,
        "ptrace": 101, "setuid": 105, "mknod": 133, "mount": 165, "setxattr": 188,
        "tkill": 200, "sched_setaffinity": 203, "tgkill": 234, "unshare": 272,
        "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "bpf": 321,
        "execveat": 322, "userfaultfd": 323, "io_uring_setup": 425, "pidfd_open": 434,
        "mkfifo": 133, "symlinkat": 266, "fchmodat": 268, "linkat": 265,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "execve": 221, "kill": 129, "tgkill": 131,
        "ptrace": 117, "mount": 40, "mknodat": 33, "symlinkat": 36, "linkat": 37,
        "fchmodat": 53, "fchownat": 54, "setxattr": 5, "bpf": 280, "execveat": 281,
        "io_uring_setup": 425, "process_vm_readv": 270, "unshare": 97,
    },
}  # fmt: skip
CLONE = {"x86_64": 56, "aarch64": 220}
PRCTL = {"x86_64": 157, "aarch64": 167}


def verdict(code: bytes, arch: int, number: int, argument: int = 0) -> int:
    """Run a filter as the kernel does: classic BPF over ``struct seccomp_data``."""
    data = struct.pack("=IIQ6Q", number, arch, 0, argument, 0, 0, 0, 0, 0)
    place = value = 0
    while True:
        kind, yes, no, operand = struct.unpack_from("=HBBI", code, 8 * place)
        place += 1
        if kind == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif kind == 0x06:
            return int(operand)
        else:
            true = value == operand if kind == 0x15 else bool(value & operand)
            place += yes if true else no


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", X86), ("aarch64", ARM)])
def test_only_what_learning_needs_is_called(machine: str, arch: int) -> None:
    """Every listed call passes; no network, programs, signals, links, modes or spying."""
    code = build(machine)
    for number in allowed(machine).values():
        assert verdict(code, arch, number) == ALLOW
    for name, number in REFUSED[machine].items():
        assert verdict(code, arch, number) == EPERM, name
    for number in range(425, 1000):  # what is new is refused, too
        if number not in allowed(machine).values() and number != 435:
            assert verdict(code, arch, number) == EPERM
    assert verdict(code, arch, 435) == ENOSYS
    assert verdict(code, 0x40000003, 1) == KILL  # 32 bit


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", X86), ("aarch64", ARM)])
def test_arguments_decide_three_calls(machine: str, arch: int) -> None:
    """Threads but no processes, names but no privileges, own limits but no others'."""
    code = build(machine)
    thread, process = 0x3D0F00, 0x1200011  # what glibc passes for each
    assert verdict(code, arch, CLONE[machine], thread) == ALLOW
    assert verdict(code, arch, CLONE[machine], process) == EPERM
    assert verdict(code, arch, PRCTL[machine], 15) == ALLOW
    for option in (1, 4, 22, 24, 36, 38):
        assert verdict(code, arch, PRCTL[machine], option) == EPERM
    prlimit = {"x86_64": 302, "aarch64": 261}[machine]
    assert verdict(code, arch, prlimit, 0) == ALLOW
    assert verdict(code, arch, prlimit, 1234) == EPERM


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_tables_agree_with_the_workers(machine: str) -> None:
    """A call that both lists name has one number."""
    worker = seccomp._MACHINES[machine].calls
    mine = allowed(machine)
    shared = worker.keys() & mine.keys()
    assert len(shared) > 10
    assert {name: mine[name] for name in shared} == {n: worker[n] for n in shared}
    assert len(set(mine.values())) == len(mine)


@pytest.mark.parametrize("version", range(1, 9))
def test_rules_ask_for_no_right_that_a_kernel_lacks(version: int) -> None:
    """Landlock refuses a rule with a bit that its version does not know."""
    known = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    write, read, device = rights(version)
    assert (write | read | device) & ~known == 0
    links, sockets, pipes, nodes = 1 << 12, 1 << 9, 1 << 10, (1 << 6) | (1 << 11)
    assert (write | device) & (links | sockets | pipes | nodes) == 0


NAMES = st.text("abAB", min_size=1, max_size=2)


@given(st.lists(st.lists(NAMES, max_size=4)))
def test_outermost_paths_cover_all_and_no_other(parts: list[list[str]]) -> None:
    """Each path lies in exactly one that is kept, and each kept one was given."""
    paths = [Path("/").joinpath(*item) for item in parts]
    kept = outermost(paths)
    assert set(kept) <= set(paths)
    for path in paths:
        assert sum(path.is_relative_to(other) for other in kept) == 1


def test_secrets_do_not_reach_a_training(tmp_path: Path) -> None:
    """Unknown variables stay here, and known ones that look like a secret; the user may
    name further ones."""
    given_ = {
        "PATH": "/bin",
        "MUJOCO_GL": "egl",
        "OPENAI_API_KEY": "x",
        "PYTHON_KEYRING_SECRET": "x",
        "AWS_SESSION_TOKEN": "x",
        "MY_ROBOT": "x",
        "HTTP_PROXY": "http://user:pass@host",
    }
    kept = scrubbed(given_, tmp_path)
    assert set(kept) & set(given_) == {"PATH", "MUJOCO_GL"}
    assert kept["TMPDIR"] == str(tmp_path)
    asked = scrubbed({**given_, "REWARD_SYNTH_PASS_ENV": "MY_ROBOT, NONE"}, tmp_path)
    assert set(asked) & set(given_) == {"PATH", "MUJOCO_GL", "MY_ROBOT"}


def test_what_an_environment_needs_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One folder to write; files that the settings name are read; a home on Python's
    path is told."""
    model = tmp_path / "robot.xml"
    model.touch()
    ref = resolve("CartPole-v1", {"xml_file": str(model)})
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    found = allowance(ref, tmp_path / "own")
    assert found.paths.write == (tmp_path / "own",)
    assert any(model.is_relative_to(path) for path in found.paths.read)
    assert not any(home.is_relative_to(path) for path in found.paths.read)
    assert found.opened == {}
    monkeypatch.syspath_prepend(str(home))
    assert "can be read" in allowance(ref, tmp_path / "own").opened["landlock_files"]


def test_strict_trials_need_every_layer() -> None:
    """The missing layers are named, with why and what to do."""
    _require_all({"seccomp": "live"})
    with pytest.raises(ConfinementError, match=r"seccomp \(no list\).*'reduced'"):
        _require_all({"rlimits": "live", "seccomp": "no list"})
