"""What a reward model is: it reads what steps led to, and guesses labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import Label
from reward_synth.intrinsic.bonuses.protocol import State

Question = Mapping[str, Any]
"""What an annotator was asked, as JSON data; see :func:`question_of`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What some steps led to.

    Raises:
        UsageError: There are not as many observations as captions.

    Example:
        >>> len(Seen(["a key", "a door"]))
        2
    """

    captions: Sequence[str]
    """One a step."""
    obs: Any = None
    """Batched observations, first axis the steps; None where no model reads them."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        for rows in _leaves(self.obs):
            if len(rows) != len(self.captions):
                raise UsageError(
                    f"{len(self.captions)} captions came with {len(rows)} observations; "
                    "each caption needs its own."
                )

    def __len__(self) -> int:
        return len(self.captions)

    def take(self, rows: Sequence[int]) -> Seen:
        """Return some steps.

        Example:
            >>> Seen(["a", "b"], np.array([[1], [2]])).take([1])
            Seen(captions=['b'], obs=array([[2]]))
        """
        return Seen([self.captions[row] for row in rows], _take(self.obs, list(rows)))


@dataclass(frozen=True, slots=True)
class Fit:
    """What one round of learning did."""

    examples: int
    """All that the model has learned from."""
    fresh: int = 0
    """Those that were new in this round."""
    steps: int = 0
    """Of its optimiser."""
    loss: float = math.nan
    """At the last step."""
    foreseen: float = math.nan
    """Share of the new ones that the model had right before it learned from them."""


class RewardModel(Protocol):
    """Guesses what steps are worth, and learns from labels.

    Captions are judged one by one; a model that learns from pairs is a
    :class:`PairModel`.
    """

    kind: str
    """Names the class in files."""
    question: Question | None
    """What the labels it learned from answer; None: it has learned nothing."""

    @property
    def reads_obs(self) -> bool:
        """Whether it needs observations beside captions."""

    def judge(self, seen: Seen, /, *, learning: bool = False) -> list[Label]:
        """Return a label for each step: predicted, or pending if it cannot tell.

        Args:
            seen: The steps.
            learning: False in evaluation: running scales stay as they are.
        """

    def settings(self) -> dict[str, Any]:
        """Return what it was made with, as JSON data."""

    def data(self) -> str:
        """Return a digest of what it learned from, in whatever order."""

    def state(self) -> State:
        """Return what was learned."""

    def load(self, state: State, /) -> None:
        """Take over what :meth:`state` gave."""


class LabelModel(RewardModel, Protocol):
    """Learns from captions' labels."""

    def fit(self, seen: Seen, labels: Sequence[Label], /) -> Fit:
        """Learn from labels; what was not judged, or is not sure, teaches nothing."""


class PairModel(RewardModel, Protocol):
    """Learns from which of two is better."""

    def fit_pairs(self, first: Seen, second: Seen, labels: Sequence[Label], /) -> Fit:
        """Learn from pairs' labels: worth 1 if the first is better, 0.5 for a tie."""


def question_of(annotator: object) -> Question | None:
    """Return what an annotator is asked, None if it does not tell.

    Labels of two questions are never mixed in one model.

    Example:
        >>> from reward_synth.intrinsic.annotation import Rule, RuleAnnotator
        >>> question_of(RuleAnnotator([Rule("key", "helpful")]))["rules"]
        [['key', 'helpful']]
    """
    tell = getattr(annotator, "question", None)
    return None if tell is None else dict(tell())


def _leaves(obs: Any) -> list[Any]:
    if obs is None:
        return []
    if isinstance(obs, Mapping):
        return [leaf for value in obs.values() for leaf in _leaves(value)]
    return [obs]


def _take(obs: Any, rows: list[int]) -> Any:
    if obs is None:
        return None
    if isinstance(obs, Mapping):
        return {name: _take(value, rows) for name, value in obs.items()}
    return np.asarray(obs)[rows]
