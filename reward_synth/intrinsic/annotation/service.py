"""Labels beside the training: submitted without waiting, read when they are there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from reward_synth.intrinsic.annotation.desk import LabelDesk
from reward_synth.intrinsic.annotation.keeper import Keeper, OnDeath, require
from reward_synth.intrinsic.annotation.label import (
    PENDING,
    Annotator,
    Costing,
    InstantAnnotator,
    Label,
    Predictor,
    Remembering,
)
from reward_synth.intrinsic.annotation.metrics import Metrics
from reward_synth.intrinsic.annotation.visible import Visibility, VisibleLabels, row
from reward_synth.intrinsic.annotation.waiting import Order, WaitingCaptions


class AnnotationService:
    """Gives captions labels, in a thread of its own.

    :meth:`submit` and :meth:`get` never wait for a model. A caption is asked about once,
    however often and from however many environments it is submitted.

    Args:
        annotator: A model's (:class:`ModelAnnotator`), or one that answers at once
            (:class:`RuleAnnotator`), which needs no thread.
        workers: Captions that are asked about at the same time.
        most_waiting: Captions that may wait; then the least important is dropped.
        order: Which is asked about first: ``priority``, ``lifo`` (as ONI) or ``fifo``.
        visible: ``at_once``, or ``at_publish``: only at :meth:`publish`, which is written
            down, so that the run can be replayed bit for bit.
        on_death: What :meth:`check` does when the annotator has ended by itself: raise,
            ``go_on`` with the labels that are there (and warn once), or ``pause``: start
            it again and wait.
        patience: Seconds that ``pause`` waits before it raises.
        predict: Guesses for captions without a label, such as a reward model.
        reference: Another annotator whose labels are compared, for ``agreement``.
        most_known: Labels that are held in memory.
        clock: Seconds.

    Raises:
        UsageError: A choice does not exist, or a number is below 1.

    Example:
        >>> from reward_synth.intrinsic.annotation import Rule, RuleAnnotator
        >>> rules = RuleAnnotator([Rule("unlock", "helpful")], otherwise="unhelpful")
        >>> with AnnotationService(rules) as service:
        ...     service.submit(["You unlock the door.", "It is dark."])
        ...     service.values(["You unlock the door.", "It is dark.", "New."]).tolist()
        [1.0, 0.0, 0.0]
    """

    def __init__(
        self,
        annotator: Annotator | InstantAnnotator,
        *,
        workers: int = 8,
        most_waiting: int = 10_000,
        order: Order = "priority",
        visible: Visibility = "at_once",
        on_death: OnDeath = "raise",
        patience: float = 60.0,
        predict: Predictor | None = None,
        reference: InstantAnnotator | None = None,
        most_known: int = 200_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        require(on_death, workers)
        self.annotator = annotator
        self.predict = predict
        self.desk = LabelDesk(
            VisibleLabels(visible, most_known),
            WaitingCaptions(most_waiting, order),
            annotator if isinstance(annotator, InstantAnnotator) else None,
            reference,
            clock,
        )
        self._labels = self.desk.labels
        if isinstance(annotator, Remembering):
            for caption, label in annotator.recall().items():
                self.desk.note(caption, label)
        self._keeper: Keeper | None = None
        if isinstance(annotator, Annotator):
            settings = workers, on_death, patience, clock
            self._keeper = Keeper(annotator, self.desk, *settings)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread."""
        self.close()

    def submit(self, captions: Iterable[str]) -> None:
        """Take captions, one a step of one environment; never waits for a model.

        Raises:
            UsageError: One is no text.
        """
        self.desk.submit(captions)
        if self._keeper is not None:
            self._keeper.thread.nudge()

    def get(self, captions: Sequence[str]) -> list[Label]:
        """Return what is known of each caption; never waits."""
        return [self._label(caption) for caption in captions]

    def values(
        self, captions: Sequence[str], default: float = 0.0
    ) -> npt.NDArray[np.float64]:
        """Return what each caption is worth, ``default`` where that is not known."""
        worth = (self._label(caption).value for caption in captions)
        return np.array([default if value is None else value for value in worth])

    def publish(self) -> int:
        """Show the learner the labels that came since the last time; return how many.

        Call it where the learner updates, with ``visible="at_publish"``.
        """
        fresh = self.desk.publish()
        recorder = self.annotator
        if self._labels.visible == "at_publish" and isinstance(recorder, Remembering):
            rows = {text: row(label) for text, label in fresh.items()}
            if self._keeper is not None:
                self._keeper.thread.write(lambda: recorder.record(rows))
        return len(fresh)

    def check(self) -> None:
        """See whether the annotator lives, and do what ``on_death`` says; takes no time.

        Call it now and then, for example where the learner updates.

        Raises:
            AnnotatorDeadError: It is dead, and ``on_death`` is ``raise``, or ``pause``
                and it did not come back.
        """
        if self._keeper is not None:
            self._keeper.check()

    @property
    def alive(self) -> bool:
        """Whether captions are being judged."""
        return self._keeper is None or self._keeper.alive

    @property
    def stopped(self) -> str:
        """Why nothing more is asked, such as a budget; empty: more is."""
        return "" if self._keeper is None else self._keeper.thread.budget

    def metrics(self) -> Metrics:
        """Return how it goes."""
        annotator = self.annotator
        costs = annotator.costs() if isinstance(annotator, Costing) else {}
        return self.desk.metrics(costs)

    def close(self) -> None:
        """Stop the thread; what is in flight is asked again by the next run.

        Raises:
            AnnotatorDeadError: It does not stop.
        """
        if self._keeper is not None:
            self._keeper.close()
        if isinstance(self.annotator, Remembering):
            self.annotator.close()

    def _label(self, caption: str) -> Label:
        label = self._labels.get(caption)
        if label is not None:
            return label
        guess = None if self.predict is None else self.predict(caption)
        if guess is None:
            return PENDING
        value, confidence = guess
        return Label("predicted", "", value, "prediction", confidence)
