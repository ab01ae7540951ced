"""Asks a model: journal, budget, pace, repetition, and a breaker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np

from reward_synth.errors import BudgetReachedError
from reward_synth.intrinsic.annotation.ledger import Ledger
from reward_synth.intrinsic.annotation.purse import Purse, Spending, recorded
from reward_synth.intrinsic.annotation.throttle import Pace, Throttle
from reward_synth.intrinsic.annotation.transport import AsyncTransport
from reward_synth.llm import ChatRequest, Completion, RetryPolicy
from reward_synth.llm.answer import Answer, fold

_SLOWER = frozenset({"rate_limited", "server_error", "timeout", "connection"})
_DOWN = _SLOWER - {"rate_limited"}
_WAIT = 0.02
"""Seconds between looks at a budget or a pace that others hold."""
_REST = 0.2
"""Seconds to rest before a server that is left alone is thought of again."""


def _policy() -> RetryPolicy:
    return RetryPolicy(rng=np.random.default_rng(), attempts=3, deadline=120.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a model is asked."""

    spending: Spending = field(default_factory=Spending)
    pace: Pace = field(default_factory=Pace)
    policy: RetryPolicy = field(default_factory=_policy)
    """How often one question is repeated at once; one that finds the server down is put
    back and asked again later."""
    timeout: float = 60.0
    """Seconds for one attempt."""
    unsettled: bool = True
    """Whether requests that a killed run left without an answer are made again. They may
    have been answered, and paid for, before the kill; False gives them up instead."""


class Asker:
    """Answers requests from the journal, else from a server.

    For one event loop at a time.

    Args:
        transport: Sends single attempts.
        ledger: The journal.
        asking: Limits, pace and repetition.
    """

    def __init__(
        self, transport: AsyncTransport, ledger: Ledger, asking: Asking
    ) -> None:
        self.transport = transport
        self.ledger = ledger
        self.asking = asking
        asked = list(ledger.asked())
        unsettled = (request.digest for request, found in asked if found is None)
        self.given_up = frozenset(() if asking.unsettled else unsettled)
        """Requests that are not made again, as they may have been paid for."""
        self.purse = Purse(asking.spending, recorded(asked, asking.spending.prices))
        self.throttle = Throttle(asking.pace)
        self.breaker = asking.policy.breaker()
        self.errors: dict[str, int] = {}
        """Attempts that failed, by status."""
        self._flying = 0

    def costs(self) -> dict[str, float]:
        """Return what the journal's requests have cost, over all its runs."""
        spent = self.purse.spent
        return {
            "calls": spent.calls,
            "tokens": spent.tokens,
            "money": spent.money,
            "share_of_pace": self.throttle.share,
        }

    async def complete(self, request: ChatRequest) -> Completion | None:
        """Return what stands in the journal, else ask; None: the server is down.

        Raises:
            EndpointError: No request to this server can succeed.
            BudgetReachedError: The budget is used up.
        """
        found = self.ledger.find(request)
        if found is not None:
            return found
        if request.digest in self.given_up:
            return Completion("", "bad_response", error="given up after a kill")
        if self.breaker.refusal() is not None:
            await asyncio.sleep(_REST)
            return None
        completion = await self._repeat(request)
        down = completion.status in _DOWN
        self.breaker.record(completion.error or completion.status if down else "")
        if completion.passing:
            return None
        self.ledger.settle(request, completion)
        return completion

    async def _repeat(self, request: ChatRequest) -> Completion:
        policy = self.asking.policy
        began, jitter = policy.clock(), policy.jitter()
        tried: list[Answer] = []
        while True:
            tried.append(await self._paid(request))
            elapsed = policy.clock() - began
            if self.transport.respell(tried[-1]):
                continue
            pause = policy.pause(tried, elapsed, jitter)
            if pause is None:
                return fold(tried, elapsed, self.transport.notes)
            await asyncio.sleep(pause)

    async def _paid(self, request: ChatRequest) -> Answer:
        """Make one attempt, within budget and pace."""
        while self._flying >= self.throttle.at_once:
            await asyncio.sleep(_WAIT)
        while (held := self.purse.reserve(request)) is None:
            if self.purse.reached:
                raise BudgetReachedError(self.purse.reached)
            await asyncio.sleep(_WAIT)
        answer: Answer | None = None
        self._flying += 1
        try:
            await asyncio.sleep(self.throttle.take(int(held.tokens)))
            self.ledger.intend(request)
            answer = await self.transport.attempt(request, request.digest)
            return answer
        finally:
            self._flying -= 1
            self.purse.settle(held, answer)
            self._learn(answer)

    def _learn(self, answer: Answer | None) -> None:
        if answer is None:
            return
        if answer.status in _SLOWER:
            self.throttle.complain()
        elif answer.http_status == 200:  # noqa: PLR2004 - HTTP's word for good
            self.throttle.praise()
        if answer.error:
            self.errors[answer.status] = self.errors.get(answer.status, 0) + 1
