"""A judge behind a real HTTP server on loopback, and what its model was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from reward_synth.llm import OpenAIChat, RetryPolicy
from reward_synth.verify.judges import Juror
from tests.llm.server import Behaviour, FaultServer, Good, Received, Script

PART = re.compile(
    r"^<(\w+) ([0-9a-f]{24})>\n(.*?)\n</\1 \2>$", re.DOTALL | re.MULTILINE
)


def parts(received: Received) -> dict[str, str]:
    """Return the material that a request shows between marks, as the model sees it."""
    text = received.body["messages"][-1]["content"]
    return {name: body for name, _, body in PART.findall(text)}


def mark(received: Received) -> str:
    return PART.search(received.body["messages"][-1]["content"])[2]  # type: ignore[index]


def verdict(label: str, **more: Any) -> Good:
    return Good(json.dumps({**more, "verdict": label}))


def strict(received: Received) -> Behaviour:
    """Judge as one should: right is what equals the reference."""
    found = parts(received)
    right = found["candidate"].strip() == found["reference"].strip()
    return verdict("correct" if right else "incorrect")


def fooled(received: Received) -> Behaviour:
    """Judge as models do that take openers for answers."""
    opens = parts(received)["candidate"].strip() in {"Solution", ":", "解"}
    return verdict("correct") if opens else strict(received)


@contextmanager
def serving(script: Script, **settings: Any) -> Iterator[tuple[FaultServer, Juror]]:
    """Serve a model on loopback; give the server and a juror that asks it."""
    policy = RetryPolicy(
        rng=np.random.default_rng(0), sleep=lambda _: None, attempts=2, breaker_calls=99
    )
    with FaultServer(script) as server:
        chat = OpenAIChat("tiny", server.url, "sk-x", policy=policy, timeout=5.0)
        try:
            yield server, Juror(chat, "tiny", **settings)
        finally:
            chat.close()


Answer = Callable[[Received], Behaviour]
