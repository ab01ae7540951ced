"""Examines a run without changing it: is everything there that rows speak of?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reward_synth.errors import RewardSynthError, RunConflictError
from reward_synth.store.blobs import BlobRef, Blobs
from reward_synth.store.database import Database
from reward_synth.store.files import PART
from reward_synth.store.lock import holder
from reward_synth.store.reserve import FILE as RESERVE
from reward_synth.store.run import FILE, REPAIRING
from reward_synth.store.schema import TABLES

TroubleKind = Literal["damage", "leftover", "secret"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be."""

    kind: TroubleKind
    """``damage``: something recorded is not there. ``leftover``: nothing needs it.
    ``secret``: a key was written down."""
    text: str
    """One sentence."""
    path: Path | None = None
    """The file, if it is one."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a run's folder."""

    folder: Path
    in_use: int | None = None
    """The process that works on it."""
    rows: dict[str, int] = field(default_factory=dict)
    """How many each table holds."""
    blobs: int = 0
    """How many rows' payloads lie in blobs."""
    troubles: tuple[Trouble, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all that was recorded is there, and no key; leftovers do no harm."""
        return all(item.kind == "leftover" for item in self.troubles)


def inspect_run(folder: Path, secrets: Sequence[str] = ()) -> Inspection:
    """Return everything that is wrong in a run's folder; the run may be going on.

    Args:
        folder: The run's folder.
        secrets: Texts that must not be in any of its files.

    Raises:
        RunConflictError: If a later version wrote it.

    Example:
        >>> import tempfile
        >>> from reward_synth.store import RunStore
        >>> folder = Path(tempfile.mkdtemp())
        >>> RunStore.open(folder, {"seed": 0}).close()
        >>> found = inspect_run(folder)
        >>> found.ok, found.rows["meta"]
        (True, 3)
    """
    user = holder(folder)
    user = None if user == os.getpid() else user
    if (folder / REPAIRING).exists():
        text = "A repair was stopped half way; run it again."
        return Inspection(folder, user, troubles=(Trouble("damage", text),))
    try:
        database = Database.read(folder / FILE)
    except RunConflictError:
        raise
    except RewardSynthError as cause:
        return Inspection(folder, user, troubles=(Trouble("damage", str(cause)),))
    try:
        return _inspect(folder, database, user, secrets)
    finally:
        database.close()


def _inspect(
    folder: Path, database: Database, user: int | None, secrets: Sequence[str]
) -> Inspection:
    reading = _Reading(database)
    counts = {table: reading.table(table) for table in TABLES}
    troubles = [*reading.structure(), *reading.troubles]
    if user is None and not reading.broken:
        troubles += leftovers(folder, reading.referenced)
    troubles += _leaks(folder, secrets)
    return Inspection(folder, user, counts, len(reading.referenced), tuple(troubles))


class _Reading:
    """Goes through all rows once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.blobs = Blobs(database.path.parent)
        self.referenced: set[str] = set()
        self.troubles: list[Trouble] = []
        self.broken = False
        """True if rows cannot be read, so that nothing is known of blobs."""

    def structure(self) -> list[Trouble]:
        """Return what SQLite says of the file as a whole."""
        try:
            found = self.database.integrity()
        except RewardSynthError as cause:
            found = [str(cause)]
        return [Trouble("damage", f"{FILE}: {text}") for text in found]

    def table(self, table: str) -> int:
        """Read a table's rows and return how many there are."""
        count = 0
        try:
            if not self.database.has(table):
                return 0
            for number, key, part, text, _ in self.database.texts(table):
                count += 1
                self._row(f"{table} {number} ({key[:20]!r} {part!r})", text)
                if table == "files":
                    self._file(key, text)
        except RewardSynthError as cause:
            self.broken = True
            self.troubles.append(Trouble("damage", f"Table {table}: {cause}"))
        return count

    def _row(self, name: str, text: str) -> None:
        said = payload_trouble(text, self.blobs)
        ref = BlobRef.parse(text)
        if ref is not None:
            self.referenced.add(ref.digest)
        if said:
            self.troubles.append(Trouble("damage", f"Row {name}: {said}."))

    def _file(self, name: str, text: str) -> None:
        said = file_trouble(self.database.path.parent / name, text)
        if said:
            self.troubles.append(Trouble("damage", f"{name} {said}."))


def payload_trouble(text: str, blobs: Blobs) -> str:
    """Return what is wrong with a row's payload, empty if it can be read."""
    ref = BlobRef.parse(text)
    if ref is not None:
        said = blobs.trouble(ref)
        return f"its blob {ref.digest[:16]}… {said}" if said else ""
    try:
        json.loads(text)
    except (TypeError, ValueError):
        return "its payload is no JSON"
    return ""


def file_trouble(path: Path, recorded: str) -> str:
    """Return what is wrong with a recorded file, empty if it is as it was."""
    try:
        digest = BlobRef.of(path.read_bytes()).digest
    except OSError as cause:
        return f"cannot be read: {cause.strerror}"
    same = json.dumps(digest) == recorded
    return "" if same else "was changed since the run began"


def leftovers(folder: Path, referenced: set[str]) -> Iterator[Trouble]:
    """Yield files that nothing needs: half-written ones, and blobs without a row."""
    blobs = Blobs(folder)
    for path in blobs.files():
        digest = blobs.digest_of(path)
        if digest is not None and digest not in referenced:
            text = f"{path.relative_to(folder)}: no row refers to this blob."
            yield Trouble("leftover", text, path)
    for path in sorted(folder.rglob(f"{PART}*")):
        text = f"{path.relative_to(folder)} is half-written."
        yield Trouble("leftover", text, path)
    if (folder / RESERVE).exists():
        text = f"{RESERVE} is room that a killed process kept."
        yield Trouble("leftover", text, folder / RESERVE)


def _leaks(folder: Path, secrets: Sequence[str]) -> Iterator[Trouble]:
    for path in sorted(folder.rglob("*")) if secrets else ():
        if not path.is_file():
            continue
        data = path.read_bytes()
        if any(secret.encode() in data for secret in secrets):
            text = f"{path.relative_to(folder)} holds a key of this environment."
            yield Trouble("secret", text, path)
