"""A file of append-only tables, each with a key, a part, and JSON."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_synth.errors import RewardSynthError, TryAgainError, UsageError
from reward_synth.store import schema
from reward_synth.store.blobs import LARGE, BlobRef, Blobs
from reward_synth.store.files import sync_folder
from reward_synth.store.reserve import Reserve
from reward_synth.store.rows import to_json
from reward_synth.store.troubles import folder_error, sqlite_error

_UNDONE_BY_WRITERS = frozenset(
    {"SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_READONLY_CANTINIT"}
)
_PAGE = 256
"""Rows read at once, so that a long table never lies in memory as a whole."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    number: int
    """Position in the table, from 1, rising."""
    key: str
    part: str
    """Tells rows of one key apart; empty where a key has one row only."""
    payload: Any
    """Parsed JSON."""
    at: float
    """When it was written, in seconds since the epoch; never part of a key."""


Stored = tuple[int, str, str, str, float]
"""A row in the file: number, key, part, payload, at."""


class Database:
    """Adds and reads rows; may be shared by threads, not by forked processes."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        writable: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.writable = writable
        self.clock = clock
        self.blobs = Blobs(path.parent)
        """Large payloads, which rows refer to."""
        self.reserve = Reserve(path.parent)
        """Room for what is paid for."""
        self._connection = connection
        self._lock = threading.RLock()
        self._process = os.getpid()

    @classmethod
    def create(cls, path: Path, clock: Callable[[], float] = time.time) -> Database:
        """Open the file for writing; make it and its tables if they are missing.

        Raises:
            RunConflictError: If a later version wrote the file.
            TryAgainError: If the disk is full.
        """
        database = cls(path, _connect(path), writable=True, clock=clock)
        try:
            database._prepare()
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def read(cls, path: Path) -> Database:
        """Open the file for reading; another process may be writing it."""
        connection = _connect(path, "mode=ro")
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            connection.close()
            connection = _reconnect(path, error)
        try:
            schema.require_readable(connection, path)
        except sqlite3.Error as error:
            connection.close()
            raise sqlite_error(path, error) from error
        except BaseException:
            connection.close()
            raise
        return cls(path, connection, writable=False)

    def add_paid(self, table: str, key: str, payload: object, part: str = "") -> bool:
        """Add a row that cost money; where there is no room, the reserve makes some.

        Raises:
            RewardSynthError: If the key holds another payload.
            TryAgainError: If it cannot be written even so.
        """
        try:
            return self.add(table, key, payload, part)
        except TryAgainError:
            self.reserve.give_up()
            return self.add(table, key, payload, part)

    def add(self, table: str, key: str, payload: object, part: str = "") -> bool:
        """Add a row; True if it is new, False if the same row was there.

        Raises:
            RewardSynthError: If the key holds another payload.
            TryAgainError: If the disk is full or the file cannot be written now.
        """
        text = self._stored(to_json(payload))
        with self._access(write=True) as connection:
            cursor = connection.execute(
                f"INSERT INTO {table} (key, part, payload, at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (key, part, text, self.clock()),
            )
            if cursor.rowcount:
                return True
            self._check_same(table, key, part, text)
            return False

    def get(self, table: str, key: str, part: str = "") -> Any:
        """Return the payload under the key, None if there is no such row."""
        text = self._text(table, key, part)
        return None if text is None else json.loads(self._loaded(text))

    def has(self, table: str) -> bool:
        """Return whether the file has the table; older versions lack some."""
        with self._access() as connection:
            return schema.has_table(connection, table)

    def rows(self, table: str, key: str | None = None) -> Iterator[Row]:
        """Yield the rows in the order of writing, of one key if it is given."""
        for number, key_, part, text, at in self.texts(table, key):
            yield Row(number, key_, part, json.loads(self._loaded(text)), at)

    def texts(self, table: str, key: str | None = None) -> Iterator[Stored]:
        """Yield the rows as they are in the file: nothing parsed, blobs not read."""
        last = 0
        while True:
            with self._access() as connection:
                page: list[Stored] = connection.execute(
                    f"SELECT number, key, part, payload, at FROM {table} "
                    "WHERE number > ?1 AND (?2 IS NULL OR key = ?2) "
                    f"ORDER BY number LIMIT {_PAGE}",
                    (last, key),
                ).fetchall()
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def get_first(self, table: str, key: str) -> Any:
        """Return the payload of the first row of the key, None if it has none."""
        return next((row.payload for row in self.rows(table, key)), None)

    def count(self, table: str, key: str) -> int:
        """Return how many rows the key has."""
        with self._access() as connection:
            found = connection.execute(
                f"SELECT COUNT(*) FROM {table} WHERE key = ?", (key,)
            ).fetchone()
        return int(found[0])

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()
        if os.getpid() == self._process:
            self.reserve.close()

    def integrity(self) -> list[str]:
        """Return what SQLite finds wrong in the file; empty: nothing."""
        with self._access() as connection:
            found = connection.execute("PRAGMA integrity_check(20)").fetchall()
        return [str(text) for (text,) in found if text != "ok"]

    def _prepare(self) -> None:
        with self._access(write=True) as connection:
            # Where a file system cannot share memory SQLite stays with its rollback
            # journal: slower beside a reader, and as safe.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            schema.prepare(connection, self.path)
        try:
            sync_folder(self.path.parent)
            sync_folder(self.path.parent.absolute().parent)
        except OSError as cause:
            raise folder_error(self.path, cause) from cause

    def _stored(self, text: str) -> str:
        """Return what goes into the row: the text, or where it lies if it is long."""
        if len(text) < LARGE or not self.writable:
            return text
        return str(self.blobs.put(text.encode("ascii")))

    def _loaded(self, text: str) -> str:
        ref = BlobRef.parse(text)
        return text if ref is None else self.blobs.get(ref).decode("ascii")

    def _text(self, table: str, key: str, part: str) -> str | None:
        with self._access() as connection:
            row = connection.execute(
                f"SELECT payload FROM {table} WHERE key = ? AND part = ?", (key, part)
            ).fetchone()
        return None if row is None else str(row[0])

    def _check_same(self, table: str, key: str, part: str, text: str) -> None:
        stored = self._text(table, key, part)
        if stored != text:
            raise RewardSynthError(
                f"{self.path} holds another row in {table} under {key!r} {part!r}: "
                f"{str(stored)[:200]}, not {text[:200]}. Rows are never changed; "
                "something that should be determined by the run's seed is not."
            )

    @contextmanager
    def _access(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        if write and not self.writable:
            raise UsageError(
                f"{self.path} was opened for reading. Use RunStore.open to write."
            )
        if os.getpid() != self._process:
            raise RewardSynthError(
                f"{self.path} was opened by process {self._process} and cannot be "
                f"used by process {os.getpid()}. Send results to the first one."
            )
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise sqlite_error(self.path, error) from error


def _connect(path: Path, options: str = "mode=rwc") -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=30.0,
        )
    except sqlite3.Error as error:
        raise sqlite_error(path, error) from error


def _reconnect(path: Path, error: sqlite3.Error) -> sqlite3.Connection:
    """Open a file that could not be read at once, for one of two reasons.

    A process that was killed while it made the file left a change half done, which only
    a writer can undo. Or the folder cannot be written, so that SQLite makes no index;
    that is safe only if nothing waits in the write-ahead log.
    """
    if os.access(path.parent, os.W_OK):
        return _recover(path, error)
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise sqlite_error(path, error) from error
    return _connect(path, "mode=ro&immutable=1")


def _recover(path: Path, error: sqlite3.Error) -> sqlite3.Connection:
    if getattr(error, "sqlite_errorname", "") not in _UNDONE_BY_WRITERS:
        raise sqlite_error(path, error) from error
    writer = _connect(path, "mode=rw")
    try:
        writer.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error as cause:
        raise sqlite_error(path, cause) from cause
    finally:
        writer.close()
    return _connect(path, "mode=ro")
