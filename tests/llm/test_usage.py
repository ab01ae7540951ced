"""Token sums, costs, and the retry policy's numbers."""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.errors import UsageError
from reward_synth.llm import ChatRequest, Completion, Prices, RetryPolicy, Usage
from reward_synth.llm.answer import Answer


def test_totals_add_up() -> None:
    """The total counts every completion, failed ones too, and stays marked."""
    spent = [
        Completion("a", "ok", prompt_tokens=10, completion_tokens=5),
        Completion("", "empty", prompt_tokens=20, completion_tokens=64),
        Completion("", "timeout"),
    ]
    assert Usage.total(spent) == Usage(30, 69)
    marked = Completion("b", "ok", prompt_tokens=1, usage_estimated=True)
    assert Usage.total([*spent, marked]) == Usage(31, 69, estimated=True)
    assert Usage.total([]) == Usage()


def test_cost() -> None:
    """2 M prompt tokens at 0.50 and 1 M completion tokens at 1.50 cost 2.50."""
    assert Usage(2_000_000, 1_000_000).cost(Prices(0.5, 1.5)) == 2 * 0.5 + 1.5
    assert Usage(2_000_000, 0).cost(None) is None


def test_worst_case() -> None:
    """At most a token a byte, 64 a message around them, and max_tokens.

    ``ä`` has two bytes.
    """
    request = ChatRequest("tiny", (("user", "1234567"), ("user", "ä")), max_tokens=9)
    assert Usage.worst_case(request) == Usage(7 + 2 + 2 * 64, 9, estimated=True)


@pytest.mark.parametrize("price", [-1.0, float("nan"), float("inf")])
def test_prices_that_are_none(price: float) -> None:
    """A price must be a finite number of at least 0."""
    with pytest.raises(UsageError, match="prompt tokens"):
        Prices(price, 1.0)


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"base": 0.0}, {"cap": -1.0}, {"deadline": 0.0}], ids=str
)
def test_policies_that_cannot_be(wrong: dict[str, float]) -> None:
    """A policy without an attempt or without time is refused."""
    with pytest.raises(UsageError, match=next(iter(wrong))):
        RetryPolicy(rng=np.random.default_rng(0), **wrong)  # type: ignore[arg-type]


def test_jitter_is_full_and_seeded() -> None:
    """Pauses fill [0.1, 1] of base * 2**(k-1), at most cap; a seed gives the same ones.

    The mean of 2000 draws from [0.4, 4] lies within 2.2 ± 0.1 (four standard errors).
    """
    tried = [Answer("server_error")] * 4

    def draw(cap: float) -> list[float]:
        policy = RetryPolicy(rng=np.random.default_rng(3), cap=cap)
        return [policy.pause(tried, elapsed=0.0) or 0.0 for _ in range(2000)]

    pauses = draw(cap=20.0)
    assert max(pauses) <= 4.0
    assert min(pauses) >= 0.4
    assert abs(np.mean(pauses) - 2.2) < 0.1
    assert pauses == draw(cap=20.0)
    assert max(draw(cap=1.0)) <= 1.0


def test_the_pauses_of_a_call_double() -> None:
    """One share a call: 0.5, 1, 2 and 4 s times it, whatever it is."""
    policy = RetryPolicy(rng=np.random.default_rng(3))
    share = policy.jitter()
    waits = [
        policy.pause([Answer("server_error")] * count, 0.0, share)
        for count in (1, 2, 3, 4)
    ]
    assert waits == [share * longest for longest in (0.5, 1.0, 2.0, 4.0)]
