"""The kinds of fault, each bent out of a good answer's body."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.llm.server import Behaviour

PROGRAM = (
    "```python\nimport numpy as np\n\n\ndef compute_reward(position, velocity):\n"
    '    return {"place": position, "speed": 10.0 * np.abs(velocity)}\n```'
)
SLOW = frozenset({"slow", "drip", "slow headers", "slow error"})
_LONG = 6.0
"""Seconds that slow servers take; longer than any timeout here."""

Bend = Callable[[bytes], "Behaviour"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault and what the policy says of it."""

    name: str
    bend: Bend
    statuses: frozenset[str]
    """Outcomes that name it; ``refused``: the run ends at once."""
    most: int
    """Requests of one call, of three that the policy allows."""
    overcome: bool
    """Whether one more request is made, so that a fault that comes once is overcome."""
    code: int
    """Exit code of a run that meets nothing else."""


def good_answer() -> bytes:
    """Return the body of our own good answer."""
    from tests.llm.server import USAGE, completion

    return json.dumps(completion({"content": PROGRAM}, usage=USAGE)).encode()


def _kinds() -> tuple[Kind, ...]:
    from tests.llm import server as s

    def edited(change: Callable[[Any], Any]) -> Bend:
        return lambda body: s.Raw(json.dumps(change(json.loads(body))).encode())

    def message(**fields: Any) -> Bend:
        def change(data: Any) -> Any:
            choice = data["choices"][0]
            finish = fields.get("finish_reason", choice["finish_reason"])
            kept = {k: v for k, v in fields.items() if k != "finish_reason"}
            choice = {**choice, "message": {**choice["message"], **kept}}
            return {**data, "choices": [{**choice, "finish_reason": finish}]}

        return edited(change)

    def parts(data: Any) -> Any:
        choice = data["choices"][0]
        text = [{"type": "text", "text": choice["message"]["content"]}]
        return {**data, "choices": [{**choice, "message": {"content": text}}]}

    def always(behaviour: Behaviour) -> Bend:
        return lambda _: behaviour

    def half(body: bytes) -> Behaviour:
        return s.Close(body[: len(body) // 2])

    def lying(by: int) -> Bend:
        return lambda body: s.Bytes(_head(len(body) + by) + body)

    usable = frozenset({"ok", "length", "empty"})

    def fine(name: str, bend: Bend) -> Kind:
        return Kind(name, bend, usable, 1, overcome=False, code=0)

    def nothing(name: str, bend: Bend, status: str) -> Kind:
        return Kind(name, bend, frozenset({status}), 1, overcome=False, code=1)

    def bad(name: str, bend: Bend) -> Kind:
        return Kind(name, bend, frozenset({"bad_response"}), 2, overcome=True, code=1)

    def down(name: str, bend: Bend, status: str) -> Kind:
        return Kind(name, bend, frozenset({status}), 3, overcome=True, code=75)

    def refused(name: str, behaviour: Behaviour) -> Kind:
        return Kind(
            name, always(behaviour), frozenset({"refused"}), 1, overcome=False, code=3
        )

    return (
        fine("good", s.Raw),
        fine("missing usage", edited(lambda d: {**d, "usage": None})),
        fine("usage of wrong types", edited(lambda d: {**d, "usage": {"prompt_tokens": "7", "completion_tokens": -1}})),
        fine("content in parts", edited(parts)),
        fine("unknown fields", edited(lambda d: {**d, "x": [{}] * 9, "choices": d["choices"] * 3})),
        nothing("cut at max_tokens", message(content="```python\ndef comp", finish_reason="length"), "length"),
        nothing("empty text", message(content=""), "empty"),
        nothing("null with thoughts", message(content=None, reasoning_content="Hm."), "empty"),
        nothing("a tool call", message(content=None, tool_calls=[{"id": "1"}], finish_reason="tool_calls"), "empty"),
        nothing("refusal", message(content=None, refusal="I must not."), "refusal"),
        nothing("content filter", message(content="ha", finish_reason="content_filter"), "filtered"),
        nothing("content is a number", message(content=5), "empty"),
        nothing("HTTP 400", always(s.Status(400)), "rejected"),
        nothing("HTTP 413", always(s.Status(413)), "rejected"),
        nothing("HTTP 422", always(s.Status(422)), "rejected"),
        bad("no choices", edited(lambda d: {**d, "choices": []})),
        bad("choices of wrong type", edited(lambda d: {**d, "choices": {"0": 1}})),
        bad("error with 200", edited(lambda _: {"error": {"message": "busy"}})),
        bad("HTML with 200", always(s.Html())),
        bad("half of the JSON", lambda body: s.Raw(body[: len(body) // 2])),
        bad("invalid UTF-8", lambda body: s.Raw(b"\xff\xfe" + body)),
        bad("a JSON list", lambda body: s.Raw(b"[" + body + b"]")),
        bad("deep JSON", always(s.Raw(b"[" * 100_000))),
        bad("empty body", always(s.Raw(b""))),
        bad("server-sent events", lambda body: s.Raw(b"data: " + body + b"\n\ndata: [DONE]\n\n")),
        bad("huge body", always(s.Raw(b" " * 9_000_000))),
        bad("gzip bomb", always(s.Bomb(40))),
        bad("length too small", lying(-20)),
        down("length too large", lying(20), "connection"),
        down("reset in mid body", half, "connection"),
        down("reset before any answer", always(s.Close(before_answer=True)), "connection"),
        down("another protocol", always(s.NoHttp()), "connection"),
        down("broken chunks", always(s.BrokenChunks()), "connection"),
        down("slow", always(s.Slow(_LONG)), "timeout"),
        down("drip", always(s.Drip(_LONG)), "timeout"),
        down("slow headers", always(s.SlowHeaders(_LONG)), "timeout"),
        down("slow error", always(s.SlowError(_LONG)), "timeout"),
        down("HTTP 408", always(s.Status(408)), "timeout"),
        down("HTTP 429", always(s.Status(429)), "rate_limited"),
        down("HTTP 429 and when", always(s.Status(429, headers={"retry-after-ms": "20"})), "rate_limited"),
        down("HTTP 500", always(s.Status(500)), "server_error"),
        down("HTTP 503", always(s.Status(503, retry_after="0")), "server_error"),
        refused("HTTP 401", s.Status(401)),
        refused("HTTP 402", s.Status(402)),
        refused("HTTP 403", s.Status(403)),
        refused("HTTP 404", s.Status(404)),
        refused("no credit", s.Status(429, error={"code": "insufficient_quota"})),
        refused("redirect elsewhere", s.Redirect("http://127.0.0.1:9/v1/chat/completions")),
        refused("redirect in a circle", s.Redirect("/v1/chat/completions", 302)),
    )  # fmt: skip


def _head(length: int) -> bytes:
    lines = ("HTTP/1.1 200 OK", "Content-Type: application/json")
    text = "\r\n".join((*lines, f"Content-Length: {length}"))
    return f"{text}\r\nConnection: close\r\n\r\n".encode()


KINDS = _kinds()
