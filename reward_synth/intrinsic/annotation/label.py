"""What is known of a caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

Status: TypeAlias = Literal["known", "predicted", "pending", "abstained", "failed"]
"""``pending``: not judged yet. ``abstained``: the annotator cannot tell. ``failed``: it
could not be asked; that is not the same as "unhelpful"."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one caption.

    Example:
        >>> Label("known", "helpful", 1.0).usable, PENDING.usable
        (True, False)
    """

    status: Status
    name: str = ""
    """The word that the annotator gave; empty if it gave none."""
    value: float | None = None
    """What it is worth; None where there is nothing to pay."""
    origin: str = ""
    """Who said so: digest of the request to a model, or the rule."""
    confidence: float = 1.0
    """From 0 to 1, as a reward model estimates it; 1 for labels that were given."""

    @property
    def usable(self) -> bool:
        """Whether there is a value to pay."""
        return self.value is not None


PENDING = Label("pending")


class Predictor(Protocol):
    """Guesses the worth of captions that have no label yet, such as a reward model."""

    def __call__(self, caption: str, /) -> tuple[float, float] | None:
        """Return worth and confidence, None: no guess."""


@runtime_checkable
class Annotator(Protocol):
    """Judges captions; runs in the service's own thread and event loop."""

    async def judge(self, caption: str, /) -> Label | None:
        """Return the label; None: not now, ask again later."""

    async def leave(self) -> None:
        """Free what belongs to the event loop, which ends; another may begin."""


@runtime_checkable
class Remembering(Protocol):
    """An annotator that keeps a journal."""

    def recall(self) -> dict[str, Label]:
        """Return the labels that the journal holds, by caption."""

    def record(self, labels: Mapping[str, Mapping[str, Any]], /) -> None:
        """Write down which labels the learner sees from now on."""

    def close(self) -> None:
        """Close the journal."""


@runtime_checkable
class Costing(Protocol):
    """An annotator that costs something."""

    def costs(self) -> dict[str, float]:
        """Return calls, tokens, money and the share of the pace, as in Metrics."""


@runtime_checkable
class InstantAnnotator(Protocol):
    """Judges a caption in microseconds, so that no thread is needed."""

    def judge_now(self, caption: str, /) -> Label:
        """Return the label."""
