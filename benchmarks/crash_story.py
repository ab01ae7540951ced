"""Runs a search in a forked process that is killed or fails, and judges what is left.

The forking process has everything imported, so that a search takes a second and not
six. It must have one thread only, and no worker: each search starts its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reward_synth.benchmarks.crash_child import (
    command,
    fork,
    orphans,
    row_line,
    wait_for,
    work,
)
from reward_synth.benchmarks.journal_steps import Plan
from reward_synth.benchmarks.loopback import Asked, question_digest, read_log
from reward_synth.errors import RewardSynthError
from reward_synth.store import RunStore, inspect_run
from reward_synth.store.database import Database
from reward_synth.store.rows import to_json
from reward_synth.store.run import FILE, is_begun

RUN = "run"
_CHANGING = frozenset({"seconds", "steps_per_second"})
"""Measured with a clock: no two runs have the same."""
_LIMIT = 900.0
"""Seconds after which a search hangs."""


@dataclass(frozen=True, slots=True)
class Search:
    """The command that is broken and gone on with."""

    url: str
    env: str = "MountainCarContinuous-v0"
    candidates: int | None = 2
    """None: as many as the method says."""
    rounds: int = 2
    more: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Return what follows the program's name."""
        fixed = ["generate", "--env", self.env, "--model", "tiny"]
        sizes = [] if self.candidates is None else ["--n", str(self.candidates)]
        sizes += ["--rounds", str(self.rounds)] if sizes else []
        place = ["--base-url", self.url, "--run", RUN, "--json"]
        return [*fixed, *sizes, *place, *self.more]


@dataclass(frozen=True, slots=True)
class Ended:
    """How one process ended."""

    code: int
    """Exit code; -9: killed."""
    seconds: float
    out: str
    err: str
    steps: int = 0
    """How many steps it made, if they were counted."""


def warm_up(url: str) -> None:
    """Make one search in this process, so that all it imports is there for forks."""
    home = os.getcwd()
    os.environ["OPENAI_API_KEY"] = "sk-warm-up"
    with tempfile.TemporaryDirectory() as place, open(os.devnull, "w") as silent:
        os.chdir(place)
        with redirect_stdout(silent), redirect_stderr(silent):
            code = command(Search(url).arguments())
        os.chdir(home)
    threads = len(os.listdir("/proc/self/task"))
    if code or threads != 1:
        raise RuntimeError(
            f"The first search ended with {code} and left {threads} threads, which a "
            "fork would lose. Set OPENBLAS_NUM_THREADS=1 and OMP_NUM_THREADS=1."
        )


