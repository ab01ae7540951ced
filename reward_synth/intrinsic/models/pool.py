"""The captions that a model may learn from, and the pairs made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.intrinsic.models.pairs import pair_text
from reward_synth.intrinsic.models.protocol import Seen

_MOST = 20_000
"""Captions that are held; what comes after it is labelled, but not learned from."""
_PAIRS = 200_000
"""Pairs that are asked about at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A caption, or a pair, whose label is waited for."""

    text: str
    """What the service is asked."""
    captions: tuple[str, ...]


class Pool:
    """Holds each different caption once, with the first observation it was met with.

    Args:
        rng: Draws pairs.
        pairs: That are drawn at once.
        obs: Whether observations are held.

    Example:
        >>> pool = Pool(np.random.default_rng(0), pairs=9)
        >>> pool.add(Seen(["a", "b", "a"]))
        >>> len(pool.singles()), len(pool.pairs()), len(pool.pairs())
        (2, 1, 0)
    """

    def __init__(
        self, rng: np.random.Generator, *, pairs: int = 64, obs: bool = False
    ) -> None:
        self._rng = rng
        self._size = pairs
        self._keeps = obs
        self._first: dict[str, Any] = {}
        self._texts: list[str] = []
        self._fresh: list[Wanted] = []
        self._drawn: set[frozenset[str]] = set()

    def add(self, seen: Seen) -> None:
        """Take in what steps led to."""
        for number, text in enumerate(seen.captions):
            if text in self._first or len(self._texts) >= _MOST:
                continue
            self._first[text] = seen.take([number]) if self._keeps else None
            self._texts.append(text)
            self._fresh.append(Wanted(text, (text,)))

    def singles(self) -> list[Wanted]:
        """Return the captions that are new since the last time."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def pairs(self) -> list[Wanted]:
        """Draw pairs of different captions, none twice, in random order.

        Two equal captions are a tie, and nobody need be asked.
        """
        found: list[Wanted] = []
        size = len(self._texts)
        possible = min(size * (size - 1) // 2, _PAIRS) - len(self._drawn)
        tries = 0
        while len(found) < min(self._size, possible) and tries < 20 * self._size:
            tries += 1
            one, other = self._rng.integers(size, size=2).tolist()
            pair = self._texts[one], self._texts[other]
            if one != other and frozenset(pair) not in self._drawn:
                self._drawn.add(frozenset(pair))
                found.append(Wanted(pair_text(*pair), pair))
        return found

    def seen(self, items: Sequence[Wanted]) -> tuple[Seen, Seen]:
        """Return the first and the last caption of each item, as models read them."""
        return (
            self._side([item.captions[0] for item in items]),
            self._side([item.captions[-1] for item in items]),
        )

    def _side(self, texts: list[str]) -> Seen:
        if not self._keeps or not texts:
            return Seen(texts)
        return Seen(texts, _joined([self._first[text].obs for text in texts]))


def _joined(rows: list[Any]) -> Any:
    if isinstance(rows[0], dict):
        return {name: _joined([row[name] for row in rows]) for name in rows[0]}
    return np.concatenate(rows)
