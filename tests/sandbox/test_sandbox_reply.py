"""An answer from a worker is checked as if an attacker had written it."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.sandbox import Job, reply, wire

TOKEN = "f" * 32
JOB = Job("", "compute_reward", ("x",), {"x": np.zeros(2)})
GOOD: dict[str, Any] = {
    "token": TOKEN,
    "status": "ok",
    "names": ["a"],
    "error": "",
    "line": None,
    "seconds_per_call": 0.5,
}
BODY = np.array([1.0, 2.0]).tobytes()


def read(header: dict[str, Any], body: bytes = BODY) -> Any:
    """Decode a header and a body as the sandbox does."""
    return reply.decode(wire.Message(header, body), JOB, TOKEN)


def test_a_good_answer_is_read() -> None:
    """Two rows of one component are 16 bytes."""
    execution = read(GOOD)
    assert execution.ok
    assert execution.names == ("a",)
    assert execution.values.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    "change",
    [
        {"token": "0" * 32},
        {"token": None},
        {"token": "\u00e9"},
        {"status": "timeout"},
        {"status": "fine"},
        {"status": ["ok"]},
        {"names": []},
        {"names": "ab"},
        {"names": ["a", "a"]},
        {"names": [1]},
        {"names": ["\x1b[31m"]},
        {"names": ["a" * 101]},
        {"names": ["a", "b"]},
        {"error": 1},
        {"line": True},
        {"line": -1},
        {"line": 1.0},
        {"seconds_per_call": -1.0},
        {"seconds_per_call": float("inf")},
        {"seconds_per_call": "0"},
        {"more": 1},
    ],
    ids=str,
)
def test_an_answer_that_makes_no_sense_is_a_crash(change: dict[str, Any]) -> None:
    """One wrong value in an else good answer is enough to refuse the whole."""
    execution = read({**GOOD, **change})
    assert execution.status == "crashed"
    assert execution.values.shape == (2, 0)


def test_a_failed_answer_carries_no_values() -> None:
    """Names and values count only with ``ok``; a body without them is refused."""
    assert read({**GOOD, "status": "raised"}, b"").names == ()
    assert read({**GOOD, "status": "raised"}, BODY).status == "crashed"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), json_values), st.binary())
@settings(max_examples=300, deadline=None)
def test_no_answer_raises(change: dict[str, Any], body: bytes) -> None:
    """Whatever the header holds, the caller gets an execution."""
    execution = read({**GOOD, **change}, body)
    assert execution.values.shape == (2, len(execution.names))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    """Reading waits, gives a message, or refuses; nothing else comes of bytes."""
    try:
        message = wire.unpack(bytearray(data), header_limit=64, body_limit=64)
    except wire.WireError:
        return
    assert message is None or len(message.body) <= 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[" * 100_000, "not JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": ' + b"9" * 9999 + b"}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not JSON"),
    ],
    ids=["deep", "nan", "long_int", "list", "bytes"],
)
def test_a_header_that_is_not_plain_json_is_refused(text: bytes, expected: str) -> None:
    """Deep, huge or non-standard JSON ends as a refusal."""
    data = bytearray(struct.pack("<IQ", len(text), 0) + text)
    with pytest.raises(wire.WireError, match=expected):
        wire.unpack(data, header_limit=1 << 20, body_limit=0)


def test_a_message_over_the_limit_is_refused_before_it_is_read() -> None:
    """The sizes stand in front: twelve bytes are enough to refuse."""
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.unpack(
            bytearray(struct.pack("<IQ", 2, 1 << 60)), header_limit=64, body_limit=64
        )


def test_messages_follow_each_other_in_one_buffer() -> None:
    """What follows a message stays in the buffer for the next."""
    buffer = bytearray(wire.pack({"n": 1}, b"x") + wire.pack({"n": 2})[:-1])
    first = wire.unpack(buffer, header_limit=64, body_limit=64)
    assert first == wire.Message({"n": 1}, b"x")
    assert wire.unpack(buffer, header_limit=64, body_limit=64) is None
    buffer += json.dumps({"n": 2}).encode()[-1:]
    assert wire.unpack(buffer, header_limit=64, body_limit=64) == ({"n": 2}, b"")
