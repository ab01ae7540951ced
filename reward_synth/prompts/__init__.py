"""Prompts: what a language model is told of a task and of earlier attempts."""

from reward_synth.prompts.build import (
    Message,
    describe_task,
    estimate_tokens,
    first_messages,
    repair_messages,
)
from reward_synth.prompts.data import fence, neutralise, quote_texts

__all__ = [
    "Message",
    "describe_task",
    "estimate_tokens",
    "fence",
    "first_messages",
    "neutralise",
    "quote_texts",
    "repair_messages",
]
