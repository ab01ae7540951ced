"""A model plays tool use over real HTTP: its calls count, its server's troubles do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reward_synth.agents.tool_player import Played, ToolPlayer, play
from reward_synth.envs.tooluse import ToolUseEnv
from reward_synth.errors import BudgetReachedError, UsageError
from reward_synth.llm import Budget, OpenAIChat, RetryPolicy
from tests.llm.server import (
    Behaviour,
    Body,
    FaultServer,
    Good,
    NoChoices,
    NullContent,
    Received,
    Refusal,
    Status,
    Truncated,
    completion,
)

TASK = {"task": 3}
RIGHT = {"name": "restock", "arguments": '{"sku": "P684", "quantity": 58}'}
"""What fulfils task 3 of the shop."""
TEXT = '<tool_call>{"name": "restock", "arguments": {"sku": "P684", "quantity": 58}}</tool_call>'
DONE = Good("Done.")


def calling(*functions: Any, content: str | None = None, **more: Any) -> Body:
    """Answer with calls of tools, as a server that knows them."""
    made = [
        {"id": f"x{i}", "type": "function", "function": function}
        for i, function in enumerate(functions)
    ]
    return Body(
        completion({"content": content, "tool_calls": made, **more}, "tool_calls")
    )


def played(
    script: Sequence[Behaviour] | Any,
    *,
    domain: str = "shop",
    level: str = "single",
    task: int = 3,
    budget: Budget | None = None,
    **settings: Any,
) -> tuple[Played, list[Received]]:
    """Let a model on loopback play one episode."""
    policy = RetryPolicy(rng=np.random.default_rng(0), sleep=lambda _: None, attempts=3)
    with FaultServer(script) as server:
        chat = OpenAIChat(
            "tiny", server.url, "sk-x", policy=policy, timeout=5.0, budget=budget
        )
        env = ToolUseEnv(domain, level, max_turns=6)
        player = ToolPlayer(chat, "tiny", **settings)
        try:
            return play(env, player, options={"task": task}), server.received
        finally:
            chat.close()
            env.close()


def test_a_right_call_and_an_end_succeed() -> None:
    """The server's tool calls are executed, and the next request tells what they gave."""
    found, received = played([calling(RIGHT), DONE])
    assert (found.success, found.turns, found.calls, found.refused) == (True, 2, 1, 0)
    first, second = (item.body for item in received)
    assert first["tools"][0]["function"]["name"] == "find_product"
    assert [item["role"] for item in first["messages"]] == ["system", "user"]
    made, told = second["messages"][2:]
    assert made["tool_calls"][0]["function"]["name"] == "restock"
    assert told["role"] == "tool"
    assert told["tool_call_id"] == made["tool_calls"][0]["id"]
    assert json.loads(told["content"])["result"].startswith("in the store")


def test_one_sample_a_request_and_nothing_for_graders() -> None:
    """``n`` is never sent, and neither are the expected calls."""
    _, received = played([calling({"name": "count_orders", "arguments": "{}"}), DONE])
    for item in received:
        assert "n" not in item.body
        assert set(item.body) <= {
            "model",
            "messages",
            "temperature",
            "max_tokens",
            "tools",
        }
        messages = json.dumps(item.body["messages"])
        assert "restock" not in messages
        assert "expected" not in messages


def test_a_model_that_reads_the_outputs_plays_chains() -> None:
    """A model that takes what it needs from the tools' messages fulfils all chains: each
    call is made with the expected arguments, once the answers before it have come."""

    def oracle(received: Received) -> Behaviour:
        told = [m for m in received.body["messages"] if m["role"] == "tool"]
        if len(told) == len(expected):
            return DONE
        call = expected[len(told)]
        return calling({**call, "arguments": json.dumps(call["arguments"])})

    env = ToolUseEnv("files", "chain")
    for task in range(4):
        expected = env.reset(options={"task": task})[1]["expected"]
        found, _ = played(oracle, domain="files", level="chain", task=task)
        assert (found.success, found.calls) == (True, len(expected))


def test_calls_written_as_text_play_as_well() -> None:
    """For servers without tool calling: tools stand in the first message, no message has
    a role that such servers do not know, and calls are read from the text."""
    found, received = played([Good(TEXT), DONE], syntax="text")
    assert found.success is True
    first, second = (item.body for item in received)
    assert "tools" not in first
    assert '"name": "restock"' in first["messages"][0]["content"]
    roles = [item["role"] for item in second["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert second["messages"][2]["content"].startswith("<tool_call>")


ODD = {
    "arguments as an object": (calling({**RIGHT, "arguments": {"sku": "P684", "quantity": 58}}), True, 0),
    "text beside the call": (calling(RIGHT, content="I restock."), True, 0),
    "calls written as text": (Good(TEXT), True, 0),
    "arguments that are no JSON": (calling({**RIGHT, "arguments": '{"sku": '}), False, 1),
    "arguments that are a list": (calling({**RIGHT, "arguments": "[1]"}), False, 1),
    "no name": (calling({"arguments": "{}"}), False, 1),
    "a doubled key": (calling({**RIGHT, "arguments": '{"sku": "a", "sku": "P684"}'}), False, 1),
    "half a character": (calling({**RIGHT, "name": "\ud800"}), False, 0),
    "a function that is no object": (calling("restock"), False, 0),
    "thirty calls": (calling(*[RIGHT] * 30), False, 1),
    "a refusal": (Refusal(), False, 0),
    "nothing": (NullContent(), False, 0),
    "an answer cut off": (Truncated("<tool_call>{"), False, 1),
}  # fmt: skip
"""Answer, whether the task is fulfilled with it, turns that cannot be read."""


@pytest.mark.parametrize("name", ODD)
def test_odd_answers_are_turns(name: str) -> None:
    """Whatever a model answers, the episode goes on to its end and is measured."""
    answer, success, unreadable = ODD[name]
    found, _ = played([answer, DONE])
    assert (found.success, found.error) == (success, "")
    assert found.unreadable == unreadable


def test_a_model_that_never_ends_is_cut_off() -> None:
    """The turn limit holds, and costs so many requests."""
    found, received = played([calling({"name": "rm", "arguments": "{}"})])
    assert (found.truncated, found.success, len(received)) == (True, False, 6)
    assert (found.calls, found.refused) == (6, 6)


@pytest.mark.parametrize("trouble", [Status(500), NoChoices(), Body([])])
def test_a_servers_trouble_is_no_failure_of_the_model(trouble: Behaviour) -> None:
    """It is told, without a verdict; what was executed before stays."""
    found, _ = played([calling(RIGHT), trouble])
    assert found.success is None
    assert found.error != ""
    assert (found.turns, found.calls) == (1, 1)


def test_passing_troubles_are_repeated_by_the_client() -> None:
    """One HTTP 500 costs an attempt, and nothing else."""
    found, received = played([Status(500), calling(RIGHT), DONE])
    assert (found.success, len(received)) == (True, 3)


def test_the_budget_counts_tools_and_turns() -> None:
    """Schemas and earlier turns are part of what a request can cost: a budget that the
    two first messages alone would fit into refuses."""
    with pytest.raises(BudgetReachedError):
        played([DONE], budget=Budget(2000.0))
    found, _ = played([calling(RIGHT), DONE], budget=Budget(50_000.0))
    assert found.usage.prompt_tokens > 0


def test_unknown_syntax_is_refused() -> None:
    """There are two ways to call."""
    with pytest.raises(UsageError, match="syntax"):
        ToolPlayer(None, "tiny", syntax="xml")  # type: ignore[arg-type]
