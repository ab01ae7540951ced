"""The record of preferences: who did it better, in whose eyes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reward_synth.store.database import Database


class PreferenceLog:
    """Answers to questions about two agents, by the question's key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str, /) -> dict[str, Any] | None:
        """Return the answer to a question; None: it was not asked."""
        found: dict[str, Any] | None = self._database.get("preferences", key)
        return found

    def record(self, key: str, answer: Mapping[str, Any], /) -> None:
        """Record an answer: a person's time is not spent twice."""
        self._database.add_paid("preferences", key, dict(answer))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all answers, in the order of asking."""
        if self._database.has("preferences"):  # older runs lack the table
            for row in self._database.rows("preferences"):
                yield row.payload
