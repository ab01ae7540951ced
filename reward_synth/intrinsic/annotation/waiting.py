"""Captions that wait for an annotator: which is asked about next, which is dropped."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from reward_synth.errors import UsageError

Order: TypeAlias = Literal["priority", "lifo", "fifo"]
_SLACK = 4
"""Entries that a heap may hold for each caption that may wait, stale ones included."""
_SMALL = 64


@dataclass(slots=True)
class Waiting:
    """One caption that waits."""

    count: int
    """How often it was submitted."""
    first: int
    """When first, in steps."""
    last: int
    """When last, in steps."""
    since: float
    """When first, in seconds of the caller's clock."""


class WaitingCaptions:
    """A bounded queue of captions, each once.

    ``priority`` asks first for what is frequent and recent, and for what has waited
    long: the weight is ``count * exp(-(now - last) / recent) * exp((now - first) /
    patient)``, in steps. Its logarithm differs from a number that does not change with
    ``now`` by the same amount for all, so a heap holds it. A weight that grew is written
    down when the count doubles, so the order is exact up to a factor of two.
    ``lifo`` asks for the newest first, as ONI does; ``fifo`` for the oldest.

    Not safe to use from several threads without a lock.

    Args:
        most: Captions that may wait; then the one of the least weight is dropped.
        order: How they are chosen.
        recent: Steps after which recency counts e times less.
        patient: Steps after which waiting counts e times more.

    Raises:
        UsageError: A number is not above 0, or there is no such order.

    Example:
        >>> waiting = WaitingCaptions(most=2)
        >>> for step, text in enumerate(["rare", "often", "often", "new"]):
        ...     waiting.add(text, step, 0.0)
        >>> waiting.dropped, waiting.pop()[0], waiting.pop()[0], waiting.pop()
        (1, 'often', 'new', None)
    """

    def __init__(
        self,
        most: int = 10_000,
        order: Order = "priority",
        *,
        recent: float = 20_000.0,
        patient: float = 100_000.0,
    ) -> None:
        if most < 1 or not (recent > 0 and patient > 0):
            raise UsageError(
                "most, recent and patient must be above 0; received "
                f"{most}, {recent} and {patient}."
            )
        if order not in get_args(Order):
            raise UsageError(
                f"There is no order {order!r}; take one of {', '.join(get_args(Order))}."
            )
        self.most = most
        self.dropped = 0
        self._allowed = _SLACK * max(most, _SMALL)
        self._weights: dict[Order, Callable[[Waiting], float]] = {
            "priority": lambda one: (
                math.log(one.count) + one.last / recent - one.first / patient
            ),
            "lifo": lambda one: one.first,
            "fifo": lambda one: -one.first,
        }
        self._weight = self._weights[order]
        self._items: dict[str, Waiting] = {}
        self._best: list[tuple[float, str]] = []
        self._worst: list[tuple[float, str]] = []

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._items)

    def __contains__(self, caption: object) -> bool:
        """Return whether a caption waits."""
        return caption in self._items

    def add(self, caption: str, step: int, now: float) -> None:
        """Add a caption, or count it again.

        Args:
            caption: The text.
            step: Steps so far; never falls.
            now: Seconds.
        """
        item = self._items.get(caption)
        if item is None:
            self._enter(caption, Waiting(1, step, step, now))
            return
        item.count += 1
        item.last = step
        if not item.count & (item.count - 1):  # the count doubled
            heapq.heappush(self._best, (-self._weight(item), caption))
            self._trim()

    def put_back(self, caption: str, item: Waiting) -> None:
        """Let a caption wait again that could not be judged now."""
        if caption in self._items:
            self._items[caption].count += item.count
        else:
            self._enter(caption, item)

    def pop(self) -> tuple[str, Waiting] | None:
        """Take out the caption of the highest weight, None: none waits."""
        while self._best:
            _, caption = heapq.heappop(self._best)
            item = self._items.pop(caption, None)
            if item is not None:
                return caption, item
        return None

    def _enter(self, caption: str, item: Waiting) -> None:
        self._items[caption] = item
        weight = self._weight(item)
        heapq.heappush(self._best, (-weight, caption))
        heapq.heappush(self._worst, (weight, caption))
        if len(self._items) > self.most:
            self._drop()
        self._trim()

    def _drop(self) -> None:
        """Drop the caption of the least weight; weights only grow."""
        while True:
            weight, caption = heapq.heappop(self._worst)
            item = self._items.get(caption)
            if item is None:
                continue
            current = self._weight(item)
            if current > weight:
                heapq.heappush(self._worst, (current, caption))
                continue
            del self._items[caption]
            self.dropped += 1
            return

    def _trim(self) -> None:
        """Make heaps anew that hold mostly what is gone."""
        if len(self._best) > self._allowed:
            pairs = [(-self._weight(item), text) for text, item in self._items.items()]
            heapq.heapify(pairs)
            self._best = pairs
        if len(self._worst) > self._allowed:
            pairs = [(self._weight(item), text) for text, item in self._items.items()]
            heapq.heapify(pairs)
            self._worst = pairs
