"""The journal of annotations: intents before requests, completions after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reward_synth.errors import RewardSynthError, RunConflictError, UsageError
from reward_synth.llm import ChatRequest, Completion
from reward_synth.store import CallLog
from reward_synth.store.database import Database
from reward_synth.store.lock import RunLock
from reward_synth.store.troubles import folder_error

FILE = "labels.db"
_META = "labels"
_PUBLISHED = "publish"


class Ledger:
    """A folder that keeps what was asked, answered and shown to the learner.

    What a method has returned from survives ``kill -9``. One process at a time writes.

    Args:
        folder: Made if it is missing.
        identity: What all its questions share, see
            :func:`~reward_synth.intrinsic.annotation.prompt.identity`.

    Raises:
        RunConflictError: Another process uses it, or it was written for another prompt,
            goal, model, decoding or grammar.
        UsageError: It cannot be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> request = ChatRequest("tiny", (("system", "Judge."), ("user", '"a key"')))
        >>> with Ledger(folder, {"goal": "win"}) as ledger:
        ...     ledger.intend(request)
        ...     ledger.settle(request, Completion("helpful", "ok"))
        >>> with Ledger(folder, {"goal": "win"}) as ledger:
        ...     ledger.find(request).text
        'helpful'
    """

    def __init__(self, folder: str | Path, identity: Mapping[str, Any]) -> None:
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise folder_error(path, cause) from cause
        self._lock: RunLock | None = RunLock(path)
        try:
            self._database = Database.create(path / FILE)
            self._calls = CallLog(self._database)
            self._claim(path, dict(identity))
        except BaseException:
            self._lock.release()
            raise
        self._published = self._database.count("events", _PUBLISHED)

    def __enter__(self) -> Ledger:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def find(self, request: ChatRequest) -> Completion | None:
        """Return the completion that stands, None if there is none."""
        found = self._calls.find(request.digest)
        return None if found is None else Completion.from_payload(found)

    def intend(self, request: ChatRequest) -> None:
        """Record a request before it is sent.

        Raises:
            TryAgainError: The disk has no room for the answer.
        """
        self._calls.intend(request.digest, request.payload())

    def settle(self, request: ChatRequest, completion: Completion) -> None:
        """Record what a request brought; a passing trouble is not recorded."""
        self._calls.settle(request.digest, completion.payload())

    def asked(self) -> Iterator[tuple[ChatRequest, Completion | None]]:
        """Yield every request in the order of asking, with its completion."""
        found = dict(self._calls.completions())
        for digest, payload in self._calls.requests():
            done = found.get(digest)
            completion = None if done is None else Completion.from_payload(done)
            yield ChatRequest.from_payload(payload), completion

    def publish(self, labels: Mapping[str, Mapping[str, Any]]) -> None:
        """Record which labels the learner sees from now on."""
        payload = {"labels": dict(labels)}
        part = f"{self._published:09d}"
        self._database.add("events", _PUBLISHED, payload, part=part)
        self._published += 1

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _claim(self, path: Path, identity: dict[str, Any]) -> None:
        try:
            self._database.add("meta", _META, identity)
        except RewardSynthError as cause:
            known = self._database.get("meta", _META)
            if known is None:
                raise
            raise RunConflictError(
                f"{path} holds labels of another question: {difference(known, identity)}"
                ". Labels are never mixed; give another folder."
            ) from cause


def read_published(folder: str | Path) -> list[dict[str, dict[str, Any]]]:
    """Return which labels a recorded run showed its learner, boundary by boundary.

    Raises:
        UsageError: There is no journal in the folder.
    """
    path = Path(folder) / FILE
    if not path.exists():
        raise UsageError(
            f"{folder} holds no journal of labels ({FILE}). Give the folder of a run "
            "that was made with a model's annotations."
        )
    database = Database.read(path)
    try:
        rows = database.rows("events", _PUBLISHED)
        return [row.payload["labels"] for row in rows]
    finally:
        database.close()


def difference(known: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Tell in words where two questions differ.

    Example:
        >>> difference({"goal": "win", "seed": 0}, {"goal": "live", "seed": 0})
        "goal is 'win' there and 'live' here"
    """
    names = [name for name in {**known, **given} if known.get(name) != given.get(name)]
    return "; ".join(
        f"{name} is {known.get(name)!r} there and {given.get(name)!r} here"
        for name in names
    )
