"""What a status other than HTTP 200 means."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.errors import EndpointError
from reward_synth.llm.answer import Answer, clean, error_message
from reward_synth.llm.chat import Status
from reward_synth.llm.secrets import KEY_VARIABLE, public_url
from reward_synth.llm.spelling import unsupported_parameter

_CURES = {
    401: f"refused the API key. Set {KEY_VARIABLE} to a key of this server",
    402: "has no credit left for this key. Add credit, or use another server",
    403: "does not let this key use the model. Use another key or another model",
    404: "knows no such model or address. Check the model's name, and that the "
    "address ends where /chat/completions is to follow (mostly in /v1)",
}

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which model at which address; names both in errors."""

    model: str
    base_url: str

    @property
    def shown(self) -> str:
        """The address without user, password and query."""
        return public_url(self.base_url)

    def moved(self, code: int) -> EndpointError:
        """Return the error for a redirect, which would carry the prompt elsewhere."""
        return EndpointError(
            f"The model server {self.shown} (model {self.model!r}) sends requests to "
            f"another address (HTTP {code}), which is not followed. Give the address "
            "it moved to, with https:// if it has it."
        )

    def refuse(self, code: int, said: str) -> EndpointError:
        """Return the error for a status that no repetition can cure."""
        quoted = f" The server said: {said}" if said else ""
        return EndpointError(
            f"The model server {self.shown} (model {self.model!r}) "
            f"{_CURES[code]} (HTTP {code}).{quoted}"
        )


def read_refusal(
    endpoint: Endpoint, code: int, body: object, retry_after: float | None
) -> Answer:
    """Turn an HTTP error into an answer.

    Args:
        endpoint: Named in the error.
        code: The HTTP status.
        body: The parsed error body, or its text, or None.
        retry_after: Seconds that the server asks to wait.

    Raises:
        EndpointError: If no request to this endpoint can succeed.
    """
    said = clean(error_message(body))
    if code in _REDIRECTS:
        raise endpoint.moved(code)
    if code in _CURES:
        raise endpoint.refuse(code, said)
    if code == 429 and "insufficient_quota" in str(body):  # noqa: PLR2004
        raise endpoint.refuse(402, said)
    wait = "" if retry_after is None else f", asks to wait {retry_after:g} s"
    return Answer(
        status_of(code),
        http_status=code,
        error=f"HTTP {code}{wait}: {said}" if said else f"HTTP {code}{wait}",
        retry_after=retry_after,
        unsupported=unsupported_parameter(code, body),
    )


def status_of(code: int) -> Status:
    """Return the status for an HTTP error.

    Example:
        >>> status_of(429), status_of(503), status_of(422)
        ('rate_limited', 'server_error', 'rejected')
    """
    named: dict[int, Status] = {408: "timeout", 429: "rate_limited"}
    if code in named:
        return named[code]
    if code in {409, 425} or code >= 500:  # noqa: PLR2004 - server errors
        return "server_error"
    return "rejected"
