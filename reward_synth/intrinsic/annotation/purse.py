"""What annotations may cost: reserved before a request, settled after it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.llm import ChatRequest, Completion, Prices, Usage, spent_before
from reward_synth.llm.answer import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The most that may be spent, in the sum over all runs of one journal.

    Raises:
        UsageError: A limit is not above 0, or money is limited without prices.
    """

    calls: float = math.inf
    """HTTP requests."""
    tokens: float = math.inf
    money: float = math.inf
    """In the currency of ``prices``."""
    seconds: float = math.inf
    """Wall time from the start of this run."""
    prices: Prices | None = None

    def __post_init__(self) -> None:
        """Check the limits."""
        for name in ("calls", "tokens", "money", "seconds"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be above 0; got {getattr(self, name)}.")
        if self.prices is None and math.isfinite(self.money):
            raise UsageError(
                "A limit in money needs prices, for example Prices(0.1, 0.4)."
            )


@dataclass(frozen=True, slots=True)
class Amount:
    """Calls, tokens and money."""

    calls: float = 0.0
    tokens: float = 0.0
    money: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.money + other.money,
        )

    def __sub__(self, other: Amount) -> Amount:
        """Return the difference."""
        return self + Amount(-other.calls, -other.tokens, -other.money)


class Purse:
    """Reserves the most that an attempt can cost, and settles what it did cost.

    What no server counted is charged as reserved. For one thread.

    Example:
        >>> purse = Purse(Spending(tokens=1000))
        >>> request = ChatRequest("tiny", (("user", "Hi"),), max_tokens=100)
        >>> held = purse.reserve(request)
        >>> purse.settle(held, Answer("ok", "Hello", "stop", 8, 2, http_status=200))
        >>> purse.spent.tokens, purse.spent.calls, purse.reached
        (10.0, 1.0, '')
    """

    def __init__(
        self,
        spending: Spending,
        spent: Amount | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spending = spending
        self.spent = spent or Amount()
        self.held = Amount()
        self.reached = ""
        """Which limit is used up, in a sentence; empty: none."""
        self._clock = clock
        self._began = clock()

    def reserve(self, request: ChatRequest) -> Amount | None:
        """Reserve one attempt; None: it does not fit now.

        Where nothing is in flight that could turn out cheaper, ``reached`` tells why.
        """
        asked = self._amount(Usage.worst_case(request))
        said = self._lacking(self.spent + self.held + asked)
        if not said:
            self.held += asked
            return asked
        if self.held.calls <= 0:
            self.reached = said
        return None

    def settle(self, held: Amount, answer: Answer | None) -> None:
        """Charge what an attempt cost; None: it was never sent."""
        self.held -= held
        if self.held.calls <= 0:
            self.held = Amount()  # sums of floats leave a rest
        if answer is None:
            return
        counted = Usage(answer.prompt_tokens, answer.completion_tokens)
        self.spent += held if answer.uncounted else self._amount(counted)

    def _lacking(self, total: Amount) -> str:
        limits = self.spending
        for name in ("calls", "tokens", "money"):
            if getattr(total, name) > getattr(limits, name):
                spent = getattr(self.spent, name)
                return (
                    f"The budget of {getattr(limits, name):g} {name} is used up: "
                    f"{spent:g} are spent and the next request may need "
                    f"{getattr(total, name) - spent:g} more."
                )
        if self._clock() - self._began > limits.seconds:
            return f"The budget of {limits.seconds:g} seconds is used up."
        return ""

    def _amount(self, usage: Usage) -> Amount:
        tokens = float(usage.prompt_tokens + usage.completion_tokens)
        return Amount(1.0, tokens, usage.cost(self.spending.prices) or 0.0)


def recorded(
    asked: Iterable[tuple[ChatRequest, Completion | None]], prices: Prices | None
) -> Amount:
    """Return what recorded requests have cost at most.

    A request without a completion may have been answered before a kill: it is charged
    with the most that it can cost.

    Example:
        >>> request = ChatRequest("tiny", (("user", "Hi"),), max_tokens=36)
        >>> recorded([(request, Completion("Yes", "ok", "stop", 8, 2))], None).tokens
        10.0
        >>> recorded([(request, None)], None).tokens
        102.0
    """
    total = Amount()
    for request, found in asked:
        completion = found or Completion("", "connection", attempts=1, uncounted=1)
        pairs = [(request, completion)]
        money = spent_before(pairs, prices) if prices is not None else 0.0
        total += Amount(completion.attempts, spent_before(pairs, None), money)
    return total
