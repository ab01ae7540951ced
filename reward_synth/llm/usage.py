"""Counting tokens and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.llm.chat import ChatRequest, Completion

CHARACTERS_A_TOKEN = 4
TOKENS_A_MESSAGE = 64
"""More than chat templates put around a message."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens ``text`` has, never fewer than 4 characters each.

    Example:
        >>> estimate_tokens("twelve chars"), estimate_tokens("")
        (3, 0)
    """
    return math.ceil(len(text) / CHARACTERS_A_TOKEN)


def estimate_prompt(request: ChatRequest) -> int:
    """Return about how many tokens the messages of ``request`` have."""
    texts = (
        *(content for _, content in request.messages),
        request.tools,
        request.turns,
    )
    return sum(map(estimate_tokens, texts))


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in the user's currency.

    Example:
        >>> Prices(prompt=0.5, completion=1.5).completion
        1.5
    """

    prompt: float
    """Price of a million prompt tokens."""
    completion: float
    """Price of a million completion tokens."""

    def __post_init__(self) -> None:
        """Check that both prices are finite and not negative."""
        for name in ("prompt", "completion"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise UsageError(
                    f"The price of a million {name} tokens must be a number of at "
                    f"least 0; got {value}. Leave the prices out if unknown."
                )


@dataclass(frozen=True, slots=True)
class Usage:
    """A sum of tokens.

    Example:
        >>> both = Usage(1000, 200) + Usage(500, 300, estimated=True)
        >>> both
        Usage(prompt_tokens=1500, completion_tokens=500, estimated=True)
        >>> both.cost(Prices(prompt=2.0, completion=10.0))
        0.008
        >>> both.cost(None) is None
        True
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    """True if any part was estimated from the length of the text."""

    def __add__(self, other: Usage) -> Usage:
        """Return the sum; it is estimated if either part is."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.estimated or other.estimated,
        )

    @classmethod
    def total(cls, completions: Iterable[Completion]) -> Usage:
        """Return what all ``completions`` used together."""
        return sum((cls.of(item) for item in completions), start=cls())

    @classmethod
    def of(cls, completion: Completion) -> Usage:
        """Return what one completion used, with its repeated attempts."""
        return cls(
            completion.prompt_tokens,
            completion.completion_tokens,
            completion.usage_estimated,
        )

    @classmethod
    def worst_case(cls, request: ChatRequest) -> Usage:
        """Return the most that one answer to ``request`` can use.

        No tokenizer makes more tokens of a text than it has bytes.
        """
        texts = [*(content for _, content in request.messages), request.schema]
        texts += [request.tools, request.turns]
        size = sum(len(text.encode(errors="replace")) for text in texts)
        turns = request.turns.count('"role"')
        prompt = size + TOKENS_A_MESSAGE * (len(request.messages) + turns)
        return cls(prompt, request.max_tokens, estimated=True)

    def cost(self, prices: Prices | None) -> float | None:
        """Return the cost in the currency of ``prices``; None if they are unknown."""
        if prices is None:
            return None
        return (
            self.prompt_tokens * prices.prompt
            + self.completion_tokens * prices.completion
        ) / 1_000_000
