"""What an intrinsic training wrote down, and what it tells of any of its steps."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from reward_synth.agents.ppo import Update
from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import Label, Status
from reward_synth.intrinsic.annotation.ledger import FILE
from reward_synth.store import CallLog
from reward_synth.store.database import Database

STEPS, LABELS, RESULT = "steps.bin", "labels.jsonl", "result.json"
CONFIG = "config.json"
JOURNAL = "labels"
"""The folder of a language model's answers."""
_STATUSES: tuple[str, ...] = get_args(Status)
_NONE = -1
_ROW = np.dtype(
    [
        ("caption", "<i4"),
        ("count", "<i4"),
        ("status", "<i1"),
        ("labelled", "<f4"),
        ("bonus", "<f4"),
        ("reward", "<f4"),
    ]
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where what was paid for one step came from."""

    step: int
    """Of all environments, from 0."""
    reward: float
    """What the environment paid."""
    bonus: float
    """What an exploration bonus paid."""
    labelled: float
    """What the label paid: its value, decayed by the count."""
    caption: str
    count: int
    """How often the caption was met in the episode, this step included."""
    status: str
    """Of the label when the learner used it; empty: captions were not read."""
    label: str
    """The label's word, as last known."""
    value: float | None
    """What it is worth, as last known."""
    origin: str
    """A rule, ``classification`` or ``ranking``, or the digest of a model's request."""
    question: list[Any]
    """The messages that a language model was sent; empty if none was."""
    answer: str
    """What it said."""


class Recorder:
    """Appends each update's steps to a file, and keeps what captions are worth.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = open(folder / STEPS, "wb")  # noqa: SIM115 - closed by close()
        self._ids: dict[str, int] = {}
        self._rows: list[dict[str, Any]] = []
        self._steps = 0
        self.statuses: Counter[str] = Counter()
        """Steps by the status of their label when the learner used it."""

    def add(self, update: Update) -> None:
        """Write down one update's steps; a reader sees them from then on."""
        rollout, targets = update.rollout, update.targets
        rows = np.zeros(rollout.rewards.size, _ROW)
        rows["caption"] = _NONE
        rows["status"] = _NONE
        rows["reward"], rows["bonus"] = rollout.rewards.ravel(), rollout.bonus.ravel()
        rows["labelled"] = (targets.intrinsic - rollout.bonus).ravel()
        rows["count"] = rollout.counts.ravel()
        if targets.labels:
            paid = rows["labelled"].tolist()
            rows["caption"] = self._note(rollout.captions, targets.labels, paid)
            self.statuses.update(one.status for one in targets.labels)
            rows["status"] = [_STATUSES.index(one.status) for one in targets.labels]
        self._file.write(rows.tobytes())
        self._file.flush()
        self._steps += len(rows)

    def close(self) -> None:
        """Write what each caption was worth, and close the files."""
        self._file.close()
        lines = "".join(json.dumps(row) + "\n" for row in self._rows)
        write_whole(self._folder / LABELS, lines)

    def _note(
        self, captions: Sequence[str], labels: Sequence[Label], paid: Sequence[float]
    ) -> list[int]:
        found = []
        for number, (text, label) in enumerate(zip(captions, labels, strict=True)):
            place = self._ids.get(text)
            if place is None:
                place = self._ids[text] = len(self._rows)
                first = self._steps + number
                self._rows.append(
                    {"caption": text, "first_step": first, "times": 0, "paid": 0.0}
                )
            row = self._rows[place]
            row["times"] += 1
            row["paid"] += paid[number]
            row |= asdict(label)
            found.append(place)
        return found


def explain(folder: str | Path, step: int) -> Explanation:
    """Tell where what was paid for a step of a run came from.

    Args:
        folder: The run's.
        step: Of all environments, from 0, in the order of time, then environment.

    Raises:
        UsageError: The folder holds no such run, or the run no such step.
    """
    path = Path(folder)
    try:
        row = _row(path / STEPS, step)
        lines = (path / LABELS).read_text().splitlines() if row["caption"] >= 0 else []
    except FileNotFoundError as cause:
        raise UsageError(
            f"{folder} holds no finished run of `reward_synth intrinsic`: "
            f"{Path(cause.filename).name} is missing."
        ) from cause
    told = json.loads(lines[int(row["caption"])]) if lines else {}
    question, answer = _asked(_journal(path), told.get("origin", ""))
    known = int(row["status"]) != _NONE
    return Explanation(
        step=step,
        reward=float(row["reward"]),
        bonus=float(row["bonus"]),
        labelled=float(row["labelled"]),
        caption=told.get("caption", ""),
        count=int(row["count"]),
        status=_STATUSES[int(row["status"])] if known else "",
        label=told.get("name", ""),
        value=told.get("value"),
        origin=told.get("origin", ""),
        question=question,
        answer=answer,
    )


def write_whole(path: Path, text: str) -> None:
    """Write a file; a reader sees the whole of it or none."""
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text)
    os.replace(fresh, path)


def _row(path: Path, step: int) -> Any:
    size = path.stat().st_size // _ROW.itemsize
    if not 0 <= step < size:
        raise UsageError(f"The run took {size} steps, from 0; there is no step {step}.")
    offset = step * _ROW.itemsize
    return np.fromfile(path, _ROW, 1, offset=offset)[0]


def _journal(folder: Path) -> Path:
    config = folder / CONFIG
    asked = json.loads(config.read_text())["asked"] if config.exists() else {}
    return Path(asked.get("journal") or folder / JOURNAL)


def _asked(folder: Path, origin: str) -> tuple[list[Any], str]:
    """Return what the journal holds of a request: messages and answer."""
    if not (folder / FILE).exists():
        return [], ""
    database = Database.read(folder / FILE)
    try:
        calls = CallLog(database)
        found = calls.find(origin)
        request = database.get("requests", origin)
    finally:
        database.close()
    if found is None or request is None:
        return [], ""
    return list(request["messages"]), str(found["text"])
