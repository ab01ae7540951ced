"""verl's own reward managers call our functions, one by one and for a batch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from verl import DataProto
from verl.workers.reward_manager import BatchRewardManager, NaiveRewardManager

from reward_synth.verify.adapters import compute_score, compute_score_batch

GOLD = json.dumps([{"name": "f", "arguments": {"a": 1}}])
ANSWERS = ("f(a=1)", "No.", "g()", "<tool_call>{")
SCORES = [1.0, 0.0, -0.25, -0.5]
WIDTH = 16


class Letters:
    """A tokenizer of single characters; 0 pads."""

    def encode(self, text: str) -> list[int]:
        ids = [ord(char) for char in text]
        return ids + [0] * (WIDTH - len(ids))

    def decode(self, ids: Any, skip_special_tokens: bool = True) -> str:
        return "".join(chr(number) for number in ids.tolist() if number)


def batch() -> Any:
    tokenizer = Letters()
    responses = torch.tensor([tokenizer.encode(text) for text in ANSWERS])
    prompts = torch.tensor([[ord("?")]] * len(ANSWERS))
    mask = torch.cat([torch.ones_like(prompts), (responses > 0).long()], 1)
    rows = {
        "reward_model": [{"ground_truth": GOLD} for _ in ANSWERS],
        "data_source": ["tools"] * len(ANSWERS),
        "extra_info": [{} for _ in ANSWERS],
    }
    return DataProto.from_dict(
        tensors={"prompts": prompts, "responses": responses, "attention_mask": mask},
        non_tensors={key: np.array(row, dtype=object) for key, row in rows.items()},
    )


@pytest.mark.parametrize(
    ("manager", "function"),
    [(NaiveRewardManager, compute_score), (BatchRewardManager, compute_score_batch)],
)
def test_a_manager_puts_each_score_on_the_last_token(
    manager: Any, function: Any
) -> None:
    """And every column has a value for every sample, also for one that is unreadable."""
    made = manager(Letters(), num_examine=0, compute_score=function)
    found = made(batch(), return_dict=True)
    rewards, columns = found["reward_tensor"], found["reward_extra_info"]
    assert rewards.sum(1).tolist() == SCORES
    for row, text in zip(rewards, ANSWERS, strict=True):
        assert row[[i for i in range(WIDTH) if i != len(text) - 1]].abs().sum() == 0.0
    assert columns["score"] == SCORES
    assert columns["status"] == ["ok", "ok", "ok", "invalid_output"]
    assert {len(values) for values in columns.values()} == {len(ANSWERS)}


def test_settings_reach_the_function() -> None:
    """As verl's configuration gives them to its batch manager."""
    settings = {"low": -0.1, "policy": {"penalty": 1.0}}
    made = BatchRewardManager(
        Letters(), num_examine=0, compute_score=compute_score_batch, **settings
    )
    assert made(batch()).sum(1).tolist() == pytest.approx([1.0, 0.0, -0.1, -0.1])
