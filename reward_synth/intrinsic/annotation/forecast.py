"""What annotation will cost, told from a short run before a long one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.prompt import LabelPrompt
from reward_synth.intrinsic.annotation.throttle import Pace
from reward_synth.llm import Prices, Usage
from reward_synth.llm.usage import estimate_tokens

_FEWEST = 100
"""Steps below which growth cannot be told."""
_ANSWER = 10
"""Tokens of a label."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run of so many steps will ask, if the stream goes on as it began."""

    steps: int
    captions: int
    """Different captions, each one call."""
    growth: float
    """b in captions ~ steps**b, from 0 (all are known) to 1 (every step brings one)."""
    tokens: int
    money: float | None
    """In the currency of the prices; None without prices."""
    minutes: float
    """The least that asking takes at the pace that was given; 0: no limit."""
    for_half: int
    for_most: int
    """How many of the most frequent captions cover 50 and 95 % of the short run's steps:
    with those labelled first, most steps have a label long before the last is asked."""


def forecast(
    captions: Sequence[str],
    steps: int,
    prompt: LabelPrompt,
    *,
    prices: Prices | None = None,
    pace: Pace | None = None,
) -> Forecast:
    """Measure a stream of captions and go on with it.

    The number of different captions grows as a power of the steps (Heaps' law); the power
    is that of the stream's second half. A bonus for new captions makes it grow faster than
    a short run of random actions tells, so keep a budget all the same.

    Args:
        captions: One a step, in the order of a short run.
        steps: Of the long run.
        prompt: What would be asked.
        prices: What tokens cost.
        pace: Limits a minute.

    Raises:
        UsageError: The short run is too short, or longer than the long one.

    Example:
        >>> stream = [f"text {number % 50}" for number in range(1000)]
        >>> told = forecast(stream, 10**6, LabelPrompt("win"))
        >>> told.captions, told.growth, told.for_half
        (50, 0.0, 25)
    """
    size = len(captions)
    if not _FEWEST <= size <= steps:
        raise UsageError(
            f"A forecast needs at least {_FEWEST} captions and no more than the steps of "
            f"the run; received {size} captions for {steps} steps."
        )
    half, whole = len(set(captions[: size // 2])), len(set(captions))
    growth = min(1.0, math.log(whole / half) / math.log(size / (size // 2)))
    distinct = min(steps, round(whole * (steps / size) ** growth))
    used = _usage(captions, distinct, prompt)
    counts = Counter(captions)
    requests = distinct / (pace or Pace()).requests_per_minute
    tokens = used.prompt_tokens + used.completion_tokens
    return Forecast(
        steps=steps,
        captions=distinct,
        growth=growth,
        tokens=tokens,
        money=used.cost(prices),
        minutes=max(requests, tokens / (pace or Pace()).tokens_per_minute),
        for_half=_needed(counts, 0.5),
        for_most=_needed(counts, 0.95),
    )


def _usage(captions: Sequence[str], distinct: int, prompt: LabelPrompt) -> Usage:
    """Return the tokens of so many questions, of this stream's average length."""
    texts = list(set(captions))
    asked = (prompt.messages(text) for text in texts)
    sizes = [sum(estimate_tokens(part) for _, part in one) for one in asked]
    mean = sum(sizes) / len(sizes)
    return Usage(round(mean * distinct), _ANSWER * distinct, estimated=True)


def _needed(counts: Counter[str], share: float) -> int:
    """Return how many of the most frequent captions cover a share of the steps."""
    left = share * counts.total()
    for number, (_, count) in enumerate(counts.most_common(), start=1):
        left -= count
        if left <= 0:
            return number
    return len(counts)
