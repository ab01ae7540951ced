"""The tables of a run's file, their versions, and the way from one to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reward_synth.errors import RunConflictError
from reward_synth.store.rows import to_json

VERSION = 4
"""4: the tables ``attempts`` and ``preferences``. 3: the table ``outcomes``. 2: the table ``files``, and large payloads as blobs. 1: the first."""
TABLES = (
    "meta",
    "requests",
    "completions",
    "reopened",
    "programs",
    "findings",
    "scores",
    "outcomes",
    "attempts",
    "preferences",
    "trials",
    "events",
    "files",
)
_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
)"""
_GUARDS = (
    """
CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END""",
    """
CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END""",
)


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make what is missing in a file, and bring an older file to this version.

    All of it is one transaction: a kill leaves the older file or the newer one.

    Raises:
        RunConflictError: If a later version wrote the file.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        require_readable(connection, path)
        _refuse_foreign(connection, path)
        _make_tables(connection)
        found = stored_version(connection)
        if found is not None:
            for step in range(found, VERSION):
                _STEPS[step](connection)
            if found != VERSION:
                _write_version(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    strange = sorted(name for (name,) in rows if name not in TABLES)
    if strange:
        raise RunConflictError(
            f"{path} is no file of a run: it holds the table {strange[0]!r}. Give "
            "another folder with --run."
        )


def require_readable(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file of a later version, by its name.

    Raises:
        RunConflictError: If a later version wrote the file.
    """
    found = stored_version(connection)
    if found is None or found <= VERSION:
        return
    raise RunConflictError(
        f"{path.parent} was written in format {found}{_writer(connection)}; this "
        f"version, {software()}, reads formats up to {VERSION}. Use the version that "
        "wrote it, or start a new run."
    )


def stored_version(connection: sqlite3.Connection) -> int | None:
    """Return the version of a file; None: the run in it was never begun."""
    found = _meta(connection, "schema")
    return None if found is None else int(found)


def software() -> str:
    """Return name and version of this package.

    Example:
        >>> software().startswith("reward_synth ")
        True
    """
    try:
        return f"reward_synth {version('reward-synth')}"
    except PackageNotFoundError:
        return "reward_synth (not installed)"


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether the file has the table; older versions lack some."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


def _meta(connection: sqlite3.Connection, key: str) -> str | None:
    if not has_table(connection, "meta"):
        return None
    row = connection.execute(
        "SELECT payload FROM meta WHERE key = ? AND part = ''", (key,)
    ).fetchone()
    return None if row is None else str(row[0])


def _writer(connection: sqlite3.Connection) -> str:
    found = _meta(connection, "software")
    return "" if found is None else " by " + found.strip('"')


def _make_tables(connection: sqlite3.Connection) -> None:
    for table in TABLES:
        for statement in (_TABLE, *_GUARDS):
            connection.execute(statement.format(table=table))


def _write_version(connection: sqlite3.Connection) -> None:
    """Change the one row that changes, so that older versions refuse the file."""
    connection.execute("DROP TRIGGER meta_no_update")
    connection.execute(
        "UPDATE meta SET payload = ? WHERE key = 'schema'", (to_json(VERSION),)
    )
    connection.execute(_GUARDS[0].format(table="meta"))


def _new_table(_: sqlite3.Connection) -> None:
    """Only new tables, which are made already; rows are read as they are."""


_STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {
    1: _new_table,
    2: _new_table,
    3: _new_table,
}
"""From this version to the next one."""
