"""Trajectories as rows of numbers, and preferences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.preference.features import Inputs, Values
from reward_synth.reward import Array, Rollout

Numbers: TypeAlias = npt.NDArray[np.int64]
TIE = 0.5


@dataclass(frozen=True, slots=True)
class Segments:
    """Trajectories of unlike lengths, behind one another.

    Raises:
        UsageError: There are none, one is empty, or a number is not finite.

    Example:
        >>> made = Segments.of([np.zeros((3, 2)), np.ones(2)])
        >>> made.count, made.lengths.tolist(), made.totals(np.ones(4)).tolist()
        (2, [3, 1], [3.0, 1.0])
    """

    rows: Values
    """What is seen of each step, shape ``(steps, D)``."""
    lengths: Numbers
    """Steps of each segment, shape ``(count,)``."""

    def __post_init__(self) -> None:
        """Refuse what cannot be learned from."""
        if not len(self.lengths) or self.lengths.min() < 1:
            raise UsageError(
                f"Segments need at least one step each, and there must be one; lengths "
                f"are {self.lengths.tolist()[:8]}."
            )
        if self.rows.ndim != 2 or len(self.rows) != self.lengths.sum():  # noqa: PLR2004 - a table
            raise UsageError(
                f"Segments of {self.lengths.sum()} steps need rows of shape (steps, D), "
                f"received {self.rows.shape}."
            )
        if not np.isfinite(self.rows).all():
            raise UsageError("Segments hold numbers that are not finite.")

    @classmethod
    def of(cls, trajectories: Sequence[Any] | Array) -> Segments:
        """Join tables of shape ``(T, D)``; a vector is a segment of one step."""
        tables = [np.atleast_2d(np.asarray(x, np.float64)) for x in trajectories]
        widths = sorted({table.shape[1] for table in tables})
        if len(widths) != 1:
            raise UsageError(
                f"Trajectories must have equally many numbers a step; received {widths}."
            )
        return cls(np.concatenate(tables), np.array([len(x) for x in tables]))

    @classmethod
    def of_rollouts(
        cls, rollouts: Sequence[Rollout], inputs: Inputs, length: int | None = None
    ) -> Segments:
        """Return what a model sees of rollouts, whole or cut into pieces.

        Args:
            rollouts: Episodes.
            inputs: What is seen.
            length: Steps of a piece; a shorter rest is left out. None: whole episodes.
        """
        tables = [inputs.rows(item.steps) for item in rollouts]
        if length is not None:
            tables = [
                table[start : start + length]
                for table in tables
                for start in range(0, len(table) - length + 1, length)
            ]
        if not tables:
            raise UsageError(
                f"{len(rollouts)} rollouts give no segment of length {length}."
            )
        return cls.of(tables)

    @property
    def count(self) -> int:
        """Number of segments."""
        return len(self.lengths)

    @property
    def owner(self) -> Numbers:
        """The segment of each step, shape ``(steps,)``."""
        return np.repeat(np.arange(self.count), self.lengths)

    def totals(self, values: Values) -> Values:
        """Sum a number of each step over each segment, shape ``(count,)``."""
        made = np.bincount(self.owner, values, self.count)
        return np.asarray(made, np.float64)

    def taken(self, which: Numbers) -> Segments:
        """Return some segments, in the order asked for."""
        starts = np.cumsum(self.lengths) - self.lengths
        chosen = self.lengths[which]
        inside = np.arange(chosen.sum()) - np.repeat(np.cumsum(chosen) - chosen, chosen)
        return Segments(self.rows[np.repeat(starts[which], chosen) + inside], chosen)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which of two segments is preferred.

    Raises:
        UsageError: There are none, lengths differ, or a label is outside [0, 1].

    Example:
        >>> Pairs(np.array([0]), np.array([1]), np.array([0.5])).ties.tolist()
        [True]
    """

    first: Numbers
    """Numbers of segments, shape ``(P,)``."""
    second: Numbers
    """Likewise."""
    label: Values
    """1: the first is preferred, 0: the second, ½: neither; between: a probability."""

    def __post_init__(self) -> None:
        """Refuse what cannot be learned from."""
        sizes = {len(self.first), len(self.second), len(self.label)}
        if len(sizes) != 1 or sizes == {0}:
            raise UsageError(
                f"Pairs need equally many first, second and label, at least one; received "
                f"{len(self.first)}, {len(self.second)} and {len(self.label)}."
            )
        if not ((self.label >= 0) & (self.label <= 1)).all():
            raise UsageError(
                f"A label must lie in [0, 1]; labels run from {self.label.min()} to "
                f"{self.label.max()}."
            )

    @property
    def count(self) -> int:
        """Number of pairs."""
        return len(self.label)

    @property
    def ties(self) -> npt.NDArray[np.bool_]:
        """Where neither is preferred."""
        made: npt.NDArray[np.bool_] = self.label == TIE
        return made

    def taken(self, which: Any) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.first[which], self.second[which], self.label[which])

    def require_within(self, count: int) -> None:
        """Refuse numbers of segments that are not there.

        Raises:
            UsageError: A number is negative or too large.
        """
        both = np.concatenate([self.first, self.second])
        if both.min() < 0 or both.max() >= count:
            raise UsageError(
                f"Pairs name segments {both.min()} to {both.max()}; there are {count}, "
                f"numbered from 0."
            )


def random_pairs(
    count: int, number: int, rng: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Draw pairs of unlike segments.

    Args:
        count: How many segments there are; at least two.
        number: How many pairs to draw.
        rng: Draws them.

    Raises:
        UsageError: There are fewer than two segments, or no pair is asked for.

    Example:
        >>> first, second = random_pairs(2, 5, np.random.default_rng(0))
        >>> (first + second).tolist()
        [1, 1, 1, 1, 1]
    """
    if count < 2 or number < 1:  # noqa: PLR2004 - a pair
        raise UsageError(
            f"Pairs need at least two segments and one pair; received {count} and "
            f"{number}."
        )
    first = rng.integers(count, size=number)
    return first, (first + rng.integers(1, count, size=number)) % count
