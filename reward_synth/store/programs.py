"""The record of programs: proposals, what checks found, and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reward_synth.store.database import Database
from reward_synth.store.rows import ProgramRow, short_digest, to_json


class ProgramLog:
    """Programs by digest; one program may be proposed several times."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, row: ProgramRow) -> bool:
        """Record a proposal; True if the program was not proposed before.

        Every origin of a program is kept; the first one counts as its own.
        """
        new = self._database.get_first("programs", row.digest) is None
        origin = to_json([row.proposer, row.model, row.request, row.parents])
        part = short_digest(origin)
        self._database.add("programs", row.digest, asdict(row), part)
        return new

    def find(self, digest: str) -> ProgramRow | None:
        """Return the first proposal of a program; None if there is none."""
        payload = self._database.get_first("programs", digest)
        return None if payload is None else _program(payload)

    def proposals(self) -> Iterator[ProgramRow]:
        """Yield all proposals in their order, of known programs too."""
        for row in self._database.rows("programs"):
            yield _program(row.payload)

    def __iter__(self) -> Iterator[ProgramRow]:
        """Yield the first proposal of every program, in the order of proposing."""
        seen: set[str] = set()
        for row in self.proposals():
            if row.digest not in seen:
                seen.add(row.digest)
                yield row

    def record_findings(
        self, digest: str, check: str, findings: Sequence[Mapping[str, Any]]
    ) -> None:
        """Record what one check found in a program; an empty list says it passed."""
        self._database.add("findings", digest, list(findings), part=check)

    def findings(self, digest: str) -> dict[str, list[dict[str, Any]]]:
        """Return the findings of a program by the check's name."""
        rows = self._database.rows("findings", digest)
        return {row.part: row.payload for row in rows}

    def record_outcome(self, digest: str, outcome: Mapping[str, Any], by: str) -> None:
        """Record all that an examination came to; ``by``: the software that made it."""
        self._database.add("outcomes", digest, dict(outcome), part=short_digest(by))

    def outcome(self, digest: str, by: str) -> dict[str, Any] | None:
        """Return what the same software recorded; None if it has not."""
        found: dict[str, Any] | None = self._database.get(
            "outcomes", digest, short_digest(by)
        )
        return found

    def record_attempt(self, slot: int, attempt: Mapping[str, Any], by: str) -> None:
        """Record what became of a sample; ``by``: the software that read the answers."""
        self._database.add("attempts", str(slot), dict(attempt), part=short_digest(by))

    def attempt(self, slot: int, by: str) -> dict[str, Any] | None:
        """Return what the same software recorded of a sample; None if it has not."""
        found: dict[str, Any] | None = self._database.get(
            "attempts", str(slot), short_digest(by)
        )
        return found

    def record_score(self, digest: str, name: str, value: float) -> None:
        """Record a score of a program under a name; NaN is a score too."""
        self._database.add("scores", digest, float(value), part=name)

    def scores(self, digest: str) -> dict[str, float]:
        """Return the scores of a program by name."""
        return {row.part: row.payload for row in self._database.rows("scores", digest)}


def _program(payload: Mapping[str, Any]) -> ProgramRow:
    return ProgramRow(**{**payload, "parents": tuple(payload["parents"])})
