"""The connection: deadlines, bounds, redirects, and the breaker."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest

from reward_synth.errors import EndpointError, UsageError
from reward_synth.llm import Breaker, ChatRequest, RetryPolicy
from tests.llm import server as fake
from tests.llm.conftest import Connect
from tests.llm.server import FaultServer

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "slow", [fake.SlowHeaders(30.0), fake.SlowError(30.0)], ids=repr
)
def test_the_deadline_holds_for_headers_and_errors(
    slow: fake.Behaviour, connect: Connect, request_: ChatRequest
) -> None:
    """Bytes that keep coming, each within any read's limit, end with the attempt."""
    with FaultServer([slow]) as server:
        client = connect(server, timeout=0.3, attempts=1)
        began = time.monotonic()
        got = client.complete(request_)
        seconds = time.monotonic() - began
    assert got.status == "timeout"
    assert 0.3 <= seconds < 15.0


@pytest.mark.parametrize(
    ("behaviour", "status", "says"),
    [
        (fake.NoHttp(), "connection", ""),
        (fake.BrokenChunks(), "connection", "chunk"),
        (fake.WrongLength(10), "connection", "broke off"),
        (fake.WrongLength(-10), "bad_response", "not JSON"),
        (fake.Bytes(OK + b"Content-Length: -5\r\n\r\n{}"), "connection", "Length"),
        (fake.Bytes(b"HTTP/1.1 101 Other\r\n\r\n"), "connection", ""),
        (
            fake.Bytes(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n"),
            "bad_response",
            "not JSON",
        ),
        (fake.Bytes(OK + b"\r\ndata: {}\n\ndata: [DONE]"), "bad_response", "not JSON"),
        (fake.Raw(b'{"choices": {"0": 1}}'), "bad_response", "no choices"),
        (fake.Raw(b'{"choices": [{"message": {"content": 5}}]}'), "empty", "no text"),
        (
            fake.Body(fake.completion({"content": None, "tool_calls": [{}]})),
            "empty",
            "a tool",
        ),
        (
            fake.Body(fake.completion({"content": None, "reasoning": "Hm"})),
            "empty",
            "thoughts",
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "answer") else None,
)
def test_odd_answers_have_a_name(
    *,
    behaviour: fake.Behaviour,
    status: str,
    says: str,
    connect: Connect,
    request_: ChatRequest,
) -> None:
    """What is no HTTP, or no answer, ends as data that says what came."""
    with FaultServer([behaviour]) as server:
        got = connect(server, attempts=2).complete(request_)
    assert got.status == status
    assert says in got.error
    assert got.attempts == server.count <= 2


@pytest.mark.parametrize("code", [200, 500])
def test_a_bomb_does_not_fill_memory(
    code: int, connect: Connect, request_: ChatRequest
) -> None:
    """160 MiB of packed blanks are left after 8 MiB, in an error after 64 kB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with FaultServer([fake.Bomb(160, code)]) as server:
        got = connect(server, timeout=30.0, attempts=1).complete(request_)
    assert got.status == ("bad_response" if code == 200 else "server_error")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 96 * 1024


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    code: int, connect: Connect, request_: ChatRequest
) -> None:
    """Neither prompt nor key goes to an address that the user did not give."""
    with FaultServer([fake.Good()]) as other:
        away = fake.Redirect(f"{other.url}/chat/completions", code)
        with FaultServer([away]) as server:
            client = connect(server)
            with pytest.raises(EndpointError, match="another address"):
                client.complete(request_)
            assert (server.count, other.count) == (1, 0)


class TestHint:
    """A schema is a hint: sent once, dropped where a server stumbles over it."""

    REQUEST = ChatRequest("tiny", (("user", "1 or 2?"),), schema='{"type": "object"}')

    def test_it_is_sent(self, connect: Connect) -> None:
        """It goes where the protocol has it; requests without one are as ever."""
        with FaultServer([fake.Good("{}")]) as server:
            connect(server).complete(self.REQUEST)
        assert server.received[0].body["response_format"] == {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}},
        }
        assert "schema" not in ChatRequest("tiny", (("user", "1"),)).payload()
        assert ChatRequest.from_payload(self.REQUEST.payload()) == self.REQUEST

    @pytest.mark.parametrize("code", [400, 422, 500])
    def test_it_is_dropped_once(self, connect: Connect, code: int) -> None:
        """One request more, then none has it, and the completion says so."""

        def answer(received: fake.Received) -> fake.Behaviour:
            said = "Input should be 'text', loc: body.response_format.type"
            hinted = "response_format" in received.body
            return fake.Status(code, message=said) if hinted else fake.Good("{}")

        with FaultServer(answer) as server:
            client = connect(server)
            first, second = client.complete(self.REQUEST), client.complete(self.REQUEST)
        assert (first.attempts, second.attempts) == (2, 1)
        assert "response_format" in first.notes[0]

    def test_other_errors_are_not_its_fault(self, connect: Connect) -> None:
        """A server that is down is asked as often as ever, with the hint."""
        with FaultServer([fake.Status(500)]) as server:
            connect(server, attempts=2).complete(self.REQUEST)
        assert ["response_format" in item.body for item in server.received] == [
            True
        ] * 2

    def test_a_schema_is_an_object(self) -> None:
        """Anything else is refused before it is sent."""
        for wrong in ("{", "[]", "1"):
            with pytest.raises(UsageError, match="schema"):
                ChatRequest("tiny", (("user", "1"),), schema=wrong)


class TestBreaker:
    """A server that fails again and again is left alone."""

    def test_it_opens_probes_and_closes(
        self, connect: Connect, request_: ChatRequest
    ) -> None:
        """Two failed calls open it; after the pause one call probes the server."""
        now = [0.0]
        script = [fake.Status(500)] * 5 + [fake.Good("Hello")]
        with FaultServer(script) as server:
            client = connect(
                server,
                attempts=2,
                breaker_calls=2,
                breaker_pause=30.0,
                clock=lambda: now[0],
            )
            failed = [client.complete(request_) for _ in range(2)]
            assert [item.status for item in failed] == ["server_error"] * 2
            assert server.count == 4
            left = client.complete(request_)
            assert (left.status, left.attempts, server.count) == ("connection", 0, 4)
            assert "HTTP 500" in left.error
            assert "in 30 s" in left.error
            assert left.passing
            now[0] = 30.0
            assert client.complete(request_).text == "Hello"
            assert server.count == 6
            assert client.complete(request_).text == "Hello"

    def test_a_failed_probe_opens_it_again(self) -> None:
        """The pause begins anew, and only one call in it tries."""
        now = [0.0]
        breaker = Breaker(2, 10.0, lambda: now[0])
        for _ in range(2):
            breaker.record("HTTP 500")
        assert breaker.refusal() is not None
        now[0] = 10.0
        assert breaker.refusal() is None  # the probe
        assert breaker.refusal() is not None  # the others wait for it
        breaker.record("HTTP 500")
        now[0] = 19.9
        assert breaker.refusal() is not None
        now[0] = 20.0
        assert breaker.refusal() is None
        breaker.record("")
        assert breaker.refusal() is None

    @pytest.mark.parametrize(
        "living", [fake.Status(429), fake.Status(400), fake.Good(), fake.Html()]
    )
    def test_a_living_server_keeps_it_closed(
        self, living: fake.Behaviour, connect: Connect, request_: ChatRequest
    ) -> None:
        """A rate limit or an odd answer is no outage."""
        with FaultServer([living]) as server:
            client = connect(server, attempts=1, breaker_calls=1)
            got = [client.complete(request_) for _ in range(3)]
        assert [item.attempts for item in got] == [1, 1, 1]

    @pytest.mark.parametrize("wrong", [{"calls": 0}, {"cooldown": 0.0}])
    def test_breakers_that_cannot_be(self, wrong: dict[str, float]) -> None:
        """It needs a call and a pause."""
        with pytest.raises(UsageError, match="circuit breaker"):
            Breaker(**wrong)  # type: ignore[arg-type]

    def test_a_policy_makes_it(self) -> None:
        """Its settings are the policy's."""
        policy = RetryPolicy(rng=np.random.default_rng(0), breaker_calls=7)
        assert policy.breaker().calls == 7
