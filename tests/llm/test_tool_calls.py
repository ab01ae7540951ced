"""Requests that offer tools, and answers that call them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reward_synth.errors import UsageError
from reward_synth.llm import ChatRequest, Completion, ReplayChat, Usage
from reward_synth.llm.answer import read_answer
from tests.llm.server import completion

TOOLS = json.dumps([{"type": "function", "function": {"name": "f"}}])
TURNS = json.dumps([{"role": "tool", "tool_call_id": "a", "content": "4"}])
PLAIN = ChatRequest("tiny", (("user", "Hi"),))
WITH = ChatRequest("tiny", (("user", "Hi"),), tools=TOOLS, turns=TURNS)


def body(*calls: object, content: str | None = None) -> str:
    message = {"content": content, "tool_calls": [{"function": call} for call in calls]}
    return json.dumps(completion(message, "tool_calls"))


def test_a_request_without_tools_is_what_it_was() -> None:
    """Its payload names neither tools nor turns, so old journals still answer it."""
    assert not {"tools", "turns"} & PLAIN.payload().keys()
    assert "calls" not in Completion("Hi", "ok").payload()


def test_requests_and_completions_survive_being_stored() -> None:
    """Tools, turns and calls come back, and tell requests apart."""
    assert ChatRequest.from_payload(json.loads(json.dumps(WITH.payload()))) == WITH
    assert WITH.digest != PLAIN.digest
    made = Completion("", "ok", calls='[{"name": "f", "arguments": "{}"}]')
    stored = Completion.from_payload(json.loads(json.dumps(made.payload())))
    assert ReplayChat({WITH.digest: stored}.get).complete(WITH) == made


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "null"])
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    """Broken tools and turns are told before anything is sent."""
    with pytest.raises(UsageError, match="tools"):
        ChatRequest("tiny", (("user", "Hi"),), tools=text)
    with pytest.raises(UsageError, match="turns"):
        ChatRequest("tiny", (("user", "Hi"),), turns=text)


def test_calls_count_only_where_tools_were_offered() -> None:
    """An answer of calls alone is usable if tools were offered, else it is empty."""
    text = body({"name": "f", "arguments": "{}"})
    offered, not_offered = read_answer(text, WITH), read_answer(text, PLAIN)
    assert (offered.status, offered.text) == ("ok", "")
    assert json.loads(offered.calls) == [{"name": "f", "arguments": "{}"}]
    assert (not_offered.status, not_offered.calls) == ("empty", "")


def test_text_and_calls_are_both_kept() -> None:
    """A model may say what it is doing."""
    found = read_answer(body({"name": "f"}, content="I look."), WITH)
    assert (found.status, found.text) == ("ok", "I look.")
    assert json.loads(found.calls) == [{"name": "f", "arguments": None}]


def test_what_is_no_call_is_none() -> None:
    """Servers' garbage in place of calls leaves an empty answer."""
    garbage: list[Any] = ["x", [1], [{"function": 1}], [{}], {}, None]
    for made in garbage:
        text = json.dumps(completion({"content": None, "tool_calls": made}))
        assert read_answer(text, WITH).status == "empty"


def test_tools_and_turns_are_part_of_the_worst_case() -> None:
    """They cost at most their bytes, and a turn what a message costs besides."""
    extra = len(TOOLS.encode()) + len(TURNS.encode()) + 64
    more = Usage.worst_case(WITH).prompt_tokens - Usage.worst_case(PLAIN).prompt_tokens
    assert more == extra
