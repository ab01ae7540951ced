"""One HTTP attempt in an event loop, with the client's own reading of answers.

What :mod:`reward_synth.llm` does in threads, here for ``openai``'s asynchronous client:
one client an event loop, as it cannot be shared between loops.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from importlib import import_module
from typing import Any

from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.llm import ChatRequest
from reward_synth.llm.answer import Answer, one_line, partial_answer, read_answer
from reward_synth.llm.chat import Status
from reward_synth.llm.client import DEFAULT_URL, LARGEST_BODY, URL_VARIABLE
from reward_synth.llm.refusal import Endpoint, read_refusal
from reward_synth.llm.retry import read_retry_after
from reward_synth.llm.secrets import check_url, find_key
from reward_synth.llm.spelling import Spelling
from reward_synth.llm.wire import FIRST_FAILURE, LARGEST_ERROR, HttpRefusal

_TRANSPORT = frozenset({"openai", "httpx2", "httpx", "httpcore2", "httpcore", "anyio"})


class AsyncTransport:
    """Sends single requests; every trouble of server or model becomes a status.

    Args:
        model: The model's name, as the server spells it.
        base_url: By default ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: By default ``OPENAI_API_KEY``; servers without keys need none.
        timeout: Seconds for one attempt, from connecting to the last byte.

    Raises:
        UsageError: The address, the key or the timeout cannot be used.
        MissingExtraError: ``openai`` is not installed.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
    ) -> None:
        if not timeout > 0:
            raise UsageError(f"timeout must be above 0 seconds; got {timeout}.")
        url = check_url(base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self.endpoint = Endpoint(model, url)
        self.timeout = timeout
        self._url = url
        self._secret = find_key(api_key)
        self._spelling = Spelling()
        # Not while a training runs: importing it and reading certificates takes a second.
        self._client: Any = _build(url, self._secret.reveal())

    def respell(self, answer: Answer) -> bool:
        """Adapt to a parameter that the server refused; True: try again at once."""
        spelling = self._spelling.without(answer.unsupported)
        changed = spelling != self._spelling
        self._spelling = spelling
        return changed

    @property
    def notes(self) -> tuple[str, ...]:
        """What is sent otherwise than asked."""
        return self._spelling.notes

    async def attempt(self, request: ChatRequest, key: str) -> Answer:
        """Make one attempt.

        Args:
            request: What is asked.
            key: Sent as ``Idempotency-Key``: servers and proxies that know it answer a
                request that is made again after a crash without working twice.

        Raises:
            EndpointError: The server refuses the key, the model or the address.
        """
        received = bytearray()
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(request, key, received)
        except HttpRefusal as refusal:
            caught = refusal
        except Exception as error:  # narrowed by _broken, which passes on the rest
            return self._broken(error, request, bytes(received))
        wait = read_retry_after(caught.headers, time.time())
        text = self._text(caught.body)
        return read_refusal(self.endpoint, caught.code, _parsed(text), wait)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _exchange(
        self, request: ChatRequest, key: str, received: bytearray
    ) -> Answer:
        if self._client is None:
            self._client = _build(self._url, self._secret.reveal())
        create = self._client.chat.completions.with_streaming_response.create
        body = self._spelling.body(request)
        headers = {"Idempotency-Key": key}
        # As "extra" it is sent as it is: checking types of what we wrote ourselves takes a
        # quarter of a request's processor time, which the training beside it feels.
        given = {"model": body["model"], "messages": (), "extra_body": body}
        async with create(**given, extra_headers=headers) as response:
            async for chunk in response.iter_bytes():
                received += chunk
                if len(received) > LARGEST_BODY:
                    error = f"the answer is longer than {LARGEST_BODY} bytes"
                    text = self._text(bytes(received))
                    return partial_answer("bad_response", text, request, error)
        return read_answer(self._text(bytes(received)), request)

    def _broken(
        self, error: Exception, request: ChatRequest, received: bytes
    ) -> Answer:
        late = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
        if not late and type(error).__module__.split(".")[0] not in _TRANSPORT:
            raise error
        cause = error.__cause__ or error
        broken = one_line(self._secret.redact(str(cause)))
        said = f"no answer within {self.timeout:g} s" if late else broken
        status: Status = "timeout" if late else "connection"
        text = f"{said} ({self.endpoint.shown})"
        if received:
            body = self._text(received)
            return partial_answer(status, body, request, f"{text}, broke off")
        reached = "Connect" not in type(cause).__name__
        return Answer(status, error=text, uncounted=reached)

    def _text(self, body: bytes) -> str:
        return self._secret.redact(body.decode("utf-8", errors="replace"))


def _build(url: str, key: str) -> Any:
    try:
        openai: Any = import_module("openai")  # heavy, and only here is it needed
    except ImportError as cause:
        raise MissingExtraError("openai", "llm") from cause
    http = openai.DefaultAsyncHttpxClient(
        follow_redirects=False, event_hooks={"response": [_stop_refusals]}
    )
    client: Any = openai.AsyncOpenAI(
        api_key=key, base_url=url, max_retries=0, timeout=None, http_client=http
    )
    _ = client.chat.completions.with_streaming_response  # imports what it needs
    return client


async def _stop_refusals(response: Any) -> None:
    """Raise for a status other than 2xx, before its body is read without a bound."""
    if response.status_code < FIRST_FAILURE:
        return
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ERROR:
            break
    kept = bytes(body[:LARGEST_ERROR])
    raise HttpRefusal(response.status_code, response.headers, kept)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
