r"""How long a search of many candidates takes to go on, and how much memory it holds.

A run of so many candidates is made through the command line itself: every question is
asked and journalled, every program is parsed and recorded. Two parts alone are replaced,
because they would take days: a rule in this process answers in the place of a model, and
what an examination would find is made up. Then a new process is told to go on
(``generate --resume``) with a server on loopback for a model, which is killed when it has
asked its first question. Told are the seconds until then, from the start of the process
and from the moment that the run's file was opened, the most memory that it held, the size
of the run, and what was asked twice.

    python -m reward_synth.benchmarks.resume_cost --json benchmarks/results/resume_cost.json
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np

from reward_synth.benchmarks.crash_child import command
from reward_synth.benchmarks.loopback import question_digest, read_log, serving
from reward_synth.checks import Report
from reward_synth.llm import ChatRequest, Completion
from reward_synth.program import RewardProgram
from reward_synth.search import Outcome, Screen, Search
from reward_synth.store import RunStore
from reward_synth.store.run import FILE

ENV = "MountainCarContinuous-v0"
_PROGRAM = (sys.executable, "-m", "reward_synth")
_KEY = "sk-resume"
_LIMIT = 600.0
_MEGABYTE = 1e6
_SECONDS, _MEMORY = 5.0, 2000
"""Promised: until the first question, and MB."""
_SHAPES = {"rounds of 16": 16, "rounds of 1000": 1000}
"""Methods ask for few candidates often (REvolve: 16), or for many at once."""
_PROSE = "The car must gain speed before it can climb. " * 12
_TERMS = 8


def text_of(slot: int) -> str:
    """Return the answer of one sample: prose, and a program of ordinary length.

    Example:
        >>> len(text_of(3)) > 1000, text_of(3) == text_of(4)
        (True, False)
    """
    terms = "\n".join(
        f"    part_{n} = {slot + 1}.{n} * np.abs(velocity) + np.tanh(position - 0.{n})"
        for n in range(1, _TERMS)
    )
    whole = " + ".join(f"part_{n}" for n in range(1, _TERMS))
    return (
        f"{_PROSE}\n```python\nimport numpy as np\n\n\n"
        f"def compute_reward(position, velocity):\n{terms}\n"
        f'    return {{"place": position, "speed": {whole}}}\n```'
    )


class Rule:
    """A model in this process."""

    def complete(self, request: ChatRequest, /) -> Completion:
        """Answer at once."""
        return Completion(text_of(request.slot), "ok", "stop", 900, 400)

    def close(self) -> None:
        """Nothing is open."""


class Filling(Search):
    """A search whose examinations are made up."""

    def _judged(self, program: RewardProgram) -> Outcome:
        steps = sum(len(item) for item in self.examiner.rollouts)
        rng = np.random.default_rng(int(program.digest[:12], 16))
        order = np.floor(rng.random(steps) * steps)
        screen = Screen(rng.random(), rng.random(), rng.random(), 1.0, "made up", order)
        words = "Components on the stored rollouts:\n- place: mean 0.1\n- speed: mean 2"
        return Outcome(program, Report(program.digest, ()), screen, feedback=words)


class _EnoughError(Exception):
    """So many candidates are kept."""


def arguments(count: int, size: int, url: str) -> list[str]:
    """Return the command; its last round is never reached while the run is made."""
    return [
        *("generate", "--env", ENV, "--model", "tiny", "--base-url", url),
        *("--n", str(count), "--rounds", str(count // size)),
    ]


def fill(count: int, size: int, url: str) -> Path:
    """Make a run of all but the last round below the working folder.

    Raises:
        RuntimeError: It did not come so far.
    """
    made = count - size

    def stop(_: object, what: str, done: int, __: int) -> None:
        if (what, done) == ("checked", made):
            raise _EnoughError

    inside = "reward_synth.api"
    with (
        mock.patch(f"{inside}.generate.Search", Filling),
        mock.patch(f"{inside}.proposers._client", return_value=Rule()),
        mock.patch("reward_synth.cli.live.SearchState.progress", stop),
        mock.patch("os.fsync"),
        _relaxed(),
        _own_signals(),
        open(os.devnull, "w") as silent,
        redirect_stdout(silent),
        redirect_stderr(silent),
    ):
        command(arguments(count, size, url))
    (folder,) = Path("runs").iterdir()
    with RunStore.read(folder) as store:
        found = sum(1 for _ in store.programs)
    if found != made:
        raise RuntimeError(f"The run holds {found} candidates, not {made}.")
    return folder


@contextmanager
def _own_signals() -> Iterator[None]:
    """Give this process its handlers back, which the command line replaces."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    kept = [signal.getsignal(number) for number in numbers]
    given = sys.argv
    try:
        yield
    finally:
        sys.argv = given
        for number, handler in zip(numbers, kept, strict=True):
            signal.signal(number, handler)


