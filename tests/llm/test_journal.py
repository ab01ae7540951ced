"""Recorded completions: nothing is paid twice, replay needs no network."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reward_synth.errors import UsageError
from reward_synth.llm import (
    ChatRequest,
    Completion,
    JournaledChat,
    RecordJournal,
    ReplayChat,
)
from reward_synth.store import RunStore
from tests.llm import server as fake
from tests.llm.conftest import Connect
from tests.llm.server import FaultServer


def ask(slot: int = 0) -> ChatRequest:
    return ChatRequest("tiny", (("user", "Push a cube."),), slot=slot)


def test_an_answer_is_paid_once(connect: Connect, tmp_path: Path) -> None:
    """The same request after a restart is answered from the file, equal in all."""
    with FaultServer([fake.Html(), fake.Good("Hello")]) as server:
        with RunStore.open(tmp_path, {}) as store:
            chat = JournaledChat(connect(server), RecordJournal(store.calls))
            first = chat.complete(ask())
        with RunStore.open(tmp_path, {}) as store:
            chat = JournaledChat(connect(server), RecordJournal(store.calls))
            second = chat.complete(ask())
    assert first == second
    assert first.raw  # the page came back from JSON as the same tuple
    assert server.count == 2  # the page and the answer, none after the restart


def test_slots_are_samples(connect: Connect, tmp_path: Path) -> None:
    """Equal prompts in different slots are different requests."""
    script = [fake.Good("one"), fake.Good("two")]
    with FaultServer(script) as server, RunStore.open(tmp_path, {}) as store:
        chat = JournaledChat(connect(server), RecordJournal(store.calls))
        texts = [chat.complete(ask(slot)).text for slot in (0, 1, 0, 1)]
    assert texts == ["one", "two", "one", "two"]


def test_the_intent_comes_first(tmp_path: Path) -> None:
    """A request is on record before it is sent, so that a kill leaves a trace."""

    class Killed:
        def complete(self, request: ChatRequest, /) -> Completion:
            assert store.calls.unsettled() == [request.digest]
            raise KeyboardInterrupt

    with RunStore.open(tmp_path, {}) as store:
        chat = JournaledChat(Killed(), RecordJournal(store.calls))
        with pytest.raises(KeyboardInterrupt):
            chat.complete(ask())
        assert store.calls.unsettled() == [ask().digest]


def test_a_failure_stands_until_it_is_reopened(
    connect: Connect, tmp_path: Path
) -> None:
    """A resumed run sees the same failure; reopened, the request is asked again."""
    script: list[fake.Behaviour] = [fake.Status(500), fake.Good("Hello")]
    with FaultServer(script) as server, RunStore.open(tmp_path, {}) as store:
        chat = JournaledChat(connect(server, attempts=1), RecordJournal(store.calls))
        failed = chat.complete(ask())
        assert failed.passing
        assert chat.complete(ask()) == failed
        store.calls.reopen(ask().digest)
        assert store.calls.unsettled() == [ask().digest]
        assert chat.complete(ask()).text == "Hello"
        kept = [payload["status"] for _, payload in store.calls.completions()]
    assert kept == ["server_error", "ok"]


def test_one_request_in_two_threads_is_sent_once(
    connect: Connect, tmp_path: Path
) -> None:
    """Whoever comes second waits for the first one's answer."""
    texts: list[str] = []
    slow = fake.Slow(0.2, fake.Good("Hello"))
    with FaultServer([slow]) as server, RunStore.open(tmp_path, {}) as store:
        chat = JournaledChat(connect(server), RecordJournal(store.calls))
        threads = [
            threading.Thread(target=lambda: texts.append(chat.complete(ask()).text))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert texts == ["Hello"] * 4
    assert server.count == 1


def test_replay_opens_no_socket(tmp_path: Path) -> None:
    """A replay works in a process that may not make a socket, and loads no client."""
    done = Completion("Hello", "ok", prompt_tokens=3)
    with RunStore.open(tmp_path, {}) as store:
        journal = RecordJournal(store.calls)
        journal.intend(ask())
        journal.settle(ask().digest, done)
    code = f"""
import socket, sys
def refuse(*args, **kwargs): raise SystemExit("a socket was opened")
socket.socket = refuse
from reward_synth.llm import ChatRequest, RecordJournal, ReplayChat
from reward_synth.store import RunStore
with RunStore.read({str(tmp_path)!r}) as store:
    chat = ReplayChat(RecordJournal(store.calls).find)
    print(chat.complete(ChatRequest("tiny", (("user", "Push a cube."),))))
sys.exit("openai" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, repr(done)), ran.stderr


def test_a_replay_miss_names_the_request() -> None:
    """What was never recorded is an error with the digest, not an invented answer."""
    with pytest.raises(UsageError, match=ask(7).digest):
        ReplayChat(lambda _: None).complete(ask(7))


def test_the_digest_is_the_content() -> None:
    """Requests have one digest exactly if they are equal."""
    base = ask()
    others = [
        ask(1),
        ChatRequest("big", base.messages),
        ChatRequest("tiny", (("system", "Push a cube."),)),
        ChatRequest("tiny", base.messages, temperature=0.5),
        ChatRequest("tiny", base.messages, max_tokens=5),
        ChatRequest("tiny", base.messages, seed=0),
        ChatRequest("tiny", base.messages, purpose="annotation"),
        ChatRequest("tiny", (("user", "Push a cube.\ud800"),)),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 9
    assert ChatRequest("tiny", base.messages, temperature=1).digest == base.digest


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": ()},
        {"messages": ("user", "Hello")},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"max_tokens": 0},
    ],
    ids=str,
)
def test_requests_that_cannot_be(wrong: dict[str, object]) -> None:
    """A request that no server could answer is refused where it is made."""
    fields: dict[str, object] = {"model": "tiny", "messages": (("user", "Hi"),)}
    with pytest.raises(UsageError, match=next(iter(wrong))):
        ChatRequest(**{**fields, **wrong})  # type: ignore[arg-type]
