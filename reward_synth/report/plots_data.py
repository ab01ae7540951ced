"""What pictures of a reward are drawn from: maps, and what one episode is paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Axis:
    """One number of a task that a picture runs over.

    Example:
        >>> Axis("position", -1.2, 0.6, "m").label
        'position (m)'
    """

    name: str
    """As the user names it, for example ``position`` or ``gripper[2]``."""
    low: float
    """The smallest value that was recorded."""
    high: float
    unit: str = ""
    whole: bool = False
    """True if only whole numbers make sense."""

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def points(self, most: int) -> Values:
        """Return at most ``most`` values from the lowest to the highest, evenly spread.

        Example:
            >>> Axis("x", 0.0, 1.0).points(3), Axis("n", 0.0, 2.0, whole=True).points(41)
            (array([0. , 0.5, 1. ]), array([0., 1., 2.]))
        """
        if not self.whole:
            return np.linspace(self.low, self.high, most)
        step = max(1, -(-int(self.high - self.low + 1) // most))
        return np.arange(self.low, self.high + 1, step)

    def cells(self, most: int) -> Values:
        """Return the middles of at most ``most`` cells that cover the range.

        Example:
            >>> Axis("x", 0.0, 1.0).cells(2), Axis("n", 0.0, 1.0, whole=True).cells(9)
            (array([0.25, 0.75]), array([0., 1.]))
        """
        if self.whole:
            return self.points(most)
        half = (self.high - self.low) / (2 * most)
        return np.linspace(self.low + half, self.high - half, most)


@dataclass(frozen=True, slots=True)
class Map:
    """Numbers over two axes."""

    title: str
    xs: Values
    """Middles of the columns, evenly spaced."""
    ys: Values
    """Middles of the rows, from the bottom."""
    values: Values
    """Shape ``(rows, columns)``; NaN where nothing is known."""
    rise: Values | None = None
    """Shape ``(2, rows, columns)``: how fast the value rises to the right and upwards,
    over the whole length of each axis. None: no arrows."""

    @property
    def ends(self) -> tuple[float, float]:
        """The values of the first and the last colour.

        Example:
            >>> one = np.array([[-1.0, 3.0]])
            >>> Map("", one[0], one[0, :1], one).ends
            (-1.0, 3.0)
        """
        known = self.values[np.isfinite(self.values)]
        if not known.size:
            return 0.0, 0.0
        return float(known.min()), float(known.max())


@dataclass(frozen=True, slots=True)
class Story:
    """What each step of one recorded episode is paid."""

    policy: str
    """Who acted: ``random``, ``held``, ``demonstration`` …"""
    seed: int
    succeeded: bool
    names: tuple[str, ...]
    """The components."""
    parts: Values
    """Shape ``(components, steps)``."""
    sparse: Values
    """What the environment paid, ``(steps,)``."""
    combined: Values
    """What a learner is paid under the combiner, ``(steps,)``."""
    faults: int = 0
    """Steps that were paid without the reward, for it was not finite or far too large."""

    @property
    def total(self) -> Values:
        """What the reward alone pays, shape ``(steps,)``."""
        total: Values = self.parts.sum(axis=0)
        return total


@dataclass(frozen=True, slots=True)
class RewardPlots:
    """Everything that the pictures of one reward show."""

    name: str
    """The reward's."""
    env: str
    combine: str
    across: Axis
    up: Axis
    held: Mapping[str, Any]
    """What else the reward reads, and the value at which the maps hold it."""
    maps: tuple[Map, ...]
    """The reward's own values on a grid: the sum, then each component."""
    success: Mask | None
    """Where on the grid the success rule holds; None: it reads more than fields."""
    blended: tuple[Map, ...]
    """Means over recorded steps: the reward alone, the environment's, both combined."""
    story: Story
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data; what is not finite is None."""
        data: dict[str, Any] = _plain(asdict(self))
        return data


def _plain(item: Any) -> Any:
    if isinstance(item, np.ndarray):
        return _plain(item.tolist())
    if isinstance(item, Mapping):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [_plain(part) for part in item]
    if isinstance(item, float) and not np.isfinite(item):
        return None
    return item


@dataclass(frozen=True, slots=True)
class Made:
    """How pictures were made, told on their page.

    Example:
        >>> Made("reward_synth plot reward.py").created
        0.0
    """

    command: str = ""
    """Exactly; empty: not told."""
    created: float = 0.0
    """Seconds since the epoch."""
    versions: Mapping[str, str] = field(default_factory=dict)


def binned(
    title: str, places: tuple[Values, Values], axes: tuple[Axis, Axis], values: Values
) -> Map:
    """Return the mean of values in cells over two axes; NaN where there is none.

    Args:
        title: Of the map.
        places: Where each value lies on the two axes, shapes ``(N,)``.
        axes: What runs across, and what runs up.
        values: Shape ``(N,)``.

    Example:
        >>> x, y = np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0])
        >>> flag = Axis("x", 0, 1, whole=True), Axis("y", 0, 1, whole=True)
        >>> binned("", (x, y), flag, np.array([1.0, 2.0, 4.0])).values
        array([[ 1.,  2.],
               [nan,  4.]])
    """
    xs, ys = (axis.cells(CELLS) for axis in axes)
    column, row = (
        nearest(place, middles) for place, middles in zip(places, (xs, ys), strict=True)
    )
    flat, size = row * len(xs) + column, len(xs) * len(ys)
    count = np.bincount(flat, minlength=size)
    sums = np.bincount(flat, weights=values, minlength=size)
    mean = np.divide(sums, count, out=np.full(size, np.nan), where=count > 0)
    return Map(title, xs, ys, mean.reshape(len(ys), len(xs)))


def nearest(values: Values, middles: Values) -> npt.NDArray[np.int64]:
    """Return the number of the cell that each value lies in.

    Example:
        >>> nearest(np.array([0.1, 0.6, 1.0]), np.array([0.25, 0.75])).tolist()
        [0, 1, 1]
    """
    step = (middles[-1] - middles[0]) / max(1, len(middles) - 1) or 1.0
    place = np.floor((values - middles[0]) / step + 0.5).astype(np.int64)
    found: npt.NDArray[np.int64] = np.clip(place, 0, len(middles) - 1)
    return found


CELLS = 20
"""Of a map of recorded steps, on each side."""
