"""The client against a real HTTP server that misbehaves."""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from email.utils import formatdate
from pathlib import Path

import numpy as np
import pytest

from reward_synth.errors import EndpointError, UsageError
from reward_synth.llm import (
    ChatRequest,
    JournaledChat,
    OpenAIChat,
    RecordJournal,
    RetryPolicy,
)
from reward_synth.store import RunStore
from tests.llm import server as fake
from tests.llm.conftest import KEY, Connect
from tests.llm.server import FaultServer


def test_a_good_answer_costs_one_request(
    connect: Connect, request_: ChatRequest
) -> None:
    """A good answer comes back whole, with the server's count, in one attempt."""
    with FaultServer([fake.Good("Hello")]) as server:
        got = connect(server).complete(request_)
    assert (got.text, got.status, got.attempts, server.count) == ("Hello", "ok", 1, 1)
    assert (got.prompt_tokens, got.completion_tokens) == (7, 5)
    assert not got.usage_estimated


def test_what_is_sent(connect: Connect, request_: ChatRequest) -> None:
    """The body holds what the request says, and never ``n``."""
    with FaultServer([fake.Good()]) as server:
        connect(server).complete(request_)
    received = server.received[0]
    assert received.path == "/v1/chat/completions"
    assert received.body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Push a cube."}],
        "max_tokens": 64,
        "temperature": 1.0,
        "seed": 5,
    }


