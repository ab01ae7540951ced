"""A limit on what a run may spend, kept also by calls that run at once."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reward_synth.errors import BudgetReachedError, UsageError
from reward_synth.llm.answer import Answer
from reward_synth.llm.chat import ChatRequest, Completion
from reward_synth.llm.usage import Prices, Usage

_DUST = 1e-9


@dataclass(slots=True)
class Payment:
    """What an attempt reserved, and what it brought."""

    held: float
    answer: Answer | None = None
    """None: it raised, so nothing was answered."""


class Budget:
    """Reserves the most that an attempt can cost, and settles what it did cost.

    What nobody counted is charged as reserved. Safe to use from several threads: an
    attempt that does not fit waits for those in flight, which mostly cost less than
    they reserved.

    A server that keeps ``max_tokens`` never brings the sum above the limit. From one
    that does not, the budget learns by how much to reserve more.

    Example:
        >>> budget = Budget(1000.0)
        >>> request = ChatRequest("tiny", (("user", "Hi"),), max_tokens=100)
        >>> with budget.attempt(request) as payment:
        ...     payment.answer = Answer("ok", "Hello", "stop", 8, 2, http_status=200)
        >>> budget.spent
        10.0

    Args:
        limit: In the currency of ``prices``, else in tokens.
        prices: What tokens cost; None: tokens are counted.
        spent: What an earlier part of the run has spent, see :func:`spent_before`.
    """

    def __init__(
        self, limit: float, prices: Prices | None = None, spent: float = 0.0
    ) -> None:
        if not (math.isfinite(limit) and limit > 0):
            raise UsageError(
                f"A budget must be a number above 0; got {limit}. Leave it out to spend "
                "without a limit."
            )
        self.limit = limit
        self.prices = prices
        self._spent = spent
        self._held = 0.0
        self._stretch = 1.0
        self._change = threading.Condition()

    @property
    def spent(self) -> float:
        """What is spent for certain or may have been."""
        with self._change:
            return self._spent

    @contextmanager
    def attempt(self, request: ChatRequest) -> Iterator[Payment]:
        """Reserve the most that one attempt can cost, and settle what it did cost.

        Raises:
            BudgetReachedError: It does not fit any more; the block is not entered.
        """
        payment = Payment(self._reserve(request))
        try:
            yield payment
        finally:
            self._settle(payment)

    def _reserve(self, request: ChatRequest) -> float:
        with self._change:
            while True:
                asked = self._stretch * price(Usage.worst_case(request), self.prices)
                if self._spent + self._held + asked <= self.limit:
                    self._held += asked
                    return asked
                if self._held <= 0:
                    raise self._reached(asked)
                self._change.wait()

    def _settle(self, payment: Payment) -> None:
        held = payment.held
        cost = self._cost(held, payment.answer)
        with self._change:
            self._spent += cost
            # Sums of floats must not leave a rest, for which others would wait.
            rest = self._held - held
            self._held = rest if rest > _DUST * self.limit else 0.0
            if held > 0:
                self._stretch = max(self._stretch, self._stretch * cost / held)
            self._change.notify_all()

    def _cost(self, held: float, answer: Answer | None) -> float:
        if answer is None:  # it raised: refused for good, or interrupted
            return 0.0
        if answer.uncounted:
            return held
        counted = Usage(answer.prompt_tokens, answer.completion_tokens)
        return price(counted, self.prices)

    def _reached(self, asked: float) -> BudgetReachedError:
        unit = "tokens" if self.prices is None else "in the currency of the prices"
        return BudgetReachedError(
            f"The budget of {self.limit:g} ({unit}) is used up: {self._spent:g} are "
            f"spent, and the next request can cost {asked:g}. Nothing was lost: the "
            "same command with a larger budget goes on."
        )


def price(usage: Usage, prices: Prices | None) -> float:
    """Return a usage in the currency of ``prices``, else in tokens.

    Example:
        >>> price(Usage(1000, 500), Prices(1.0, 2.0)), price(Usage(1000, 500), None)
        (0.002, 1500.0)
    """
    cost = usage.cost(prices)
    return (
        float(usage.prompt_tokens + usage.completion_tokens) if cost is None else cost
    )


def spent_before(
    asked: Iterable[tuple[ChatRequest, Completion]], prices: Prices | None
) -> float:
    """Return what recorded calls have spent, at most.

    Example:
        >>> request = ChatRequest("tiny", (("user", "Hi"),), max_tokens=100)
        >>> spent_before([(request, Completion("", "ok", "stop", 8, 2))], None)
        10.0
    """
    return sum(
        price(Usage.of(completion), prices)
        + completion.uncounted * price(Usage.worst_case(request), prices)
        for request, completion in asked
    )