@dataclass(slots=True)
class Story:
    """One run's folder and all that happens to it."""

    place: Path
    search: Search
    log: Path
    """Of the model server."""
    key: str
    """The API key, by which the server knows this story."""
    offset: int = 0
    settled: set[str] = field(default_factory=set)
    """Questions whose answers the journal held when it was last looked at."""
    wrong: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    kills: int = 0
    orphans: int = 0

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.place / RUN

    def go(
        self,
        kill_after: float | None = None,
        plan: Plan | None = None,
        limit: float = _LIMIT,
    ) -> Ended:
        """Run the command once, then judge what it left."""
        child = fork(lambda: work(self.place, self.key, self.search.arguments(), plan))
        began = time.monotonic()
        code = wait_for(child, kill_after, limit)
        seconds = time.monotonic() - began
        self.kills += code == -signal.SIGKILL
        self.orphans += orphans(child)
        self._judge()
        out, err = self._text("out"), self._text("err")
        if "Traceback" in err:
            self.wrong.append(f"traceback: {err[-400:]}")
        return Ended(code, seconds, out, err, _number(self._text("steps")))

    def finish(self) -> Ended:
        """Go on until the run ends by itself."""
        ended = self.go()
        if ended.code != 0:
            self.wrong.append(
                f"the run could not go on: {ended.code} {ended.err[-300:]}"
            )
        return ended

    def outcome(self, ended: Ended) -> str:
        """Return all that a user gets: table, reward and report, without seconds."""
        try:
            table = _still(json.loads(ended.out or "{}"))
            files = [(self.folder / name).read_text() for name in _RESULTS]
        except (OSError, ValueError) as cause:
            return f"no result: {cause}"
        rows = contents(self.folder)
        return "\n".join(
            [json.dumps(table, indent=1), *map(_without_seconds, files), *rows]
        )

    def paid_twice(self) -> int:
        """Return how often a question was asked whose answer was in the journal."""
        return sum(item == "paid twice" for item in self.wrong)

    def in_flight(self) -> int:
        """Return answers that were sent and not kept: a kill came in between."""
        answered = [item.question for item in self.asked if item.sent == "answer"]
        return len(answered) - len(set(answered))

    def _judge(self) -> None:
        rows, self.offset = read_log(self.log, self.offset)
        mine = [item for item in rows if item.who == self.key]
        self.asked += mine
        twice = [item for item in mine if item.question in self.settled]
        self.wrong += ["paid twice"] * len(twice)
        if not (self.folder / FILE).exists():
            return
        with tempfile.TemporaryDirectory() as copy:
            seen = Path(copy, RUN)
            shutil.copytree(self.folder, seen)
            try:
                self._judge_copy(seen)
            except RewardSynthError as cause:
                self.wrong.append(f"corrupt: {cause}")

    def _judge_copy(self, seen: Path) -> None:
        found = inspect_run(seen, [self.key])
        self.wrong += [
            f"corrupt: {item.text}"
            for item in found.troubles
            if item.kind != "leftover"
        ]
        kept = _kept(seen)
        lost = [line for line in self._text("acks").splitlines() if line not in kept]
        self.wrong += [f"acknowledged and lost: {line}" for line in lost]
        self.settled |= _settled(seen)

    def _text(self, name: str) -> str:
        path = self.place / name
        return path.read_text(errors="replace") if path.exists() else ""


def contents(folder: Path) -> list[str]:
    """Return every row of a run's store without times, sorted.

    Requests of a round are sent at once, so the order of rows is not a run's own; what
    tells of the command and the machine is left out.
    """
    database = Database.read(folder / FILE)
    try:
        return sorted(
            f"{table} {row.key} {row.part} {to_json(_still(row.payload))}"
            for table in _tables(database)
            if table != "meta"
            for row in database.rows(table)
            if (table, row.key) not in _OF_THE_START
        )
    finally:
        database.close()


_OF_THE_START = {("events", kind) for kind in ("command", "versions", "machine")}
_RESULTS = ("reward.py", "report.md")


def _kept(folder: Path) -> set[str]:
    database = Database.read(folder / FILE)
    try:
        return {
            row_line(table, row.key, row.part, to_json(row.payload))
            for table in _tables(database)
            for row in database.rows(table)
        }
    finally:
        database.close()


def _tables(database: Database) -> list[str]:
    from reward_synth.store.schema import TABLES

    return [table for table in TABLES if database.has(table)]


def _settled(folder: Path) -> set[str]:
    database = Database.read(folder / FILE)
    begun = is_begun(database)
    database.close()
    if not begun:
        return set()
    with RunStore.read(folder) as store:
        return {
            question_digest(request["seed"], request["messages"])
            for digest, request in store.calls.requests()
            if (found := store.calls.find(digest)) and found["status"] == "ok"
        }


def _without_seconds(text: str) -> str:
    """Drop the last column of the report's table of trainings."""
    return re.sub(
        r"^(\| (?:sparse|dense|expert) .*\|) \d+ \|$", r"\1", text, flags=re.M
    )


def _still(value: Any) -> Any:
    """Drop what a clock measured."""
    if isinstance(value, dict):
        return {k: _still(v) for k, v in value.items() if k not in _CHANGING}
    return [_still(item) for item in value] if isinstance(value, list) else value


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def summary(stories: Sequence[Story]) -> dict[str, int]:
    """Return how many things of each kind went wrong."""
    wrong = [text for story in stories for text in story.wrong]
    kinds = ("corrupt", "acknowledged and lost", "paid twice", "traceback")
    counts = {kind: sum(text.startswith(kind) for text in wrong) for kind in kinds}
    return counts | {
        "other": len(wrong) - sum(counts.values()),
        "processes left": sum(story.orphans for story in stories),
        "answers in flight at a kill": sum(story.in_flight() for story in stories),
    }