@pytest.mark.parametrize(
    ("behaviour", "status", "text", "requests", "says"),
    [
        (fake.Prose("No."), "ok", "No.", 1, ""),
        (fake.Truncated("def"), "length", "def", 1, ""),
        (fake.Empty(), "empty", "", 1, "no text"),
        (fake.Empty(finish="length"), "empty", "", 1, "max_tokens"),
        (fake.NullContent(), "empty", "", 1, "max_tokens"),
        (fake.NullContent("thinking …"), "empty", "", 1, "max_tokens"),
        (fake.Refusal("I must not."), "refusal", "", 1, "I must not."),
        (fake.Good("half", finish="content_filter"), "filtered", "half", 1, "filter"),
        (fake.MissingUsage("Hello"), "ok", "Hello", 1, ""),
        (fake.NoChoices(), "bad_response", "", 2, "no choices"),
        (fake.Html(), "bad_response", "", 2, "not JSON: <html>"),
        (fake.WrongJson(), "bad_response", "", 2, "not JSON"),
        (fake.Raw(b""), "bad_response", "", 2, "not JSON"),
        (fake.Raw(b"[1, 2]"), "bad_response", "", 2, "no JSON object"),
        (fake.Raw(b"[" * 100_000), "bad_response", "", 2, "not JSON"),
        (fake.Raw(b'{"choices": [null]}'), "bad_response", "", 2, "no choices"),
        (fake.Raw(b"\xff\xfe"), "bad_response", "", 2, "not JSON"),
        (fake.Body({"error": {"message": "busy"}}), "bad_response", "", 2, "busy"),
        (fake.Raw(b" " * 9_000_000), "bad_response", "", 2, "longer than"),
        (fake.Close(), "connection", "", 3, "broke off"),
        (fake.Close(before_answer=True), "connection", "", 3, ""),
        (fake.Status(500), "server_error", "", 3, "HTTP 500: this is a test"),
        (fake.Status(503), "server_error", "", 3, "HTTP 503"),
        (fake.Status(409), "server_error", "", 3, "HTTP 409"),
        (fake.Status(425), "server_error", "", 3, "HTTP 425"),
        (fake.Status(408), "timeout", "", 3, "HTTP 408"),
        (fake.Status(429), "rate_limited", "", 3, "HTTP 429"),
        (fake.Status(400), "rejected", "", 1, "HTTP 400"),
        (fake.Status(413), "rejected", "", 1, "HTTP 413"),
        (fake.Status(422), "rejected", "", 1, "HTTP 422"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "answer") else None,
)
def test_every_fault_has_a_status(
    *,
    behaviour: fake.Behaviour,
    status: str,
    text: str,
    requests: int,
    says: str,
    connect: Connect,
    request_: ChatRequest,
) -> None:
    """A fault that lasts ends as data, after as many requests as the policy says.

    The policy allows 3 attempts, of which 2 may bring an unreadable answer.
    """
    with FaultServer([behaviour]) as server:
        got = connect(server, attempts=3).complete(request_)
    assert (got.status, got.text) == (status, text)
    assert (got.attempts, server.count) == (requests, requests)
    assert says in got.error
    assert got.ok == (status in {"ok", "length"})


@pytest.mark.parametrize("behaviour", [fake.Slow(3.0), fake.Drip(3.0)], ids=repr)
def test_a_slow_server_is_left(
    behaviour: fake.Behaviour, connect: Connect, request_: ChatRequest
) -> None:
    """An attempt ends at its timeout, also if single bytes keep coming."""
    began = time.monotonic()
    with FaultServer([behaviour]) as server:
        got = connect(server, timeout=0.3, attempts=2).complete(request_)
    assert (got.status, got.attempts) == ("timeout", 2)
    assert time.monotonic() - began < 2.0  # twice 0.3 s and some
    assert "no answer within 0.3 s" in got.error


def test_nobody_listens(connect: Connect, request_: ChatRequest) -> None:
    """A refused connection is data too, and names the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    got = connect(url, attempts=2).complete(request_)
    assert (got.status, got.attempts, got.http_status) == ("connection", 2, None)
    assert url in got.error


@pytest.mark.parametrize("code", [401, 402, 403, 404])
def test_a_refusal_for_good_raises_at_once(
    code: int, connect: Connect, request_: ChatRequest
) -> None:
    """Key, credit, model and address are the user's: one request, one clear line."""
    with FaultServer([fake.Status(code)]) as server:
        client = connect(server)
        with pytest.raises(EndpointError) as caught:
            client.complete(request_)
    assert server.count == 1
    message = str(caught.value)
    assert server.url in message
    assert "'tiny'" in message
    assert f"HTTP {code}" in message
    assert "\n" not in message


def test_no_credit_is_not_waited_for(connect: Connect, request_: ChatRequest) -> None:
    """A 429 for a used up quota is no rate limit."""
    used_up = fake.Status(429, error={"code": "insufficient_quota"})
    with FaultServer([used_up]) as server:
        client = connect(server)
        with pytest.raises(EndpointError, match="no credit"):
            client.complete(request_)
    assert server.count == 1


def test_faults_that_pass(
    connect: Connect, request_: ChatRequest, pauses: list[float]
) -> None:
    """Four different faults and then an answer: five requests, four pauses.

    Pause k is at most 0.5 * 2**(k-1).
    """
    script: list[fake.Behaviour] = [
        fake.Status(500),
        fake.Close(before_answer=True),
        fake.Html(),
        fake.Status(429),
        fake.Good("Hello"),
    ]
    with FaultServer(script) as server:
        got = connect(server).complete(request_)
    assert (got.text, got.status, got.attempts) == ("Hello", "ok", 5)
    assert len(pauses) == 4
    limits = [0.5, 1.0, 2.0, 4.0]
    assert all(0 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "7"}, 7.0, 7.0),
        ({"retry-after-ms": "7500", "Retry-After": "9"}, 7.5, 7.5),
        ({"Retry-After": formatdate(1_000_060, usegmt=True)}, 60.0, 60.0),
        ({"Retry-After": formatdate(999_000, usegmt=True)}, 0.0, 0.5),
        ({"Retry-After": "soon"}, 0.0, 0.5),
        ({"Retry-After": "-3"}, 0.0, 0.5),
        ({"Retry-After": "nan"}, 0.0, 0.5),
    ],
    ids=str,
)
def test_the_server_says_how_long_to_wait(
    *,
    headers: dict[str, str],
    least: float,
    most: float,
    connect: Connect,
    request_: ChatRequest,
    pauses: list[float],
) -> None:
    """A pause is as long as the server asks, in seconds or until a date.

    The clock stands at 1,000,000 s. What cannot be read, or is past, leaves the
    jitter of the first pause: at most 0.5 s.
    """
    limited = fake.Status(429, headers=headers)
    with FaultServer([limited, fake.Good()]) as server:
        got = connect(server, now=lambda: 1_000_000.0).complete(request_)
    assert got.ok
    assert least <= pauses[0] <= most


def test_a_wait_beyond_the_deadline_ends_the_call(
    connect: Connect, request_: ChatRequest, pauses: list[float]
) -> None:
    """Asked to wait an hour with 20 s left, the call ends at once and says so."""
    with FaultServer([fake.Status(429, retry_after="3600")]) as server:
        got = connect(server, deadline=20.0).complete(request_)
    assert (got.status, got.attempts, pauses) == ("rate_limited", 1, [])
    assert "asks to wait 3600 s" in got.error


def test_the_deadline_holds_for_the_whole_call(request_: ChatRequest) -> None:
    """With real pauses, a call of many attempts ends within its deadline."""
    policy = RetryPolicy(
        rng=np.random.default_rng(0), attempts=1000, base=0.01, cap=0.01, deadline=0.5
    )
    with FaultServer([fake.Status(500)]) as server:
        client = OpenAIChat("tiny", server.url, policy=policy)
        began = time.monotonic()
        got = client.complete(request_)
        seconds = time.monotonic() - began
        client.close()
    assert got.status == "server_error"
    assert got.attempts == server.count > 2
    assert seconds < 0.5 + 0.5  # one late attempt on a busy machine


