"""Forked processes that run the command line, watched, killed, and cleared away."""

from __future__ import annotations

import hashlib
import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from reward_synth.benchmarks.journal_steps import Plan, Steps
from reward_synth.store.database import Database
from reward_synth.store.rows import to_json


def command(arguments: Sequence[str]) -> int:
    """Run the command line in this process, as ``python -m reward_synth`` does."""
    sys.argv = ["reward_synth", *arguments]
    try:
        runpy.run_module("reward_synth", run_name="__main__")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def work(place: Path, key: str, arguments: Sequence[str], plan: Plan | None) -> int:
    """Be the process that runs the command in ``place``; return its exit code."""
    os.setsid()
    os.chdir(place)
    os.environ["OPENAI_API_KEY"] = key
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    acknowledge(os.open("acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    steps = Steps(plan) if plan is not None else None
    if steps is not None:
        steps.install()
    code = command(arguments)
    sys.stdout.flush()
    if steps is not None:
        place.joinpath("steps").write_text(str(steps.count))
    return code


def acknowledge(file: int) -> None:
    """Write down each row that the store says it has kept."""
    add = Database.add

    def watched(
        self: Database, table: str, key: str, payload: object, part: str = ""
    ) -> bool:
        new = add(self, table, key, payload, part)
        os.write(file, f"{row_line(table, key, part, to_json(payload))}\n".encode())
        return new

    Database.add = watched  # type: ignore[method-assign]  # in this process only


def row_line(table: str, key: str, part: str, text: str) -> str:
    """Return what stands for a row in the list of acknowledged ones."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    return " ".join([table, key.encode().hex(), part.encode().hex(), digest])


def fork(work: Callable[[], int]) -> int:
    """Do ``work`` in a forked process and return its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def wait_for(child: int, kill_after: float | None, limit: float) -> int:
    """Return the exit code; the child is killed after some seconds if asked."""
    ends = time.monotonic() + (limit if kill_after is None else kill_after)
    while time.monotonic() < ends:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0005 if kill_after is not None else 0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def orphans(session: int, patience: float = 10.0) -> int:
    """Return how many processes of a session, or sandboxes, outlive its first one."""
    ends = time.monotonic() + patience
    while (left := _members(session)) and time.monotonic() < ends:
        time.sleep(0.01)
    for number in left:
        os.kill(number, signal.SIGKILL)
    return len(left)


def _members(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        ended = fields[0] in {"Z", "X"}
        if not ended and (int(fields[3]) == session or _serves(entry.parent, session)):
            found.append(int(entry.parent.name))
    return found


def _serves(entry: Path, parent: int) -> bool:
    """Return whether a process is a sandbox of ``parent``: it says so in its command."""
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"serve" in words and str(parent).encode() in words
