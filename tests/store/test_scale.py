"""Many candidates: many requests in flight, and a run that goes on with all of them."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from reward_synth.benchmarks.loopback import read_log, serving
from reward_synth.benchmarks.resume_cost import measure
from reward_synth.llm import JournaledChat, OpenAIChat, RecordJournal, RetryPolicy
from reward_synth.search import LanguageModelProposer, Sampling
from reward_synth.store import RunStore
from reward_synth.task import Field, TaskSpec

pytest.importorskip("openai")
TASK = TaskSpec(
    "Car", "go right", (Field("position"), Field("velocity")), Field("action", (1,))
)
MANY = 64
FAULTS = 0.37
"""At most two in a row for one question: (p + p²) / (1 + p + p²) is a third of calls."""


def soon(seconds: float) -> None:
    """Pause, but no longer than a test can wait."""
    time.sleep(min(seconds, 0.02))


def asked(place: Path, seed: int) -> tuple[list[str], float, int]:
    """Ask for 64 programs at once; return them, the share of faults, the most at once."""
    place.mkdir()
    log = place / "log"
    with (
        serving(log, FAULTS, seed, pause=0.3) as url,
        RunStore.open(place / "run", {"seed": 0}) as store,
    ):
        policy = RetryPolicy(rng=np.random.default_rng(0), sleep=soon)
        client = OpenAIChat("tiny", url, policy=policy)
        chat = JournaledChat(client, RecordJournal(store.calls))
        asker = LanguageModelProposer(
            TASK, chat, Sampling("tiny", seed=0, parallel=MANY)
        )
        programs = asker.ask(MANY)
        client.close()
        kept = [item for _, item in store.calls.completions()]
    rows, _ = read_log(log)
    answered = Counter(item.question for item in rows if item.sent == "answer")
    assert [item["status"] for item in kept] == ["ok"] * MANY  # nothing was lost
    assert list(answered.values()) == [1] * MANY  # and nothing paid twice
    faults = sum(item.sent != "answer" for item in rows) / len(rows)
    return [x.source for x in programs], faults, max(x.beside for x in rows)


def test_a_third_of_64_calls_in_flight_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All 64 are in flight at once and about a third fails, other ones with another seed
    of the server: every program is there, in the order of its sample."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a")
    first, faults, beside = asked(tmp_path / "a", seed=1)
    again, others, _ = asked(tmp_path / "b", seed=2)
    assert beside > MANY // 2
    assert 0.2 < faults < 0.45
    assert faults != others
    assert first == again
    speeds = [f'"speed": {number + 1}.0 *' for number in range(MANY)]
    assert [speed in text for speed, text in zip(speeds, first, strict=True)] == (
        [True] * MANY
    )


def test_a_run_goes_on_with_all_that_it_holds() -> None:
    """The benchmark's small form: the process that goes on asks nothing that was answered
    and holds far less memory than 10,000 candidates may take."""
    found = measure(64, 16, 1)
    assert found["candidates"] == 48
    assert found["asked again"] == 0
    assert 0 < found["memory MB"] < 2000
    assert found["seconds from opening"] <= found["seconds"]
