"""What waits, what is asked and what is known, shared by trainer and annotator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.label import InstantAnnotator, Label
from reward_synth.intrinsic.annotation.metrics import Counters, Metrics
from reward_synth.intrinsic.annotation.visible import VisibleLabels
from reward_synth.intrinsic.annotation.waiting import Waiting, WaitingCaptions


class LabelDesk:
    """Takes captions from the trainer, hands them to workers, takes their labels.

    Safe for several threads; nothing here waits for anything but the lock.

    Args:
        labels: Where labels go.
        waiting: Where captions wait.
        instant: Labels captions on the spot; None: workers do.
        reference: Its labels are compared.
        clock: Seconds.
    """

    def __init__(
        self,
        labels: VisibleLabels,
        waiting: WaitingCaptions,
        instant: InstantAnnotator | None,
        reference: InstantAnnotator | None,
        clock: Callable[[], float],
    ) -> None:
        self.labels = labels
        self.instant = instant
        self.reference = reference
        self._waiting = waiting
        self._flying: dict[str, Waiting] = {}
        self._counters = Counters()
        self._lock = threading.Lock()
        self._clock = clock

    def submit(self, captions: Iterable[str]) -> None:
        """Take captions, one a step of one environment.

        Raises:
            UsageError: One is no text.
        """
        now, covered, steps = self._clock(), 0, 0
        known, counters = self.labels, self._counters
        with self._lock:
            step = counters.steps
            for caption in captions:
                steps += 1
                if caption in known:
                    covered += known.shows(caption)
                elif caption in self._flying:
                    continue
                elif not isinstance(caption, str):
                    raise UsageError(f"A caption must be a text; received {caption!r}.")
                elif self.instant is not None:
                    self.note(caption, self.instant.judge_now(caption))
                    covered += known.shows(caption)
                else:
                    self._waiting.add(caption, step + steps, now)
            counters.count(steps, covered)

    def take(self) -> tuple[str, Waiting] | None:
        """Hand the next caption to a worker, None: none waits."""
        with self._lock:
            taken = self._waiting.pop()
            if taken is not None:
                self._flying[taken[0]] = taken[1]
            return taken

    def deliver(self, caption: str, item: Waiting, label: Label | None) -> None:
        """Take a worker's label; None puts the caption back."""
        with self._lock:
            self._flying.pop(caption, None)
            if label is None:
                self._waiting.put_back(caption, item)
                return
            self.note(caption, label)
            self._counters.age(self._clock() - item.since, item.first)

    def note(self, caption: str, label: Label) -> None:
        """Keep a label, and compare it with the reference's."""
        self.labels.add(caption, label)
        same = None
        if self.reference is not None and label.usable:
            same = self.reference.judge_now(caption).value == label.value
        self._counters.note(label.status, same)

    def publish(self) -> dict[str, Label]:
        """Show what came since the last time, and return it."""
        with self._lock:
            return self.labels.publish()

    def metrics(self, costs: Mapping[str, float]) -> Metrics:
        """Return how it goes."""
        with self._lock:
            waiting, flying = self._waiting, len(self._flying)
            return self._counters.metrics(len(waiting), flying, waiting.dropped, costs)