def test_paid_answers_are_kept(connect: Connect, request_: ChatRequest) -> None:
    """An unreadable answer before a good one stays in the record, with its tokens.

    12 characters of prompt are 3 tokens, the 35 of the page are 9; then 7 and 5.
    """
    with FaultServer([fake.Html(), fake.Good("Hello")]) as server:
        got = connect(server).complete(request_)
    assert got.raw == ("<html><title>Sign in</title></html>",)
    assert (got.prompt_tokens, got.completion_tokens) == (3 + 7, 9 + 5)
    assert got.usage_estimated


def test_the_beginning_of_a_broken_answer_is_kept(
    connect: Connect, request_: ChatRequest
) -> None:
    """A body cut in the middle may have been paid for: its beginning is kept."""
    with FaultServer([fake.Close(b'{"choices"')]) as server:
        got = connect(server, attempts=1).complete(request_)
    assert got.raw == ('{"choices"',)


def test_thoughts_without_an_answer_are_kept(
    connect: Connect, request_: ChatRequest
) -> None:
    """The body with ``reasoning_content`` and null content stays in the record."""
    with FaultServer([fake.NullContent("First, reach.")]) as server:
        got = connect(server).complete(request_)
    assert "First, reach." in got.raw[0]


def test_raw_answers_are_capped(connect: Connect, request_: ChatRequest) -> None:
    """All kept bodies together have at most 64 kB of UTF-8."""
    page = fake.Raw("<ä>".encode() * 15_000)  # 60,000 bytes
    with FaultServer([page]) as server:
        got = connect(server).complete(request_)
    sizes = [len(item.encode()) for item in got.raw]
    assert sizes[0] == 60_000
    assert 65_536 - 3 <= sum(sizes) <= 65_536


def test_missing_usage_is_estimated(connect: Connect, request_: ChatRequest) -> None:
    """4 characters count as a token: 12 of prompt are 3, 10 of answer are 3."""
    with FaultServer([fake.MissingUsage("0123456789")]) as server:
        got = connect(server).complete(request_)
    assert (got.prompt_tokens, got.completion_tokens) == (3, 3)
    assert got.usage_estimated


def test_lone_surrogates_never_reach_a_file(
    connect: Connect, request_: ChatRequest
) -> None:
    """JSON can carry half a character; the text that comes out can be written."""
    with FaultServer([fake.Good("a\ud800b")]) as server:
        got = connect(server).complete(request_)
    assert got.text == "a?b"


def test_servers_that_spell_parameters_otherwise(
    connect: Connect, request_: ChatRequest
) -> None:
    """A refused parameter is respelled or left out, once a client, and noted."""

    def answer(received: fake.Received) -> fake.Behaviour:
        for name in ("max_tokens", "temperature"):
            if name in received.body:
                error = {"code": "unsupported_parameter", "param": name}
                return fake.Status(400, error=error)
        return fake.Good("Hello")

    with FaultServer(answer) as server:
        client = connect(server)
        first, second = client.complete(request_), client.complete(request_)
    assert (first.text, first.attempts, second.attempts) == ("Hello", 3, 1)
    assert server.received[-1].body["max_completion_tokens"] == 64
    assert first.notes == second.notes
    assert "max_completion_tokens" in first.notes[0]
    assert "temperature" in first.notes[1]


