"""A task of the second stack of verifiers scores a trace with our reward."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import verifiers.v1 as vf
from verifiers.v1.graph import MessageNode

from reward_synth.verify import VerifyResult
from reward_synth.verify.adapters import ToolCallRewardV1
from reward_synth.verify.verifier import failed

GOLD = json.dumps([{"name": "f", "arguments": {"a": 1}}])


class Data(vf.TaskData):
    """A row with what is expected."""

    answer: str


class Tools(vf.Task[Data, vf.State, vf.TaskConfig]):
    """A task that awaits our reward."""

    reward = ToolCallRewardV1()

    @vf.reward(weight=2.0)
    async def tool_calls(self, task: Any, trace: Any) -> float:
        return await self.reward(task, trace)


class Broken(Tools):
    """The same with a verifier that is down."""

    @staticmethod
    def down(output: Any, expected: Any) -> VerifyResult:
        return failed("timeout", "timeout", "down", 0.0)

    reward = ToolCallRewardV1(verifier=down)


def trace_of(message: vf.AssistantMessage) -> Any:
    nodes = [
        MessageNode(message=vf.UserMessage(content="Call f with 1.")),
        MessageNode(message=message, sampled=True, parent=0),
    ]
    return vf.Trace.model_construct(nodes=nodes, rewards={}, metrics={}, info={})


def scored(kind: type[Tools], message: vf.AssistantMessage) -> Any:
    trace = trace_of(message)
    task = kind(Data(idx=0, prompt="Call f with 1.", answer=GOLD))
    asyncio.run(task.score(trace))
    return trace


def test_texts_and_calls_are_scored() -> None:
    """A call of the endpoint's, and one in the text; each weighs twice."""
    call = vf.ToolCall(id="1", name="f", arguments='{"a": 1}')
    for message in (
        vf.AssistantMessage(tool_calls=[call]),
        vf.AssistantMessage(content="f(a=1)"),
    ):
        trace = scored(Tools, message)
        assert trace.rewards["tool_calls"].value == 2.0
        assert trace.metrics["tool_calls/success"] == 1.0


def test_an_outage_is_an_error_of_the_task() -> None:
    """The rollout fails; it does not score 0."""
    with pytest.raises(vf.TaskError):
        scored(Broken, vf.AssistantMessage(content="f(a=1)"))
