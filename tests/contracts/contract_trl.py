"""A step of TRL's GRPOTrainer runs with our reward function, on a model made here."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from trl import GRPOConfig, GRPOTrainer

from reward_synth.verify.adapters import ToolCallReward
from reward_synth.verify.adapters.trl import tool_call_reward_async

GOLD = json.dumps([{"name": "f", "arguments": {"a": 1}}])


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of single bytes: nothing is downloaded."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {"<pad>": 0, "<eos>": 1}
    words |= {letter: i + 2 for i, letter in enumerate(alphabet)}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<eos>"
    )


def model(words: int) -> Qwen2ForCausalLM:
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=words,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        pad_token_id=0,
        eos_token_id=1,
    )
    return Qwen2ForCausalLM(config)


def trained(folder: Path, reward: object) -> list[dict[str, float]]:
    text = tokenizer()
    rows = Dataset.from_list([{"prompt": "Call f.", "answer": GOLD}] * 4)
    settings = GRPOConfig(
        output_dir=str(folder),
        max_steps=1,
        per_device_train_batch_size=4,
        num_generations=4,
        max_completion_length=8,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=model(len(text)),
        reward_funcs=[reward],
        args=settings,
        train_dataset=rows,
        processing_class=text,
    )
    trainer.train()
    return trainer.state.log_history


def test_a_step_runs(tmp_path: Path) -> None:
    """Random bytes call nothing, or nothing that can be read: the reward is logged, from
    -1/2 to 0, under the function's own name."""
    log = trained(tmp_path, ToolCallReward())
    (mean,) = (x["rewards/tool_calls/mean"] for x in log if "reward" in x)
    assert -0.5 <= mean <= 0.0


def test_a_step_runs_with_the_asynchronous_twin(tmp_path: Path) -> None:
    """The same for the coroutine function."""
    log = trained(tmp_path, tool_call_reward_async)
    (mean,) = (x["rewards/tool_call_reward_async/mean"] for x in log if "reward" in x)
    assert -0.5 <= mean <= 0.0
