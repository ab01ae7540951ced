"""The record of model calls: requests before they are sent, completions after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.store.database import Database


class CallLog:
    """Requests and completions by the request's digest.

    A completion stands for good, so that a resumed run takes the same way; one that
    was reopened makes room for another.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def intend(self, digest: str, payload: Mapping[str, Any], /) -> None:
        """Record a request before it is sent.

        Raises:
            TryAgainError: If the answer would find no room.
        """
        self._database.reserve.hold()
        self._database.add("requests", digest, payload)

    def settle(self, digest: str, payload: Mapping[str, Any], /) -> None:
        """Record the completion of a request."""
        turn = self._database.count("reopened", digest)
        self._database.add_paid("completions", digest, payload, part=str(turn))

    def find(self, digest: str, /) -> dict[str, Any] | None:
        """Return the completion that stands; None if there is none."""
        turn = self._database.count("reopened", digest)
        found: dict[str, Any] | None = self._database.get(
            "completions", digest, part=str(turn)
        )
        return found

    def reopen(self, digest: str, /) -> None:
        """Let the request be asked again, for example after an outage.

        The old completion stays in the record.

        Raises:
            UsageError: If no completion stands.
        """
        if self.find(digest) is None:
            raise UsageError(
                f"Request {digest} has no completion that could be reopened."
            )
        turn = self._database.count("reopened", digest)
        self._database.add("reopened", digest, {}, part=str(turn))

    def requests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield digest and payload of every request, in the order of asking."""
        for row in self._database.rows("requests"):
            yield row.key, row.payload

    def completions(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield digest and payload of every completion, reopened ones too.

        All of them may have been paid for, so a sum of costs runs over all.
        """
        for row in self._database.rows("completions"):
            yield row.key, row.payload

    def unsettled(self) -> list[str]:
        """Return the requests without a completion that stands.

        After a kill these may have been answered, and paid for, without our knowing.
        """
        return [digest for digest, _ in self.requests() if self.find(digest) is None]
