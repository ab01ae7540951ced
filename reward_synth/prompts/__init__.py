"""Prompts: what a language model is told of a task and of earlier attempts."""

from reward_synth.prompts.build import (
    Message,
    describe_task,
    estimate_tokens,
    first_messages,
    repair_messages,
)

__all__ = [
    "Message",
    "describe_task",
    "estimate_tokens",
    "first_messages",
    "repair_messages",
]
