"""How a server wants the sampling parameters spelled.

Newer hosted models take ``max_completion_tokens`` only, and some fix temperature
or seed. They say so with HTTP 400 and the parameter's name, once a client.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reward_synth.llm.chat import ChatRequest

CODES = frozenset({"unsupported_parameter", "unsupported_value"})
HINT = "response_format"
OPTIONAL = frozenset({"temperature", "seed", HINT})
_REFUSED = frozenset({400, 422, 500, 501})
_WORDS = ("response_format", "json_schema", "guided_json", "grammar", "structured")
"""Of these one stands in an error that the hint caused; servers name no parameter."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """Turns a request into the body that this server takes.

    Example:
        >>> request = ChatRequest("tiny", (("user", "Hello"),), max_tokens=9)
        >>> Spelling().without("max_tokens").body(request)["max_completion_tokens"]
        9
        >>> "temperature" in Spelling().without("temperature").body(request)
        False
    """

    token_limit: str = "max_tokens"
    """Name of the limit of the answer's length."""
    dropped: frozenset[str] = frozenset()
    """Parameters that this server refuses."""

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the parameters to send; ``n`` is never among them.

        Servers differ in what they do with ``n`` (refuse it, or ignore it), so one
        request asks for one sample.
        """
        sampling = {
            "temperature": request.temperature,
            "seed": request.seed,
            HINT: _hint(request.schema),
            "tools": json.loads(request.tools) if request.tools else None,
        }
        turns = json.loads(request.turns) if request.turns else []
        return {
            "model": request.model,
            "messages": [
                *({"role": r, "content": c} for r, c in request.messages),
                *turns,
            ],
            self.token_limit: request.max_tokens,
            **{
                name: value
                for name, value in sampling.items()
                if value is not None and name not in self.dropped
            },
        }

    def without(self, parameter: str) -> Spelling:
        """Return the spelling that avoids ``parameter``; itself if none can."""
        if parameter == self.token_limit == "max_tokens":
            return replace(self, token_limit="max_completion_tokens")
        if parameter in OPTIONAL:
            return replace(self, dropped=self.dropped | {parameter})
        return self

    @property
    def notes(self) -> tuple[str, ...]:
        """What is sent otherwise than asked, one sentence each."""
        renamed = ["the server takes max_completion_tokens for max_tokens"]
        left_out = [f"the server refuses {name}; not sent" for name in self.dropped]
        return (*renamed * (self.token_limit != "max_tokens"), *sorted(left_out))


def _hint(schema: str) -> dict[str, Any] | None:
    if not schema:
        return None
    named = {"name": "answer", "schema": json.loads(schema)}
    return {"type": "json_schema", "json_schema": named}


def unsupported_parameter(code: int, body: object) -> str:
    """Return the parameter that an error body names as unknown, else ``""``.

    Args:
        code: The HTTP status.
        body: The parsed error body, or its text.

    Example:
        >>> unsupported_parameter(400, {"code": "unsupported_value", "param": "seed"})
        'seed'
        >>> unsupported_parameter(500, "json_schema is not implemented")
        'response_format'
    """
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping) and inner.get("code") in CODES:
        name = inner.get("param")
        return name if isinstance(name, str) else ""
    said = str(body).lower()
    caused = code in _REFUSED and any(word in said for word in _WORDS)
    return HINT if caused else ""
