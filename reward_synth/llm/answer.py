"""Reading what one attempt brought: a body with HTTP 200, or an error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

from reward_synth.llm.chat import ChatRequest, Completion, Status
from reward_synth.llm.usage import estimate_prompt, estimate_tokens

_THOUGHTS = ("reasoning_content", "reasoning")
RAW_LIMIT = 64 * 1024
ERROR_LIMIT = 300

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt brought; several of them make a ``Completion``."""

    status: Status
    text: str = ""
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usage_estimated: bool = False
    http_status: int | None = None
    error: str = ""
    raw: str = ""
    """The body, if it came with HTTP 200 and holds no usable text."""
    retry_after: float | None = None
    """Seconds that the server asks to wait; None if it does not ask."""
    unsupported: str = ""
    """The parameter that the server does not know; empty if there is none."""
    uncounted: bool = False
    """True if the attempt may have cost something that nobody counted."""
    calls: str = ""
    """Calls of offered tools, as in ``Completion``."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Tokens of one body."""

    prompt: int
    completion: int
    estimated: bool


def read_answer(body: str, request: ChatRequest) -> Answer:
    """Read the body of an answer with HTTP 200; never raises for what it holds.

    Example:
        >>> request = ChatRequest("tiny", (("user", "Hello"),))
        >>> read_answer("<html>Sign in</html>", request).error
        'the answer is not JSON: <html>Sign in</html>'
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return _bad(body, request, f"the answer is not JSON: {one_line(body)}")
    if not isinstance(parsed, dict):
        return _bad(body, request, f"the answer is no JSON object: {one_line(body)}")
    message = _first_message(parsed)
    if message is None:
        said = error_message(parsed) or "the answer has no choices with a message"
        return _bad(body, request, said, parsed)
    return _judge(body, request, parsed, message)


def partial_answer(
    status: Status, body: str, request: ChatRequest, error: str
) -> Answer:
    """Return the answer for a body with HTTP 200 that broke off.

    Its beginning is kept and counted: the whole may have been paid for.
    """
    counts = _estimate(body, request)
    return Answer(
        status,
        prompt_tokens=counts.prompt,
        completion_tokens=counts.completion,
        usage_estimated=True,
        uncounted=True,
        http_status=200,
        error=error,
        raw=clip(body),
    )


def fold(tried: Sequence[Answer], seconds: float, notes: tuple[str, ...]) -> Completion:
    """Return the completion that several attempts made.

    Example:
        >>> fold([Answer("timeout"), Answer("ok", "Hi", "stop", 7, 2)], 1.5, ()).attempts
        2
    """
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
        notes=notes,
        uncounted=sum(answer.uncounted for answer in tried),
        calls=last.calls,
    )


def _clip_all(bodies: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    left = RAW_LIMIT
    for body in bodies:
        kept.append(clip(body, left))
        left -= len(kept[-1].encode())
    return tuple(item for item in kept if item)


def error_message(body: object) -> str:
    """Return the message of an error body in one line; empty if there is none.

    Example:
        >>> error_message({"error": {"message": "overloaded", "code": 1}})
        'overloaded'
        >>> error_message({"detail": "not found"})
        'not found'
    """
    if not isinstance(body, dict):
        return one_line(body) if isinstance(body, str) else ""
    inner = body.get("error", body)
    if isinstance(inner, dict):
        inner = inner.get("message", inner.get("detail", ""))
    return one_line(inner) if isinstance(inner, str) else ""


def one_line(text: str, limit: int = ERROR_LIMIT) -> str:
    """Return ``text`` without line breaks, cut at ``limit`` characters."""
    flat = " ".join(text[: 4 * limit].split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def clip(text: str, limit: int = RAW_LIMIT) -> str:
    """Return ``text`` cut so that its UTF-8 form has at most ``limit`` bytes."""
    return clean(text[:limit]).encode()[:limit].decode(errors="ignore")


def clean(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and files cannot."""
    return text.encode(errors="replace").decode()


def _bad(body: str, request: ChatRequest, error: str, parsed: Json = {}) -> Answer:  # noqa: B006 - never changed
    counts = _counts(parsed, body, request)
    return Answer(
        "bad_response",
        prompt_tokens=counts.prompt,
        completion_tokens=counts.completion,
        usage_estimated=counts.estimated,
        uncounted=counts.estimated,
        http_status=200,
        error=clean(error),
        raw=clip(body),
    )


def _judge(body: str, request: ChatRequest, parsed: Json, message: Json) -> Answer:
    text = clean(_content(message))
    finish = _word(parsed["choices"][0].get("finish_reason"))
    status, error = _status(text, finish, message)
    calls = _calls(message) if request.tools else ""
    if calls and status == "empty":
        status, error = ("length" if finish == "length" else "ok"), ""
    counts = _counts(parsed, text or body, request)
    return Answer(
        status,
        text=text,
        finish_reason=finish,
        prompt_tokens=counts.prompt,
        completion_tokens=counts.completion,
        usage_estimated=counts.estimated,
        uncounted=counts.estimated,
        http_status=200,
        error=clean(error),
        raw="" if status in {"ok", "length"} else clip(body),
        calls=calls,
    )


def _status(text: str, finish: str, message: Json) -> tuple[Status, str]:
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        return "refusal", f"the model refused: {one_line(refusal)}"
    if finish == "content_filter":
        return "filtered", "the server's content filter stopped the answer"
    if text.strip():
        return ("length", "") if finish == "length" else ("ok", "")
    return "empty", _why_empty(finish, message)


def _why_empty(finish: str, message: Json) -> str:
    if finish == "length":
        return "max_tokens was used up before any text; raise it"
    if message.get("tool_calls"):
        return "the answer calls a tool and holds no text"
    if any(isinstance(message.get(key), str) for key in _THOUGHTS):
        return "the answer holds thoughts but no text"
    return "the answer holds no text"


def _first_message(parsed: Json) -> Json | None:
    choices = parsed.get("choices")
    if not isinstance(choices, list) or not choices:
        return None
    message = choices[0].get("message") if isinstance(choices[0], dict) else None
    return message if isinstance(message, dict) else None


def _content(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    # Some servers answer with a list of parts, as requests may have them.
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _calls(message: Json) -> str:
    """Return the functions that a message calls, as JSON text; empty if there is none."""
    made = message.get("tool_calls")
    items = made if isinstance(made, list) else []
    found = [item.get("function") for item in items if isinstance(item, dict)]
    named = [item for item in found if isinstance(item, dict)]
    kept = [{key: item.get(key) for key in ("name", "arguments")} for item in named]
    return clean(json.dumps(kept, ensure_ascii=False)) if kept else ""


def _counts(parsed: Json, text: str, request: ChatRequest) -> _Counts:
    usage = parsed.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if _is_count(prompt) and _is_count(completion):
        return _Counts(prompt, completion, estimated=False)
    return _estimate(text, request)


def _estimate(text: str, request: ChatRequest) -> _Counts:
    tokens = min(estimate_tokens(text), request.max_tokens)
    return _Counts(estimate_prompt(request), tokens, estimated=True)


def _is_count(value: object) -> TypeGuard[int]:
    # Above 2**53 it is no count, and SQLite and JSON readers may not hold it.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _word(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""
