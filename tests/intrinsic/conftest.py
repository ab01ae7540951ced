"""Services that ask a server on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Asking,
    Decoding,
    LabelPrompt,
    ModelAnnotator,
)
from reward_synth.llm import RetryPolicy
from tests.llm.server import Behaviour, FaultServer, Good, Received

KEY = "sk-secret-0123456789abcdef"
Connect = Callable[..., AnnotationService]


def caption_of(received: Received) -> str:
    """Return what a request asks about."""
    return str(json.loads(received.body["messages"][1]["content"]))


def truthful(received: Received) -> Behaviour:
    """Play a model that calls helpful what holds the word key."""
    word = "helpful" if "key" in caption_of(received) else "unhelpful"
    return Good(json.dumps({"label": word}), prompt_tokens=100, completion_tokens=6)


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that another thread does."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.005)


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Build services whose annotators ask a server; they are closed at the end."""
    services: list[AnnotationService] = []

    def build(
        server: FaultServer | str,
        folder: str = "labels",
        *,
        goal: str = "Open the door.",
        asking: dict[str, Any] | None = None,
        **settings: Any,
    ) -> AnnotationService:
        rng = np.random.default_rng(0)
        policy = RetryPolicy(rng=rng, base=0.01, cap=0.05, breaker_pause=0.3)
        annotator = ModelAnnotator(
            LabelPrompt(goal),
            Decoding("tiny"),
            tmp_path / folder,
            server if isinstance(server, str) else server.url,
            KEY,
            asking=Asking(**{"policy": policy, "timeout": 20.0, **(asking or {})}),
        )
        services.append(AnnotationService(annotator, **settings))
        return services[-1]

    yield build
    for service in services:
        service.close()
