"""The client for servers that speak OpenAI's chat completions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.llm.answer import (
    RAW_LIMIT,
    Answer,
    clip,
    one_line,
    partial_answer,
    read_answer,
)
from reward_synth.llm.chat import ChatRequest, Completion, Status
from reward_synth.llm.refusal import Endpoint, read_refusal
from reward_synth.llm.retry import RetryPolicy, read_retry_after
from reward_synth.llm.secrets import check_url, find_key
from reward_synth.llm.spelling import Spelling

if TYPE_CHECKING:
    import openai

DEFAULT_URL = "https://api.openai.com/v1"
URL_VARIABLE = "OPENAI_BASE_URL"
LARGEST_BODY = 8 * 1024 * 1024
SHORTEST_TIMEOUT = 0.1
"""Seconds; near the deadline an attempt still gets this long to connect."""

# Errors of the transport below openai, which it lets through while a body is read.
_TRANSPORT = frozenset({"openai", "httpx2", "httpx", "httpcore2", "httpcore", "anyio"})


class OpenAIChat:
    """Sends one HTTP request a sample and repeats it as ``policy`` says.

    Safe to call from several threads at once.

    Args:
        model: The model's name, as the server spells it.
        base_url: The server's address; by default ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: By default ``OPENAI_API_KEY``; servers without keys need none.
        policy: The one retry layer.
        timeout: Seconds for one attempt, from connecting to the last byte.

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
    ) -> None:
        if not timeout > 0:
            raise UsageError(f"timeout must be above 0 seconds; got {timeout}.")
        url = check_url(base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self.endpoint = Endpoint(model, url)
        self.policy = policy
        self.timeout = timeout
        self._secret = find_key(api_key)
        self._spelling = Spelling()
        self._client = _build_client(url, self._secret.reveal())

    def complete(self, request: ChatRequest, /) -> Completion:
        """Answer ``request``; every trouble of server or model becomes a status.

        Raises:
            EndpointError: If the server refuses the key, the model or the address.
            UsageError: If the request is for another model.
        """
        self._check(request)
        began = self.policy.clock()
        tried: list[Answer] = []
        while True:
            left = self.policy.deadline - (self.policy.clock() - began)
            limit = max(SHORTEST_TIMEOUT, min(self.timeout, left))
            tried.append(self._attempt(request, limit))
            elapsed = self.policy.clock() - began
            if self._respell(tried[-1]):
                continue
            pause = self.policy.pause(tried, elapsed)
            if pause is None:
                return self._fold(tried, elapsed)
            self.policy.sleep(pause)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _check(self, request: ChatRequest) -> None:
        if request.model != self.endpoint.model:
            raise UsageError(
                f"The request is for model {request.model!r}, but this client serves "
                f"{self.endpoint.model!r}. Build one client a model."
            )

    def _attempt(self, request: ChatRequest, limit: float) -> Answer:
        from openai import APIStatusError  # noqa: PLC0415 - loaded on demand

        received = bytearray()
        try:
            return self._exchange(request, limit, received)
        except APIStatusError as error:
            wait = read_retry_after(error.response.headers, self.policy.now())
            refused = (error.status_code, self._redact_body(error.body), wait)
        except Exception as error:  # narrowed by _broken, which passes on the rest
            return self._broken(error, request, limit, bytes(received))
        # Outside the handler, so that no error of ours drags the server's along.
        return read_refusal(self.endpoint, *refused)

    def _exchange(
        self, request: ChatRequest, limit: float, received: bytearray
    ) -> Answer:
        ends = self.policy.clock() + limit
        create = self._client.chat.completions.with_streaming_response.create
        with create(**self._spelling.body(request), timeout=limit) as response:
            # Each chunk has a time limit of its own, so a server that drips bytes
            # would hold us for ever without this one.
            for chunk in response.iter_bytes():
                received += chunk
                if self.policy.clock() > ends:
                    raise TimeoutError
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
        said = f"no answer within {limit:g} s" if late else one_line(str(cause))
        status: Status = "timeout" if late else "connection"
        text = self._secret.redact(f"{said} ({self.endpoint.shown})")
        if received:
            body = self._text(received)
            return partial_answer(status, body, request, f"{text}, broke off")
        return Answer(status, error=text)

    def _too_large(self, request: ChatRequest, received: bytes) -> Answer:
        error = f"the answer is longer than {LARGEST_BODY} bytes"
        return partial_answer("bad_response", self._text(received), request, error)

    def _respell(self, answer: Answer) -> bool:
        spelling = self._spelling.without(answer.unsupported)
        changed = spelling != self._spelling
        self._spelling = spelling
        return changed

    def _fold(self, tried: Sequence[Answer], seconds: float) -> Completion:
        last = tried[-1]
        return Completion(
            text=last.text,
            status=last.status,
            finish_reason=last.finish_reason,
            prompt_tokens=sum(answer.prompt_tokens for answer in tried),
            completion_tokens=sum(answer.completion_tokens for answer in tried),
            usage_estimated=any(answer.usage_estimated for answer in tried),
            attempts=len(tried),
            seconds=seconds,
            http_status=last.http_status,
            error=last.error,
            raw=_clip_all(answer.raw for answer in tried if answer.raw),
            notes=self._spelling.notes,
        )

    def _text(self, body: bytes) -> str:
        return self._secret.redact(body.decode("utf-8", errors="replace"))

    def _redact_body(self, body: object) -> object:
        if isinstance(body, dict):
            return {name: self._redact_body(value) for name, value in body.items()}
        return self._secret.redact(body) if isinstance(body, str) else body


def _build_client(url: str, key: str) -> openai.OpenAI:
    try:
        import openai  # noqa: PLC0415 - heavy, and only here is it needed
    except ImportError as cause:
        raise MissingExtraError("openai", "llm") from cause
    return openai.OpenAI(api_key=key, base_url=url, max_retries=0)


def _clip_all(bodies: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    left = RAW_LIMIT
    for body in bodies:
        kept.append(clip(body, left))
        left -= len(kept[-1].encode())
    return tuple(item for item in kept if item)
