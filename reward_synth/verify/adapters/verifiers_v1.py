"""For verifiers, second stack: an awaited reward of a task and a trace.

    @vf.reward(weight=1.0)
    async def tool_calls(self, task, trace) -> float:
        return await reward(task, trace)

A verifier that fails raises: that stack then counts the rollout as failed, and not as 0.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from reward_synth.errors import NotAvailableError
from reward_synth.verify.adapters.guarded import (
    Guarded,
    Verifier,
    find_gold,
    has_score,
    numbers,
)
from reward_synth.verify.limits import Limits
from reward_synth.verify.plain_calls import look_up

_MOST = Limits().max_values + 1
"""Messages that are read: one more than the usual limit, so that it is seen."""


class NoScoreError(NotAvailableError):
    """The verifier failed: nothing is known of the answer."""


class ToolCallRewardV1:
    """A reward of a trace.

    Args:
        gold: The field of the task or of its ``data``, or the key of its ``info``, with
            what is expected.
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        low: Least reward.
        high: Largest reward.
        name: Prefix of the metrics that are recorded.

    Example:
        >>> import asyncio
        >>> from types import SimpleNamespace as Object
        >>> trace = Object(assistant_messages=[Object(content="No.", tool_calls=[])])
        >>> asyncio.run(ToolCallRewardV1()(Object(answer="[]"), trace))
        1.0
    """

    def __init__(
        self,
        gold: str = "answer",
        verifier: Verifier | None = None,
        low: float = -1.0,
        high: float = 1.0,
        name: str = "tool_calls",
    ) -> None:
        self.gold = gold
        self.__name__ = name
        self._guarded = Guarded(verifier, low, high)

    async def __call__(self, task: Any, trace: Any) -> float:
        """Return the reward; its components are recorded as metrics of the trace.

        Raises:
            NoScoreError: The verifier failed.
        """
        data = look_up(task, "data")
        gold = find_gold(self.gold, task, data, look_up(task, "info"))
        own = list(islice(look_up(trace, "assistant_messages") or (), _MOST))
        # Too many are refused as they are: converting them would take long.
        messages = own if len(own) == _MOST else [_message(item) for item in own]
        result = self._guarded(messages, gold)
        record = getattr(trace, "record_metric", None)
        if record is not None:
            for key, value in numbers(result).items():
                record(f"{self.__name__}/{key}", value)
        if not has_score(result):
            raise NoScoreError(f"The verifier gave no score: {result.message}")
        return float(result.score)


def _message(item: Any) -> dict[str, Any]:
    """Return a message of the model's as plain data, whoever made its class."""
    return {
        "role": "assistant",
        "content": look_up(item, "content"),
        "tool_calls": look_up(item, "tool_calls") or [],
    }


tool_calls = ToolCallRewardV1()
"""With every setting at its default: gold in the task's ``answer``."""


async def tool_call_reward(task: Any, trace: Any) -> float:
    """Return what :data:`tool_calls` does, for a configuration that names a function."""
    return await tool_calls(task, trace)
