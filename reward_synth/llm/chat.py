"""What is asked of a language model, and what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypeAlias

from reward_synth.errors import UsageError

Status: TypeAlias = Literal[
    "ok",
    "length",
    "empty",
    "refusal",
    "filtered",
    "bad_response",
    "server_error",
    "rate_limited",
    "timeout",
    "connection",
    "rejected",
]
"""``ok`` and ``length`` (cut at ``max_tokens``) carry a text that can be used."""

USABLE: frozenset[Status] = frozenset({"ok", "length"})
PASSING: frozenset[Status] = frozenset(
    {"server_error", "rate_limited", "timeout", "connection"}
)
"""Troubles of the moment: the same request may well succeed later."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request for one sample.

    Example:
        >>> request = ChatRequest("tiny", (("user", "Hello"),), slot=3)
        >>> request == ChatRequest.from_payload(request.payload())
        True
        >>> request.digest[:12]
        '4122a13bbd35'
    """

    model: str
    """Name of the model, as the server spells it."""
    messages: tuple[tuple[str, str], ...]
    """Pairs of role (``system``, ``user``, ``assistant``) and content."""
    temperature: float = 1.0
    max_tokens: int = 4096
    """Largest number of tokens of the answer."""
    seed: int | None = None
    """Sent to the server if given; many servers ignore it."""
    slot: int = 0
    """Which sample of the same prompt this is; tells equal prompts apart."""
    purpose: str = "program"
    """What the answer is for, as a word for the record."""
    schema: str = ""
    """JSON schema of the answer, as JSON; a hint that servers may ignore or refuse."""
    tools: str = ""
    """Tools that the model may call: a JSON list in OpenAI's form."""
    turns: str = ""
    """What came after ``messages``: a JSON list in OpenAI's form, calls and results."""

    def __post_init__(self) -> None:
        """Check what the fields promise."""
        if not self.messages or not all(_is_message(item) for item in self.messages):
            raise UsageError(
                f"messages must be pairs of role and content; got {self.messages!r}. "
                "Write for example (('user', 'Hello'),)."
            )
        if not 0.0 <= self.temperature <= 2.0:  # noqa: PLR2004 - the protocol's range
            raise UsageError(
                f"temperature must lie in [0, 2]; got {self.temperature}. "
                "Use 1.0 for varied programs, 0.0 for the likeliest one."
            )
        if self.max_tokens < 1:
            raise UsageError(
                f"max_tokens must be at least 1; got {self.max_tokens}. "
                "A reward program needs about 1000."
            )
        if self.schema and not _is_object(self.schema):
            raise UsageError(
                f"schema must be a JSON object as text; got {self.schema[:80]!r}. "
                "Write for example json.dumps({'type': 'object'})."
            )
        for name in ("tools", "turns"):
            text = getattr(self, name)
            if text and not _is_list(text):
                raise UsageError(
                    f"{name} must be a JSON list of objects as text; got {text[:80]!r}."
                )

    def payload(self) -> dict[str, Any]:
        """Return the request as plain data for JSON."""
        payload = {**asdict(self), "temperature": float(self.temperature)}
        for name in ("schema", "tools", "turns"):
            if not payload[name]:  # keeps the identity of requests made before it was
                del payload[name]
        return payload

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> ChatRequest:
        """Rebuild the request that :meth:`payload` gave."""
        messages = tuple((role, content) for role, content in payload["messages"])
        return cls(**{**payload, "messages": messages})

    @property
    def digest(self) -> str:
        """Sha256 of the canonical JSON: the identity of the request."""
        text = json.dumps(self.payload(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """The outcome of one request; a failure is a status, never an exception.

    Example:
        >>> Completion("def compute_rew", "length").ok
        True
        >>> Completion("", "timeout", error="no answer within 60 s").ok
        False
    """

    text: str
    """What the model wrote; empty where it wrote nothing that can be used."""
    status: Status
    finish_reason: str = ""
    """The server's word for why the text ends; empty if it gave none."""
    prompt_tokens: int = 0
    """Tokens of the prompt, summed over all attempts that were answered."""
    completion_tokens: int = 0
    """Tokens of the answers, summed over all attempts that were answered."""
    usage_estimated: bool = False
    """True if a server did not count and we estimated 4 characters a token."""
    attempts: int = 1
    """HTTP requests sent."""
    seconds: float = 0.0
    """Wall time from the first request to the last answer, with pauses."""
    http_status: int | None = None
    """HTTP status of the last attempt; None if no answer came."""
    error: str = ""
    """What went wrong, in one line; empty if nothing did."""
    raw: tuple[str, ...] = ()
    """Answers with HTTP 200 but without usable text, oldest first, 64 kB in all."""
    notes: tuple[str, ...] = ()
    """What was sent otherwise than asked, because the server refused it."""
    uncounted: int = 0
    """Attempts that may have cost something that no server counted."""
    calls: str = ""
    """Calls of tools that the model made, where the request offers some: a JSON list of
    ``{"name", "arguments"}`` as the server gave them, not checked."""

    @property
    def ok(self) -> bool:
        """Whether the text can be used (it may be cut: ``length``)."""
        return self.status in USABLE

    @property
    def passing(self) -> bool:
        """Whether the trouble may pass, so that asking again makes sense."""
        return self.status in PASSING

    def payload(self) -> dict[str, Any]:
        """Return the completion as plain data for JSON."""
        payload = asdict(self)
        if not self.calls:
            del payload["calls"]
        return payload

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Completion:
        """Rebuild the completion that :meth:`payload` gave."""
        lists = {name: tuple(payload.get(name, ())) for name in ("raw", "notes")}
        return cls(**{**payload, **lists})


class ChatModel(Protocol):
    """Anything that answers a request."""

    def complete(self, request: ChatRequest, /) -> Completion:
        """Answer ``request``; troubles of the model or server are a status."""


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_list(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(item, dict) for item in found)


def _is_message(item: object) -> bool:
    return (
        isinstance(item, tuple)
        and len(item) == 2  # noqa: PLR2004 - role and content
        and all(isinstance(part, str) for part in item)
    )
