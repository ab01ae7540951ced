"""Notices agents that earn one label again and again instead of doing the task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reward_synth.errors import UsageError


@dataclass(frozen=True, slots=True)
class Farming:
    """How concentrated what labels paid is."""

    caption: str
    """The one that paid most."""
    share: float
    """Its share of all that was paid."""
    again: float
    """Share of all that was paid for captions which had paid in the same episode before."""
    suspected: bool
    """True where both shares pass the limit: a decay by the episode's count helps, such
    as ``EpisodicCount(power=3)``."""


class FarmingWatch:
    """Sums what each caption pays, and how much of it is earned again in an episode.

    Args:
        lanes: How many environments.
        limit: The share from which on it is suspected.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> watch = FarmingWatch(1)
        >>> for text in ["a key", "a key", "a key", "the door"]:
        ...     watch.add([text], [1.0], [False])
        >>> watch.farming()
        Farming(caption='a key', share=0.75, again=0.5, suspected=True)
    """

    def __init__(self, lanes: int, limit: float = 0.5) -> None:
        if lanes < 1 or not 0 < limit <= 1:
            raise UsageError(
                "A watch needs at least one lane and a limit in (0, 1]; received "
                f"{lanes} and {limit}."
            )
        self.limit = limit
        self._paid: Counter[str] = Counter()
        self._again = 0.0
        self._met: list[set[str]] = [set() for _ in range(lanes)]

    def add(
        self, captions: Sequence[str], rewards: Sequence[float], ended: Sequence[Any]
    ) -> None:
        """Take in one step of every lane; what is not above 0 earns nothing."""
        for lane, (caption, reward) in enumerate(zip(captions, rewards, strict=True)):
            met = self._met[lane]
            if reward > 0:
                self._paid[caption] += reward  # type: ignore[assignment]  # floats too
                self._again += reward * (caption in met)
                met.add(caption)
            if ended[lane]:
                met.clear()

    def farming(self) -> Farming:
        """Return how concentrated it is."""
        total = self._paid.total()
        if not total:
            return Farming("", 0.0, 0.0, suspected=False)
        (caption, most), *_ = self._paid.most_common(1)
        share, again = most / total, self._again / total
        both = share >= self.limit and again >= self.limit
        return Farming(caption, share, again, suspected=both)
