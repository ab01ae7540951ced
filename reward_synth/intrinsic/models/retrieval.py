"""Retrieval: the label that a caption was given, and nothing for all others.

As ONI-Retrieval (M. Klissarov and others, arXiv 2410.23022).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from reward_synth.intrinsic.annotation import Label, Status
from reward_synth.intrinsic.annotation.label import PENDING
from reward_synth.intrinsic.bonuses.protocol import State
from reward_synth.intrinsic.models.protocol import Fit, Question, Seen

_STATUSES: tuple[Status, ...] = get_args(Status)


class RetrievalModel:
    """A table from the hash of a caption to its label.

    Example:
        >>> model = RetrievalModel()
        >>> model.fit(Seen(["a key"]), [Label("known", "helpful", 1.0)]).examples
        1
        >>> [label.status for label in model.judge(Seen(["a key", "a door"]))]
        ['known', 'pending']
    """

    kind = "retrieval"
    reads_obs = False

    def __init__(self) -> None:
        self.question: Question | None = None
        self._labels: dict[bytes, Label] = {}

    def judge(self, seen: Seen, /, *, learning: bool = False) -> list[Label]:
        """Return each caption's label."""
        del learning
        return [self._labels.get(digest(text), PENDING) for text in seen.captions]

    def fit(self, seen: Seen, labels: Sequence[Label], /) -> Fit:
        """Keep labels, abstentions too; what is pending is left out."""
        before = len(self._labels)
        for text, label in zip(seen.captions, labels, strict=True):
            if label.status in {"known", "abstained"}:
                self._labels[digest(text)] = label
        return Fit(len(self._labels), len(self._labels) - before)

    def settings(self) -> dict[str, Any]:
        """Return nothing: there is no choice."""
        return {}

    def data(self) -> str:
        """Return a digest of the table."""
        rows = {key: label.value for key, label in self._labels.items()}
        return data_digest(rows)

    def state(self) -> State:
        """Return the table; names of labels and who gave them are not kept."""
        keys = np.frombuffer(b"".join(self._labels), np.uint8).reshape(-1, _SIZE)
        rows = list(self._labels.values())
        worth = [np.nan if row.value is None else row.value for row in rows]
        statuses = [_STATUSES.index(row.status) for row in rows]
        return {
            "keys": keys.copy(),
            "worth": np.array(worth, np.float64),
            "status": np.array(statuses, np.int64),
        }

    def load(self, state: State, /) -> None:
        """Take over a table."""
        rows = zip(state["keys"], state["worth"], state["status"], strict=True)
        self._labels = {
            key.tobytes(): _label(float(worth), int(status))
            for key, worth, status in rows
        }


def _label(worth: float, status: int) -> Label:
    value = None if np.isnan(worth) else worth
    return Label(_STATUSES[status], value=value, origin="file")


_SIZE = 16


def digest(text: str) -> bytes:
    """Return a caption's key, 16 bytes.

    Example:
        >>> len(digest("a key")), digest("a key") == digest("a door")
        (16, False)
    """
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).digest()


def data_digest(rows: dict[bytes, float | None]) -> str:
    """Return a digest of keys and what they are worth, whatever their order.

    Example:
        >>> one = data_digest({b"a": 1.0, b"b": None})
        >>> one == data_digest({b"b": None, b"a": 1.0}), one == data_digest({b"a": 1.0})
        (True, False)
    """
    told = hashlib.sha256()
    for key in sorted(rows):
        told.update(key + repr(rows[key]).encode() + b"\n")
    return told.hexdigest()
