"""Keeps the annotator's thread, and acts when it dies."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from reward_synth.errors import RewardSynthError, UsageError
from reward_synth.intrinsic.annotation.label import Annotator
from reward_synth.intrinsic.annotation.thread import AnnotatorThread, Desk

OnDeath: TypeAlias = Literal["raise", "go_on", "pause"]
_PAUSE = 0.3
"""Seconds between attempts to start an annotator again."""


class AnnotatorDeadError(RewardSynthError):
    """The annotator ended by itself; training was told to stop for it."""


class AnnotatorDeadWarning(UserWarning):
    """The annotator ended by itself; training goes on with the labels that are there."""


def require(on_death: OnDeath, workers: int) -> None:
    """Refuse settings that cannot be.

    Raises:
        UsageError: There is no such choice of ``on_death``, or no worker.

    Example:
        >>> require("raise", 0)
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: on_death must be one of raise, go_on, pause and \
workers at least 1; received 'raise' and 0.
    """
    if on_death not in get_args(OnDeath) or workers < 1:
        raise UsageError(
            f"on_death must be one of {', '.join(get_args(OnDeath))} and workers at "
            f"least 1; received {on_death!r} and {workers}."
        )


class Keeper:
    """Starts the thread, and starts it again, warns or raises when it has died.

    Args:
        annotator: Judges captions.
        desk: Where captions come from and labels go.
        workers: Captions that are judged at once.
        on_death: ``raise``, ``go_on`` or ``pause``.
        patience: Seconds that ``pause`` waits before it raises.
        clock: Seconds.
    """

    def __init__(
        self,
        annotator: Annotator,
        desk: Desk,
        workers: int,
        on_death: OnDeath = "raise",
        patience: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.annotator = annotator
        self.desk = desk
        self.workers = workers
        self.on_death = on_death
        self.patience = patience
        self._clock = clock
        self._warned = False
        self.thread = self._started()

    @property
    def alive(self) -> bool:
        """Whether the thread lives."""
        return self.thread.alive

    def check(self) -> None:
        """Do what ``on_death`` says if the thread is dead.

        Raises:
            AnnotatorDeadError: See :meth:`AnnotationService.check`.
        """
        if self.alive:
            return
        if self.on_death == "raise":
            raise self._dead()
        if self.on_death == "pause":
            self._revive()
        elif not self._warned:
            self._warned = True
            warnings.warn(str(self._dead()), AnnotatorDeadWarning, stacklevel=3)

    def close(self) -> None:
        """End the thread.

        Raises:
            AnnotatorDeadError: It does not end.
        """
        if not self.thread.stop():
            raise AnnotatorDeadError("The annotator's thread did not stop in 10 s.")

    def _started(self) -> AnnotatorThread:
        thread = AnnotatorThread(self.annotator, self.desk, self.workers)
        thread.start()
        return thread

    def _revive(self) -> None:
        """Start the thread again until it lives, or patience ends."""
        ends = self._clock() + self.patience
        while self._clock() < ends:
            if not self.thread.stop(_PAUSE):
                break  # it hangs: two must not write one journal
            self.thread = self._started()
            time.sleep(_PAUSE)
            if self.alive:
                return
        raise self._dead()

    def _dead(self) -> AnnotatorDeadError:
        cause = self.thread.death
        said = f"{type(cause).__name__}: {cause}" if cause else "It stopped answering."
        error = AnnotatorDeadError(
            f"The annotator is dead. {said} Labels so far are kept. Mend the cause and "
            "run again, or go on without new labels with on_death='go_on'."
        )
        error.__cause__ = cause
        return error
