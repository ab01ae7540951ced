"""The client for servers that speak OpenAI's chat completions."""

from __future__ import annotations

import json
import os

from reward_synth.errors import BudgetReachedError, UsageError
from reward_synth.llm.answer import Answer, fold, one_line, partial_answer, read_answer
from reward_synth.llm.budget import Budget
from reward_synth.llm.chat import ChatRequest, Completion, Status
from reward_synth.llm.refusal import Endpoint, read_refusal
from reward_synth.llm.retry import RetryPolicy, read_retry_after
from reward_synth.llm.secrets import check_url, find_key
from reward_synth.llm.spelling import HINT, Spelling
from reward_synth.llm.wire import Deadline, HttpRefusal, build_client

DEFAULT_URL = "https://api.openai.com/v1"
URL_VARIABLE = "OPENAI_BASE_URL"
LARGEST_BODY = 8 * 1024 * 1024
SHORTEST_TIMEOUT = 0.1
"""Seconds; near the deadline an attempt still gets this long to connect."""

# Errors of the transport below openai, which it lets through while a body is read.
_TRANSPORT = frozenset({"openai", "httpx2", "httpx", "httpcore2", "httpcore", "anyio"})
_DOWN: frozenset[Status] = frozenset({"server_error", "timeout", "connection"})
"""What counts for the circuit breaker; a rate limit is the word of a living server."""


class OpenAIChat:
    """Sends one HTTP request a sample and repeats it as ``policy`` says.

    Safe to call from several threads at once.

    Args:
        model: The model's name, as the server spells it.
        base_url: The server's address; by default ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: By default ``OPENAI_API_KEY``; servers without keys need none.
        policy: The one retry layer.
        timeout: Seconds for one attempt, from connecting to the last byte.
        budget: What may be spent; None: no limit.

    Raises:
        UsageError: If the address, the key or the timeout cannot be used.
        MissingExtraError: If ``openai`` is not installed.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        policy: RetryPolicy,
        timeout: float = 120.0,
        budget: Budget | None = None,
    ) -> None:
        if not timeout > 0:
            raise UsageError(f"timeout must be above 0 seconds; got {timeout}.")
        url = check_url(base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self.endpoint = Endpoint(model, url)
        self.policy = policy
        self.timeout = timeout
        self.budget = budget
        self._breaker = policy.breaker()
        self._secret = find_key(api_key)
        self._spelling = Spelling()
        self._deadline = Deadline()
        self._client = build_client(url, self._secret.reveal(), self._deadline)

    def complete(self, request: ChatRequest, /) -> Completion:
        """Answer ``request``; every trouble of server or model becomes a status.

        Raises:
            EndpointError: If the server refuses the key, the model or the address.
            BudgetReachedError: If the first attempt does not fit into the budget.
            UsageError: If the request is for another model.
        """
        self._check(request)
        refusal = self._breaker.refusal()
        if refusal is not None:
            error = f"{refusal} ({self.endpoint.shown})"
            return Completion("", "connection", attempts=0, error=error)
        completion = self._repeat(request)
        down = completion.status in _DOWN
        self._breaker.record(completion.error or completion.status if down else "")
        return completion

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _check(self, request: ChatRequest) -> None:
        if request.model != self.endpoint.model:
            raise UsageError(
                f"The request is for model {request.model!r}, but this client serves "
                f"{self.endpoint.model!r}. Build one client a model."
            )

    def _repeat(self, request: ChatRequest) -> Completion:
        began = self.policy.clock()
        jitter = self.policy.jitter()
        tried: list[Answer] = []
        while True:
            left = self.policy.deadline - (self.policy.clock() - began)
            limit = max(SHORTEST_TIMEOUT, min(self.timeout, left))
            try:
                tried.append(self._paid(request, limit))
            except BudgetReachedError:
                if not tried:
                    raise
                return fold(tried, self._seconds(began), self._spelling.notes)
            elapsed = self._seconds(began)
            if self._respell(tried[-1], request):
                continue
            pause = self.policy.pause(tried, elapsed, jitter)
            if pause is None:
                return fold(tried, elapsed, self._spelling.notes)
            self.policy.sleep(pause)

    def _seconds(self, began: float) -> float:
        return self.policy.clock() - began

    def _paid(self, request: ChatRequest, limit: float) -> Answer:
        """Make one attempt within the budget."""
        if self.budget is None:
            return self._attempt(request, limit)
        with self.budget.attempt(request) as payment:
            payment.answer = self._attempt(request, limit)
        return payment.answer

    def _attempt(self, request: ChatRequest, limit: float) -> Answer:
        received = bytearray()
        try:
            with self._deadline.within(limit):
                return self._exchange(request, limit, received)
        except HttpRefusal as refusal:
            caught = refusal
        except Exception as error:  # narrowed by _broken, which passes on the rest
            return self._broken(error, request, limit, bytes(received))
        # Outside the handler, so that no error of ours drags the server's along.
        wait = read_retry_after(caught.headers, self.policy.now())
        body = _parsed(self._text(caught.body))
        return read_refusal(self.endpoint, caught.code, body, wait)

    def _exchange(
        self, request: ChatRequest, limit: float, received: bytearray
    ) -> Answer:
        create = self._client.chat.completions.with_streaming_response.create
        with create(**self._spelling.body(request), timeout=limit) as response:
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > LARGEST_BODY:
                    return self._too_large(request, bytes(received))
        return read_answer(self._text(bytes(received)), request)

    def _broken(
        self, error: Exception, request: ChatRequest, limit: float, received: bytes
    ) -> Answer:
        late = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
        if not late and type(error).__module__.split(".")[0] not in _TRANSPORT:
            raise error
        cause = error.__cause__ or error
        broken = one_line(self._secret.redact(str(cause)))
        said = f"no answer within {limit:g} s" if late else broken
        status: Status = "timeout" if late else "connection"
        text = f"{said} ({self.endpoint.shown})"
        if received:
            body = self._text(received)
            return partial_answer(status, body, request, f"{text}, broke off")
        # A server that was reached may have worked, and may count that.
        reached = "Connect" not in type(cause).__name__
        return Answer(status, error=text, uncounted=reached)

    def _too_large(self, request: ChatRequest, received: bytes) -> Answer:
        error = f"the answer is longer than {LARGEST_BODY} bytes"
        return partial_answer("bad_response", self._text(received), request, error)

    def _respell(self, answer: Answer, request: ChatRequest) -> bool:
        if answer.unsupported == HINT and not request.schema:
            return False
        spelling = self._spelling.without(answer.unsupported)
        changed = spelling != self._spelling
        self._spelling = spelling
        return changed

    def _text(self, body: bytes) -> str:
        return self._secret.redact(body.decode("utf-8", errors="replace"))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
