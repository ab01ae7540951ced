"""Prompts: what a language model is told of a task and of earlier attempts."""

from reward_synth.prompts.build import (
    Message,
    describe_task,
    estimate_tokens,
    example,
    first_messages,
    repair_messages,
)
from reward_synth.prompts.data import fence, neutralise, quote_texts
from reward_synth.prompts.factors import factor_messages
from reward_synth.prompts.motion import (
    coder_messages,
    describer_messages,
    mend_messages,
)
from reward_synth.prompts.roles import (
    analyst_messages,
    critic_messages,
    read_verdict,
)

__all__ = [
    "Message",
    "analyst_messages",
    "coder_messages",
    "critic_messages",
    "describe_task",
    "describer_messages",
    "estimate_tokens",
    "example",
    "factor_messages",
    "fence",
    "first_messages",
    "mend_messages",
    "neutralise",
    "quote_texts",
    "read_verdict",
    "repair_messages",
]
