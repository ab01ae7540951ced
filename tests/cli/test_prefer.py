"""``generate --prefer``: people compare agents, and the one they like is the result."""

from __future__ import annotations

import io
import re
import threading
import time
from pathlib import Path

import pytest

from reward_synth.store import RunStore
from tests.cli.test_methods import SHORT, answering
from tests.cli.tools import CAR, Cli
from tests.llm.server import FaultServer

pytest.importorskip("torch")


def command(url: str, *more: object) -> tuple[object, ...]:
    return (
        *("generate", "--env", CAR, "--n", 2, "--rounds", 1, "--run", "mine"),
        *("--model", "tiny", "--base-url", url, *SHORT, *more),
    )


def test_the_agent_that_people_like_is_the_result(cli: Cli, place: Path) -> None:
    """Two agents, one question, answered in a file: the one that was liked is the run's
    program, though neither succeeded; the answer is kept, and nobody is asked again."""
    desk, done = place / "desk", threading.Event()

    def person() -> None:
        while not done.is_set():
            for prompt in desk.glob("*.prompt.md"):
                reply = Path(str(prompt).replace(".prompt.", ".answer."))
                if not reply.exists():
                    reply.write_text("B\n")
            time.sleep(0.05)

    helper = threading.Thread(target=person)
    helper.start()
    try:
        with FaultServer(answering()) as server:
            made = cli.json(*command(server.url, "--prefer", "manual:desk"))
            prompts = [item.read_text() for item in desk.glob("*.prompt.md")]
            for file in desk.iterdir():
                file.unlink()
            done.set()
            again = cli.json(*command(server.url, "--prefer", "manual:desk"))
    finally:
        done.set()
        helper.join()
    (prompt,) = prompts
    assert "## A" in prompt
    assert "| step | position | velocity | success |" in prompt
    assert again == made
    assert list(desk.iterdir()) == []
    with RunStore.read("mine") as store:
        (answer,) = store.preferences
    liked, other = (item["preferred"] for item in made["candidates"])
    assert liked > 0.5 > other
    assert answer["result"] == 0.0  # B, the second
    assert made["digest"].startswith(answer["second"].partition("-")[0])
    assert "Chosen by preference" in Path("mine/report.md").read_text()
    (best, _) = cli.json("feedback", "mine")
    assert best["digest"] == made["digest"]


def test_the_terminal_asks_until_it_is_understood(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """q stops and loses nothing; the same command asks the question again, and takes no
    other answer than a, b and =."""
    with FaultServer(answering()) as server:
        monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
        stopped = cli(*command(server.url, "--prefer", "ask"))
        assert stopped.code == 130
        monkeypatch.setattr("sys.stdin", io.StringIO("yes\n=\n"))
        done = cli(*command(server.url, "--prefer", "ask"))
        assert len(server.received) == 2  # nothing was asked of the model again
    assert done.code == 0, done.err
    assert len(re.findall("Which did it better", stopped.err)) == 1
    assert len(re.findall("Which did it better", done.err)) == 2
    assert "Question 1. The task: " in done.err
    with RunStore.read("mine") as store:
        assert [item["result"] for item in store.preferences] == [0.5]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--prefer", "me"), "--prefer must be ask or manual:DIR"),
        (("--prefer", "ask"), "Give --train-steps"),
        (("--prefer", "manual:", "--train-steps", 10), "manual:DIR"),
    ],
)
def test_what_cannot_be_preferred(
    options: tuple[object, ...], says: str, cli: Cli
) -> None:
    """Exit 2 and one line."""
    done = cli("generate", "--env", CAR, *options)
    assert done.code == 2
    assert says in done.err
