"""Recorded completions: nothing is paid twice, and a run can be replayed."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reward_synth.errors import UsageError
from reward_synth.llm.chat import ChatModel, ChatRequest, Completion


class Journal(Protocol):
    """Keeps requests and their completions."""

    def find(self, digest: str, /) -> Completion | None:
        """Return the completion of the request, None if it has none."""

    def intend(self, request: ChatRequest, /) -> None:
        """Record that the request is about to be sent."""

    def settle(self, digest: str, completion: Completion, /) -> None:
        """Record the completion; on return it survives a crash."""


class Records(Protocol):
    """A place for plain data, such as ``RunStore.calls``."""

    def find(self, digest: str, /) -> Mapping[str, Any] | None:
        """Return what was settled under ``digest``, None if nothing was."""

    def intend(self, digest: str, payload: Mapping[str, Any], /) -> None:
        """Record a request."""

    def settle(self, digest: str, payload: Mapping[str, Any], /) -> None:
        """Record a completion."""


class RecordJournal:
    """A :class:`Journal` over plain records, which know nothing of models."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def find(self, digest: str, /) -> Completion | None:
        """Return the completion of the request, None if it has none."""
        payload = self.records.find(digest)
        return None if payload is None else Completion.from_payload(payload)

    def intend(self, request: ChatRequest, /) -> None:
        """Record that the request is about to be sent."""
        self.records.intend(request.digest, request.payload())

    def settle(self, digest: str, completion: Completion, /) -> None:
        """Record the completion; on return it survives a crash."""
        self.records.settle(digest, completion.payload())


class JournaledChat:
    """Answers from the journal, and records what ``inner`` answers.

    Failures are recorded like answers, so that a resumed run takes the same way as
    before; whoever stops a run because of them reopens them in the store.
    A request that two threads make at once is sent once.

    Args:
        inner: Answers what the journal does not hold.
        journal: Where answers are kept.
        checkpoint: Called before a request is sent; may raise, and then none is.
    """

    def __init__(
        self,
        inner: ChatModel,
        journal: Journal,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> None:
        self.inner = inner
        self.journal = journal
        self.checkpoint = checkpoint
        self._guard = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def complete(self, request: ChatRequest, /) -> Completion:
        """Return the recorded completion, else ask and record before returning."""
        digest = request.digest
        with self._guard:
            lock = self._locks[digest]
        with lock:
            return self.journal.find(digest) or self._ask(digest, request)

    def _ask(self, digest: str, request: ChatRequest) -> Completion:
        self.checkpoint()
        self.journal.intend(request)
        completion = self.inner.complete(request)
        self.journal.settle(digest, completion)
        return completion


class ReplayChat:
    """Answers from a recorded run only; it has no way to reach a network.

    Args:
        lookup: Finds a completion by the request's digest.
    """

    def __init__(self, lookup: Callable[[str], Completion | None]) -> None:
        self.lookup = lookup

    def complete(self, request: ChatRequest, /) -> Completion:
        """Return the recorded completion.

        Raises:
            UsageError: If the run never made this request.
        """
        completion = self.lookup(request.digest)
        if completion is None:
            raise UsageError(
                f"The replayed run holds no completion for request {request.digest} "
                f"({request.purpose}, slot {request.slot}, model {request.model!r}). "
                "Replay with the configuration of the recorded run, or ask a model."
            )
        return completion