@contextmanager
def _relaxed() -> Iterator[None]:
    """Let SQLite leave the disk alone while a run is made up: nothing is kept of it."""
    from reward_synth.store.database import Database

    create = Database.create.__func__  # type: ignore[attr-defined]  # a class method

    def quick(cls: type[Database], *given: Any) -> Database:
        database: Database = create(cls, *given)
        database._connection.execute("PRAGMA synchronous = OFF")
        return database

    with mock.patch.object(Database, "create", classmethod(quick)):
        yield


def resume(count: int, size: int, url: str, log: Path) -> dict[str, Any]:
    """Go on with the newest run until its first question; return what it took."""
    _, offset = read_log(log)
    said = log.with_name("said")
    began = time.time()
    child = subprocess.Popen(
        [*_PROGRAM, *arguments(count, size, url), "--resume"],
        env={**os.environ, "OPENAI_API_KEY": _KEY},
        stdout=subprocess.DEVNULL,
        stderr=said.open("wb"),
        start_new_session=True,
    )
    try:
        opened = asked = 0.0
        while not asked:
            if child.poll() is not None or time.time() - began > _LIMIT:
                raise RuntimeError(f"It asked nothing: {said.read_text()[-2000:]}")
            opened = opened or _opened(child.pid)
            asked = time.time() if read_log(log, offset)[0] else 0.0
            time.sleep(0.005)
        memory = _memory(child.pid)
        worked = _processor_seconds(child.pid)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return {
        "seconds": round(asked - began, 2),
        "seconds from opening": round(asked - (opened or began), 2),
        "processor seconds": round(worked, 2),
        "memory MB": round(memory),
    }


def _opened(pid: int) -> float:
    """Return the time if the process has the run's file open, else 0."""
    try:
        names = [os.readlink(item) for item in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return 0.0
    return time.time() if any(name.endswith(FILE) for name in names) else 0.0


def _processor_seconds(pid: int) -> float:
    """Return how long the process has kept processors busy."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Return the most memory that a process has held so far, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) * 1024 / _MEGABYTE


def measure(count: int, size: int, repeats: int) -> dict[str, Any]:
    """Make a run and go on with it some times; return the medians."""
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.environ["OPENAI_API_KEY"] = _KEY
        log = Path(place, "requests.jsonl")
        try:
            with serving(log) as url:
                began = time.monotonic()
                folder = fill(count, size, url)
                made = time.monotonic() - began
                answered = _answered(folder)
                # as a kill leaves it: the first to open it brings the journal in
                found = [resume(count, size, url, log) for _ in range(repeats)]
            asked = [item.question for item in read_log(log)[0]]
            files = [item for item in folder.rglob("*") if item.is_file()]
            size_of_run = sum(item.stat().st_size for item in files) / _MEGABYTE
        finally:
            os.chdir(home)
        return {
            "candidates": count - size,
            "seconds to make": round(made),
            "run MB": round(size_of_run),
            **{name: median(item[name] for item in found) for name in found[0]},
            "least seconds": min(item["seconds"] for item in found),
            "each": found,
            "asked again": sum(item in answered for item in asked),
        }


def _answered(folder: Path) -> set[str]:
    """Return the questions whose answers the run holds, as the server knows them."""
    with RunStore.read(folder) as store:
        return {
            question_digest(request["seed"], request["messages"])
            for _, request in store.calls.requests()
        }


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print, and exit with 1 where a promise is broken.

    Other work on the machine adds to the seconds, so the least of all repeats counts.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="Of candidates.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(given)
    count, repeats = (320, 1) if options.quick else (options.count, options.repeats)
    found = {}
    for name, size in _SHAPES.items():
        if 2 * size <= count:
            found[name] = measure(count, size, repeats)
            print(name, json.dumps(found[name]), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    slow = max(item["least seconds"] for item in found.values()) > _SECONDS
    if slow or max(item["memory MB"] for item in found.values()) > _MEMORY:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
