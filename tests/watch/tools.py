"""Folders of runs, and a visitor to the pages of them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reward_synth.agents.progress import EVALUATIONS, FAILED, PROGRESS
from reward_synth.report.data import (
    DesignData,
    FindingData,
    ProgramData,
    RunData,
    TaskData,
    TrialData,
)
from reward_synth.report.runs import write_plan
from reward_synth.store import RunStore
from reward_synth.store.rows import TrialRow
from reward_synth.watch.server import WatchServer
from reward_synth.watch.watched import Watched

SECONDS = 60
"""Longest wait for anything; far above what is needed."""
SOURCE = "def compute_reward(x):\n    return {'place': -abs(x)}\n"


def plan(title: str, trainings: int, programs: int = 1) -> RunData:
    """Return a plan of trainings ``t0``, ``t1`` … of two designs in turn."""
    designs = (DesignData("sparse", "sparse"), DesignData("hand", "program"))
    trials = tuple(
        TrialData(
            "Car-v0", designs[i % 2].name, "sac", i // 2, 200, "waiting", key=f"t{i}"
        )
        for i in range(trainings)
    )
    made = tuple(
        ProgramData(
            f"{i:012x}",
            SOURCE.replace("abs", "abs" * (i % 2) + f" {i} * abs"),
            "Car-v0",
            "" if i else "hand",
            findings=(FindingData("note", "Pays little.", 2),),
            scores={"screen": i / max(programs, 1)},
            parents=(f"{i - 1:012x}",) if i else (),
            chosen=i == 0,
        )
        for i in range(programs)
    )
    return RunData(
        title,
        "",
        "reward_synth bench mine",
        0.0,
        "running",
        (TaskData("Car-v0", steps=200),),
        designs,
        trials,
        made,
    )


def begin(
    folder: Path, trainings: int = 4, at: float = 1e9, programs: int = 1
) -> RunStore:
    """Make a run of this process, which goes on until its store is closed."""
    store = RunStore.open(folder, {}, clock=lambda: at)
    write_plan(folder, plan(f"Run {folder.name}", trainings, programs))
    return store


def point(step: int, success: float) -> dict[str, object]:
    return {
        "step": step,
        "success_any": success,
        "success_last": success,
        "env_return": -1.0,
        "length": 9.0,
        "components": {"place": 2.0 * success},
    }


def end(store: RunStore, key: str, success: float) -> None:
    """Record the end of a training."""
    curve = [point(100, success / 2), point(200, success)]
    result = {**curve[-1], "curve": curve, "selection": point(0, 0.5), "seconds": 2.5}
    store.record_trial(TrialRow(key, "sparse", 0, {}, "ok", result))


def go_on(folder: Path, key: str, success: float) -> None:
    """Write what a running training writes."""
    own = folder / "trials" / key
    own.mkdir(parents=True, exist_ok=True)
    (own / PROGRESS).write_text('{"steps": 100, "total": 200, "seconds": 1.5}')
    line = (
        f'{{"step": 100, "success_any": {success}, "success_last": 0, "env_return": 0}}'
    )
    (own / EVALUATIONS).write_text(f"{line}\n{line[:20]}")


def fail(folder: Path, key: str) -> None:
    """Write what a training leaves that crashed."""
    own = folder / "trials" / key
    own.mkdir(parents=True, exist_ok=True)
    (own / FAILED).write_text('{"status": "crashed", "error": "gone"}')


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Visitor:
    """Asks a server; remembers its cookie once it has come in with the token."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.port is not None
        self.port = parts.port
        self.place = parts.netloc
        self.path = parts.path
        self.token = parts.query.removeprefix("token=")
        self.cookie = ""

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        try:
            connection.request(method, path, headers={**cookie, **named})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def come_in(self) -> Visitor:
        answer = self.ask(f"{self.path}?token={self.token}")
        assert answer.status == 303, answer
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return self


@contextmanager
def serving(*runs: Path, root: Path = Path("missing"), port: int = 0) -> Iterator[str]:
    """Serve runs in a thread while the block runs; gives the address."""
    server = WatchServer(Watched(runs, root), port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()
