"""The store of one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from reward_synth.errors import RunConflictError, UsageError
from reward_synth.store.blobs import BlobRef
from reward_synth.store.calls import CallLog
from reward_synth.store.config import differences
from reward_synth.store.database import Database
from reward_synth.store.lock import RunLock
from reward_synth.store.preferences import PreferenceLog
from reward_synth.store.programs import ProgramLog
from reward_synth.store.rows import Event, TrialRow, short_digest
from reward_synth.store.schema import VERSION, software
from reward_synth.store.troubles import folder_error

FILE = "run.sqlite"
REPAIRING = "repairing"
"""Lies in the folder while a repaired file takes the place of the damaged one."""


class RunStore:
    """Everything that one run asked, made and measured.

    Recording the same row again does nothing, so that a resumed run may simply go
    through its steps again. Recording another row under the same key is an error.

    Get one from :meth:`open` or :meth:`read`.
    """

    def __init__(self, folder: Path, database: Database, lock: RunLock | None) -> None:
        self.folder = folder
        self.calls = CallLog(database)
        """Requests and completions."""
        self.programs = ProgramLog(database)
        """Programs, their findings and their scores."""
        self.preferences = PreferenceLog(database)
        """Who did it better, in whose eyes."""
        self._database = database
        self._lock = lock

    @classmethod
    def open(
        cls,
        folder: str | Path,
        config: Mapping[str, Any],
        *,
        create: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> RunStore:
        """Start the run in ``folder``, or go on with it.

        Raises:
            RunConflictError: If the folder is in use, or holds another configuration.
            UsageError: If the folder cannot be used, or is missing and not ``create``.
            TryAgainError: If the disk is full.
        """
        folder = Path(folder)
        if create:
            _make(folder)
        else:
            require_run(folder)
        lock = RunLock(folder)
        try:
            require_no_repair(folder)
            database = Database.create(folder / FILE, clock)
        except BaseException:
            lock.release()
            raise
        store = cls(folder, database, lock)
        try:
            _adopt(folder, database, config)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def read(cls, folder: str | Path) -> RunStore:
        """Open a run for reading, as for replay; the run may be going on.

        Raises:
            UsageError: If the folder holds no run.
        """
        folder = require_run(Path(folder))
        require_no_repair(folder)
        database = Database.read(folder / FILE)
        store = cls(folder, database, None)
        try:
            if not is_begun(database):
                raise UsageError(
                    f"{folder} holds a run that was stopped before it began. Run its "
                    "command again, or give another folder."
                )
        except BaseException:
            store.close()
            raise
        return store

    @property
    def config(self) -> dict[str, Any]:
        """The configuration that the run was started with."""
        config: dict[str, Any] = self._database.get("meta", "config")
        return config

    @property
    def created(self) -> float:
        """When the run was started, in seconds since the epoch."""
        return next(row.at for row in self._database.rows("meta", "config"))

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self._database.get("meta", "finished") is not None

    def finish(self) -> None:
        """Mark the run as come to its end."""
        self._database.add("meta", "finished", True)

    def record_trial(self, trial: TrialRow) -> None:
        """Record a finished trial."""
        self._database.add("trials", trial.key, asdict(trial))

    def find_trial(self, key: str) -> TrialRow | None:
        """Return the trial, None if it was not finished."""
        payload = self._database.get("trials", key)
        return None if payload is None else TrialRow(**payload)

    def trials(self) -> Iterator[TrialRow]:
        """Yield the finished trials in the order of finishing."""
        for row in self._database.rows("trials"):
            yield TrialRow(**row.payload)

    def record_event(self, kind: str, text: str) -> bool:
        """Record an event; True if it is new, so that it is to be shown."""
        return self._database.add("events", kind, text, part=short_digest(text))

    def events(self) -> Iterator[Event]:
        """Yield the events in their order; equal ones are there once."""
        for row in self._database.rows("events"):
            yield Event(row.key, row.payload)

    def record_file(self, name: str) -> None:
        """Record what a file of the folder holds; it must stay so.

        Raises:
            RunConflictError: If it was changed since it was first recorded.
        """
        digest = BlobRef.of((self.folder / name).read_bytes()).digest
        stored = self._database.get("files", name)
        if stored not in {None, digest}:
            raise RunConflictError(
                f"{self.folder / name} was changed since the run began, and what was "
                "found so far depends on it. Restore it, or start a new run."
            )
        self._database.add("files", name, digest)

    def close(self) -> None:
        """Close the file and free the folder; a second call does nothing."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> RunStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def is_run(folder: Path) -> bool:
    """Return whether ``folder`` looks like one of ours."""
    return (folder / FILE).is_file()


def is_begun(database: Database) -> bool:
    """Return whether a run's configuration is in its file."""
    return database.has("meta") and database.get("meta", "config") is not None


def require_run(folder: Path) -> Path:
    """Return ``folder`` if it is one of ours.

    Raises:
        UsageError: If it holds no run.
    """
    if not is_run(folder):
        raise _no_run(folder)
    return folder


def require_no_repair(folder: Path) -> None:
    """Refuse a run whose repair was stopped half way.

    Raises:
        RunConflictError: If it was.
    """
    if (folder / REPAIRING).exists():
        raise RunConflictError(
            f"A repair of {folder} was stopped half way. Finish it with "
            f"`reward_synth runs repair {folder}`."
        )


def _adopt(folder: Path, database: Database, config: Mapping[str, Any]) -> None:
    stored = database.get("meta", "config")
    if stored is None:
        database.add("meta", "schema", VERSION)
        database.add("meta", "config", config)
        database.add("meta", "software", software())
        return
    lines = differences(config, stored)
    if lines:
        raise RunConflictError(
            f"{folder} holds a run of another configuration. Give another folder, or "
            "the configuration of the run:\n  " + "\n  ".join(lines)
        )


def _no_run(folder: Path) -> UsageError:
    return UsageError(
        f"{folder} holds no run (there is no {FILE} in it). Check the folder's name; "
        "the folders of runs lie in runs/ unless --run said otherwise."
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise folder_error(folder, cause) from cause
