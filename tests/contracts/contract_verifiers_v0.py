"""The rubric of the first stack of verifiers calls our reward functions, one by one and in groups."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import verifiers as vf

from reward_synth.verify.adapters import ToolCallGroupReward, ToolCallRewardV0

GOLD = json.dumps([{"name": "f", "arguments": {"a": 1}}])
ANSWERS = ("f(a=1)", "No.", "g()")
SCORES = [1.0, 0.0, -0.25]


def state(answer: str) -> Any:
    row = {
        "prompt": [{"role": "user", "content": "Call f with 1."}],
        "answer": GOLD,
        "info": {},
        "task": "tools",
        "example_id": 0,
    }
    made = vf.State(input=row, **row)
    made["completion"] = [{"role": "assistant", "content": answer}]
    made["trajectory"] = []
    made["timing"] = {"scoring_ms": 0.0, "total_ms": 0.0, "generation_ms": 0.0}
    return made


def scored(reward: Any, states: list[Any]) -> list[float]:
    rubric = vf.Rubric(funcs=[reward])
    asyncio.run(_settled(rubric.score_group(states)))
    return [item["reward"] for item in states]


async def _settled(found: Any) -> None:
    if inspect.isawaitable(found):
        await found


def test_a_rubric_scores_rollouts() -> None:
    """One function for each rollout."""
    assert scored(ToolCallRewardV0(), [state(item) for item in ANSWERS]) == SCORES


def test_a_rubric_scores_groups() -> None:
    """One call for the whole group."""
    assert scored(ToolCallGroupReward(), [state(item) for item in ANSWERS]) == SCORES