def test_threads_share_a_client(connect: Connect) -> None:
    """Sixteen calls at once each get the answer to their own question."""

    def echo(received: fake.Received) -> fake.Behaviour:
        return fake.Slow(0.05, fake.Good(received.body["messages"][0]["content"]))

    answers: dict[str, str] = {}
    with FaultServer(echo) as server:
        client = connect(server)

        def ask(name: str) -> None:
            request = ChatRequest("tiny", (("user", name),))
            answers[name] = client.complete(request).text

        names = [f"q{number}" for number in range(16)]
        threads = [threading.Thread(target=ask, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {name: name for name in names}


class TestKey:
    """The API key reaches the server's header and nothing else."""

    def test_it_is_sent(self, connect: Connect, request_: ChatRequest) -> None:
        """The key goes where the protocol wants it."""
        with FaultServer([fake.Good()]) as server:
            connect(server).complete(request_)
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"

    def test_it_may_be_missing(
        self, request_: ChatRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a key "none" is sent, as local servers need none."""
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        policy = RetryPolicy(rng=np.random.default_rng(0))
        with FaultServer([fake.Good()]) as server:
            client = OpenAIChat("tiny", server.url, policy=policy)
            client.complete(request_)
            client.close()
        assert server.received[0].headers["authorization"] == "Bearer none"

    def test_it_comes_from_the_environment(
        self, request_: ChatRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """OPENAI_API_KEY is used, without the newline that files end in."""
        monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
        policy = RetryPolicy(rng=np.random.default_rng(0))
        with FaultServer([fake.Good()]) as server:
            client = OpenAIChat("tiny", server.url, policy=policy)
            client.complete(request_)
            client.close()
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize("code", [400, 401, 404, 429, 500])
    def test_it_is_in_no_error(
        self,
        code: int,
        connect: Connect,
        request_: ChatRequest,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A server that repeats the key does not get it into errors or logs."""
        caplog.set_level(logging.DEBUG)
        echo = fake.Status(code, message=f"bad key {KEY}", error={"code": KEY})
        said = ""
        with FaultServer([echo]) as server:
            client = connect(server, attempts=1)
            try:
                said = repr(client.complete(request_))
            except EndpointError as error:
                said = "".join(traceback.format_exception(error))
        assert "bad key" in said
        assert KEY not in said + repr(client) + repr(vars(client)) + caplog.text

    @pytest.mark.parametrize(
        "echo",
        [fake.Good(f"my key is {KEY}"), fake.Raw(KEY.encode()), fake.Close()],
        ids=["text", "raw", "cut"],
    )
    def test_it_is_in_no_journal(
        self,
        echo: fake.Behaviour,
        connect: Connect,
        request_: ChatRequest,
        tmp_path: Path,
    ) -> None:
        """No file of the run holds the key, whatever the server answers."""
        with FaultServer([echo]) as server, RunStore.open(tmp_path, {}) as store:
            chat = JournaledChat(connect(server), RecordJournal(store.calls))
            chat.complete(request_)
            contents = b"".join(p.read_bytes() for p in tmp_path.iterdir())
            assert request_.digest.encode() in contents
            assert KEY.encode() not in contents
        with sqlite3.connect(tmp_path / "run.sqlite") as file:
            assert KEY not in "".join(file.iterdump())
        file.close()

    def test_a_key_that_no_header_can_carry(self) -> None:
        """Such a key is refused by position, without being shown."""
        policy = RetryPolicy(rng=np.random.default_rng(0))
        with pytest.raises(UsageError, match="position 3") as caught:
            OpenAIChat("tiny", "http://127.0.0.1:9/v1", "sk-ä-secret", policy=policy)
        assert "secret" not in str(caught.value)

    def test_a_key_in_the_address_is_not_shown(self, request_: ChatRequest) -> None:
        """User and password of an address appear in no message."""
        policy = RetryPolicy(rng=np.random.default_rng(0), attempts=1)
        with FaultServer([fake.Status(404)]) as server:
            url = server.url.replace("http://", "http://me:passw0rd@")
            client = OpenAIChat("tiny", url, policy=policy)
            with pytest.raises(EndpointError) as caught:
                client.complete(request_)
            client.close()
        assert "passw0rd" not in str(caught.value)
        assert server.url in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://host/v1", "http://", "http://h:port", "h t"]
)
def test_addresses_that_are_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without scheme, host or valid port is refused before any request."""
    monkeypatch.setenv("OPENAI_BASE_URL", url or "nowhere")
    with pytest.raises(UsageError, match="must look like"):
        OpenAIChat("tiny", url, policy=RetryPolicy(rng=np.random.default_rng(0)))


def test_another_model_is_refused(connect: Connect) -> None:
    """A request for another model never reaches the server."""
    with FaultServer([fake.Good()]) as server:
        client = connect(server)
        with pytest.raises(UsageError, match=r"'big'.*'tiny'"):
            client.complete(ChatRequest("big", (("user", "Hello"),)))
    assert server.count == 0


def test_importing_loads_no_client() -> None:
    """``import reward_synth.llm`` leaves the heavy package unloaded."""
    code = "import sys, reward_synth.llm; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_server_runs_by_hand(tmp_path: Path, connect: Connect) -> None:
    """``python tests/llm/server.py`` serves a script from a file."""
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"kind": "Good", "text": "Hello"}]))
    path = Path(__file__).with_name("server.py")
    with subprocess.Popen(
        [sys.executable, str(path), "--script", str(script)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        request = ChatRequest("tiny", (("user", "Hi"),))
        text = connect(url).complete(request).text
        process.kill()
    assert text == "Hello"
