"""Saves what can be read of a damaged run; the damaged files are kept beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from reward_synth.errors import UsageError
from reward_synth.store import schema
from reward_synth.store.blobs import BlobRef, Blobs
from reward_synth.store.database import Stored
from reward_synth.store.files import PART, sync_folder, write_whole
from reward_synth.store.inspection import file_trouble, inspect_run, payload_trouble
from reward_synth.store.lock import RunLock
from reward_synth.store.rows import to_json
from reward_synth.store.run import FILE, REPAIRING
from reward_synth.store.troubles import folder_error, sqlite_error

COPY = "before-repair"
_NEW = PART + FILE
_SIDES = ("-wal", "-shm")
_CONSEQUENCE = {
    "meta": "the run's settings; it can be read, not gone on with",
    "completions": "answers; going on with the run asks again for them",
    "requests": "requests; they are recorded again when the run goes on",
    "trials": "trainings; going on with the run makes them again",
    "files": "records of files; going on takes the files as they are then",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair does, or did."""

    folder: Path
    kept: dict[str, int]
    """Rows of each table that can be read."""
    lost: dict[str, int]
    """Rows of each table that cannot, where that is known."""
    copy: Path | None = None
    """Where the damaged files were put; None: nothing was changed."""

    def lines(self) -> list[str]:
        """Return one sentence a table that loses rows.

        Example:
            >>> Repair(Path("r"), {}, {"trials": 2}).lines()
            ['2 rows of trials are lost: trainings; going on with the run makes them again.']
        """
        return [
            f"{count} rows of {table} are lost: "
            f"{_CONSEQUENCE.get(table, 'going on with the run makes them again')}."
            for table, count in self.lost.items()
            if count
        ]


def repair_run(folder: Path, *, change: bool = True) -> Repair | None:
    """Write the rows that can be read into a new file; None: nothing is damaged.

    The damaged files are copied to ``before-repair-0001`` first. A repair that is
    killed is finished by the next one.

    Args:
        folder: The run's folder.
        change: False only tells what would be done.

    Raises:
        UsageError: Nothing of the file can be read.
        RunConflictError: Another process works on the run, or a later version wrote it.
        TryAgainError: The disk is full.
    """
    lock = RunLock(folder)
    try:
        if (folder / REPAIRING).exists():
            return _finish(folder) if change else Repair(folder, {}, {})
        if inspect_run(folder).ok:
            return None
        if not change:
            return _salvage(folder, sqlite3.connect(":memory:"))
        copy = _copy(folder)
        found = _write(folder)
        write_whole(folder / REPAIRING, copy.name.encode())
        _swap(folder)
        return Repair(folder, found.kept, found.lost, copy)
    except OSError as cause:
        raise folder_error(folder, cause) from cause
    finally:
        lock.release()


def _finish(folder: Path) -> Repair:
    copy = folder / (folder / REPAIRING).read_text("utf-8")
    _swap(folder)
    return Repair(folder, {}, {}, copy)


def _copy(folder: Path) -> Path:
    number = 1 + sum(1 for _ in folder.glob(f"{COPY}-*"))
    copy = folder / f"{COPY}-{number:04d}"
    copy.mkdir()
    for name in (FILE, *(FILE + side for side in _SIDES)):
        if (folder / name).exists():
            shutil.copy2(folder / name, copy / name)
            with open(copy / name, "rb") as file:
                os.fsync(file.fileno())
    sync_folder(copy)
    sync_folder(folder)
    return copy


def _write(folder: Path) -> Repair:
    new = folder / _NEW
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as target:
        try:
            found = _salvage(folder, target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    return found


def _swap(folder: Path) -> None:
    """Put the new file in its place; the old log must be gone before."""
    if (folder / _NEW).exists():
        for side in _SIDES:
            (folder / (FILE + side)).unlink(missing_ok=True)
        sync_folder(folder)
        os.replace(folder / _NEW, folder / FILE)
        sync_folder(folder)
    (folder / REPAIRING).unlink()
    sync_folder(folder)


def _salvage(folder: Path, target: sqlite3.Connection) -> Repair:
    target.isolation_level = None
    kept: dict[str, int] = {}
    lost: dict[str, int] = {}
    with _damaged(folder) as source:
        schema.prepare(target, folder / _NEW)
        target.execute("BEGIN")
        for table in schema.TABLES:
            kept[table], lost[table] = _table(folder, source, target, table)
        target.execute("COMMIT")
    if not any(kept.values()):
        raise UsageError(
            f"Nothing can be read of {folder / FILE}, so there is nothing to save. "
            "Start a new run in another folder."
        )
    return Repair(folder, kept, lost)


@contextmanager
def _damaged(folder: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{(folder / FILE).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as source:
            yield source
    except sqlite3.DatabaseError as cause:
        raise sqlite_error(folder / FILE, cause) from cause


def _table(
    folder: Path, source: sqlite3.Connection, target: sqlite3.Connection, table: str
) -> tuple[int, int]:
    """Copy a table's good rows; return how many, and how many were lost."""
    kept = lost = 0
    for row in _readable(source, table):
        if row is None or _trouble(folder, table, row):
            lost += 1
            continue
        number, key, part, text, at = row
        if (table, key) == ("meta", "schema"):
            text = to_json(schema.VERSION)
        values = (number, key, part, text, at)
        target.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", values)
        kept += 1
    return kept, lost


def _readable(source: sqlite3.Connection, table: str) -> Iterator[Stored | None]:
    """Yield a table's rows by number; None for one that cannot be read."""
    try:
        if not schema.has_table(source, table):
            return
        query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        found = source.execute(query, (table,)).fetchone()
    except sqlite3.DatabaseError:
        return
    for number in range(1, 1 + (0 if found is None else int(found[0]))):
        try:
            row = source.execute(
                f"SELECT number, key, part, payload, at FROM {table} WHERE number = ?",
                (number,),
            ).fetchone()
        except sqlite3.DatabaseError:
            yield None
            continue
        if row is not None:  # numbers have gaps where a row was there already
            yield row


def _trouble(folder: Path, table: str, row: Stored) -> str:
    _, key, _, text, _ = row
    if not isinstance(key, str) or not isinstance(text, str):
        return "is of another type"
    if table == "files" and BlobRef.parse(text) is None:
        return file_trouble(folder / key, text)
    return payload_trouble(text, Blobs(folder))
