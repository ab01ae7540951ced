"""A recorded run's labels, shown again at the same boundaries; asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.label import PENDING, Label
from reward_synth.intrinsic.annotation.ledger import read_published


class ReplayedLabels:
    """Takes the place of an :class:`AnnotationService` that published its labels.

    The learner sees the same labels from the same updates on, so a training that is
    determined by its seed gives the same numbers again, bit for bit.

    Args:
        folder: The recorded run's folder of labels.

    Raises:
        UsageError: There is no journal in the folder, or nothing was published.
    """

    def __init__(self, folder: str | Path) -> None:
        self._boundaries = read_published(folder)
        self._folder = folder
        self._next = 0
        self._shown: dict[str, Label] = {}
        if not self._boundaries:
            raise UsageError(
                f"The run in {folder} published no labels, so they cannot be replayed. "
                "Record one with visible='at_publish'."
            )

    def submit(self, captions: Iterable[str]) -> None:
        """Do nothing: nobody is asked."""

    def get(self, captions: Sequence[str]) -> list[Label]:
        """Return what the recorded run's learner saw."""
        return [self._shown.get(caption, PENDING) for caption in captions]

    def values(
        self, captions: Sequence[str], default: float = 0.0
    ) -> npt.NDArray[np.float64]:
        """Return what each caption was worth, ``default`` where that was not known."""
        worth = (label.value for label in self.get(captions))
        return np.array([default if value is None else value for value in worth])

    def publish(self) -> int:
        """Go to the recorded run's next boundary; return how many labels it brought.

        Raises:
            UsageError: The recorded run had no more.
        """
        if self._next >= len(self._boundaries):
            raise UsageError(
                f"The run in {self._folder} ended after {self._next} updates; replay as "
                "many, or train on with an annotator."
            )
        fresh = self._boundaries[self._next]
        self._next += 1
        self._shown |= {caption: Label(**data) for caption, data in fresh.items()}
        return len(fresh)

    def check(self) -> None:
        """Do nothing: there is no annotator that could die."""

    def close(self) -> None:
        """Do nothing."""
