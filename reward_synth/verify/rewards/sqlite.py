"""Runs queries on SQLite files: read only, in a killable process, within limits."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from reward_synth.errors import UsageError
from reward_synth.verify.killable import Killable

QueryStatus = Literal["ok", "refused", "error", "timeout", "too_large", "infra_error"]
_READ = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_REFUSED = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
)
_MEMORY = 256 * 1024 * 1024
"""Bytes that SQLite may take; what it sorts is kept there and not on the disk."""
_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What a query may take."""

    seconds: float = 5.0
    rows: int = 10_000
    chars: int = 1_000_000
    """Of all values together, and of the query."""

    def __post_init__(self) -> None:
        """Refuse what nothing could keep."""
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be above 0: {getattr(self, name)}.")


@dataclass(frozen=True, slots=True)
class Query:
    """What a query gave."""

    status: QueryStatus
    rows: tuple[tuple[Any, ...], ...] = ()
    tables: frozenset[str] = frozenset()
    """Tables that it read from, in small letters."""
    error: str = ""


class SQLite:
    """Queries of data bases in a process that is killed where one does not end.

    Args:
        limits: Of each query.

    Example:
        >>> import sqlite3, tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".db") as file, SQLite() as sqlite:
        ...     with sqlite3.connect(file.name) as made:
        ...         _ = made.execute("create table t as select 1 as a")
        ...     made.close()
        ...     sqlite(file.name, "select a from t").rows, sqlite(file.name,
        ...         "drop table t").status
        (((1,),), 'refused')
    """

    def __init__(self, limits: QueryLimits | None = None) -> None:
        self.limits = limits or QueryLimits()
        self._process = Killable()

    def __enter__(self) -> SQLite:
        """Begin; the process is started by the first query."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.close()

    def __call__(self, database: str, sql: str) -> Query:
        """Return what one query gives; nothing that it says raises.

        Raises:
            UsageError: There is no such file.
        """
        path = Path(database).resolve()
        if not path.is_file():
            raise UsageError(f"There is no data base {database}.")
        if len(sql) > self.limits.chars:
            return Query("too_large", error=f"a query of {len(sql)} characters")
        arguments = (path.as_uri(), sql, self.limits)
        # The process's own clock ends a query first; killing is for what it cannot end.
        found = self._process.run(run_query, arguments, self.limits.seconds + 5.0)
        if found.status == "ok":
            answer: Query = found.value
            return answer
        return Query(
            "timeout" if found.status == "timeout" else "infra_error", error=found.error
        )


def run_query(uri: str, sql: str, limits: QueryLimits) -> Query:
    """Run a query in this process; see :class:`SQLite`."""
    tables: set[str] = set()
    ends = time.monotonic() + limits.seconds
    connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    try:
        connection.execute("pragma temp_store = memory")
        connection.execute(f"pragma hard_heap_limit = {_MEMORY}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.chars)
        connection.set_authorizer(_authorizer(tables))
        connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        cursor = connection.execute(sql)
        return _fetched(cursor, limits, tables)
    except MemoryError:
        return Query("too_large", error=f"more than {_MEMORY} bytes of memory")
    except sqlite3.DatabaseError as error:
        return _trouble(str(error), time.monotonic() > ends)
    except (sqlite3.Error, sqlite3.Warning, ValueError, UnicodeError) as error:
        return Query("error", error=str(error)[:300])
    finally:
        connection.close()


def _authorizer(tables: set[str]) -> Callable[..., int]:
    def allow(
        action: int, first: str | None, second: str | None, *_: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ and first:
            tables.add(first.lower())
        name = second if action == sqlite3.SQLITE_FUNCTION else None
        if action not in _READ or (name or "").lower() in _REFUSED:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    return allow


def _fetched(cursor: sqlite3.Cursor, limits: QueryLimits, tables: set[str]) -> Query:
    rows: list[tuple[Any, ...]] = []
    chars = 0
    for row in cursor:
        rows.append(row)
        chars += sum(len(v) for v in row if isinstance(v, str | bytes))
        if len(rows) > limits.rows or chars > limits.chars:
            return Query(
                "too_large", error=f"more than {limits.rows} rows, or too long"
            )
    return Query("ok", tuple(rows), frozenset(tables))


def _trouble(error: str, late: bool) -> Query:
    if late or "interrupted" in error:
        return Query("timeout", error="The query did not end in time.")
    refused = "not authorized" in error or "prohibited" in error or "readonly" in error
    return Query("refused" if refused else "error", error=error[:300])
