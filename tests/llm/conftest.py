"""Helpers for tests against the loopback server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from reward_synth.llm import ChatRequest, OpenAIChat, RetryPolicy
from tests.llm.server import FaultServer

KEY = "sk-secret-0123456789abcdef"
Connect = Callable[..., OpenAIChat]


@pytest.fixture
def request_() -> ChatRequest:
    """A prompt of 12 characters, so of 3 estimated tokens."""
    return ChatRequest("tiny", (("user", "Push a cube."),), max_tokens=64, seed=5)


@pytest.fixture
def pauses() -> list[float]:
    """Where the clients of :func:`connect` note the pauses they did not sleep."""
    return []


@pytest.fixture
def connect(pauses: list[float]) -> Iterator[Connect]:
    """Build clients that note their pauses instead of sleeping."""
    clients: list[OpenAIChat] = []

    def build(
        server: FaultServer | str, *, timeout: float = 5.0, **policy: Any
    ) -> OpenAIChat:
        url = server if isinstance(server, str) else server.url
        settings = {"rng": np.random.default_rng(0), "sleep": pauses.append, **policy}
        clients.append(
            OpenAIChat(
                "tiny", url, KEY, policy=RetryPolicy(**settings), timeout=timeout
            )
        )
        return clients[-1]

    yield build
    for client in clients:
        client.close()
