"""Running scales that are saved with the bonus and frozen for evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Bonus, Mask, State, Values

_LEAST = 1e-8


class Moments:
    """Mean and variance of the rows met so far, merged batch by batch.

    After T. Chan, G. Golub and R. LeVeque (1979). Before any row: mean 0, deviation 1.

    Example:
        >>> moments = Moments()
        >>> moments.add(np.array([[1.0], [3.0]])); moments.add(np.array([[5.0]]))
        >>> moments.mean.item(), round(moments.deviation.item(), 6)
        (3.0, 1.632993)
    """

    def __init__(self) -> None:
        self.count = 0.0
        self._mean: npt.NDArray[np.float64] = np.zeros(1)
        self._square: npt.NDArray[np.float64] = np.zeros(1)

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Take in rows, shape ``(n, d)``."""
        if not len(rows):
            return
        values = np.asarray(rows, np.float64)
        mean, size = values.mean(0), float(len(values))
        square = ((values - mean) ** 2).sum(0)
        total = self.count + size
        apart = mean - self._mean
        self._square = self._square + square + apart**2 * self.count * size / total
        self._mean = self._mean + apart * size / total
        self.count = total

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """The mean of each column."""
        return self._mean

    @property
    def deviation(self) -> npt.NDArray[np.float64]:
        """The standard deviation of each column (``ddof=0``); 1 where all are equal."""
        if not self.count:
            return np.ones(1)
        spread = np.sqrt(self._square / self.count)
        return np.where(spread > _LEAST, spread, 1.0)

    def state(self) -> State:
        """Return it as arrays."""
        count = np.array([self.count])
        return {
            "count": count,
            "mean": self._mean.copy(),
            "square": self._square.copy(),
        }

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        self.count = float(state["count"][0])
        self._mean = np.array(state["mean"], np.float64)
        self._square = np.array(state["square"], np.float64)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is made of a bonus before it is paid: scaled, clipped, weighted, annealed.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> Shape(weight=0.5, until=100).weight_at(50)
        0.25
    """

    weight: float = 1.0
    normalise: bool = False
    """Divide by the running deviation of the bonuses met so far, these included."""
    clip: float = math.inf
    """Most, after scaling and before weighing; least is its negative."""
    until: int = 0
    """Steps of all environments after which the weight has come down to ``last`` times
    itself, in a straight line; 0: it stays."""
    last: float = 0.0
    half_life: float = math.inf
    """Steps after which the weight is halved, for ever on."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        fine = math.isfinite(self.weight) and self.clip > 0 and self.half_life > 0
        if not (fine and self.until >= 0 and math.isfinite(self.last)):
            raise UsageError(
                "weight and last must be finite, clip and half_life above 0 and until at "
                f"least 0; received {self}."
            )

    def weight_at(self, step: int) -> float:
        """Return the weight after so many steps of all environments."""
        share = 0.5 ** (step / self.half_life)
        if self.until:
            share *= 1.0 + (self.last - 1.0) * min(step / self.until, 1.0)
        return float(self.weight * share)


class ShapedBonus:
    """A bonus with its :class:`Shape`; itself a bonus.

    In evaluation (``learning=False``) scale and schedule stay as they are.

    Example:
        >>> from reward_synth.intrinsic.bonuses import GlobalCount
        >>> bonus = ShapedBonus(GlobalCount(1), Shape(weight=0.1, clip=0.5))
        >>> yes = np.array([True])
        >>> bonus.score(None, None, np.array([[1]]), yes, learning=True)
        array([0.05])
    """

    def __init__(self, bonus: Bonus, shape: Shape) -> None:
        self.bonus = bonus
        self.shape = shape
        self.moments = Moments()
        self.steps = 0

    def begin(self, obs: Any, lanes: Mask) -> None:
        """Begin episodes of the marked lanes."""
        self.bonus.begin(obs, lanes)

    def score(
        self, obs: Any, action: Any, next_obs: Any, valid: Mask, *, learning: bool
    ) -> Values:
        """Return the shaped bonus of each step."""
        raw = self.bonus.score(obs, action, next_obs, valid, learning=learning)
        if learning:
            self.moments.add(raw[valid][:, None])
        scale = self.moments.deviation[0] if self.shape.normalise else 1.0
        paid = np.clip(raw / scale, -self.shape.clip, self.shape.clip)
        paid = paid * self.shape.weight_at(self.steps)
        if learning:
            self.steps += int(valid.sum())
        return paid

    def state(self) -> State:
        """Return what was learned, the inner bonus' included."""
        inner = {f"bonus.{name}": value for name, value in self.bonus.state().items()}
        return {**self.moments.state(), "steps": np.array([self.steps]), **inner}

    def load(self, state: Mapping[str, npt.NDArray[Any]], /) -> None:
        """Take over what :meth:`state` gave."""
        self.moments.load(state)
        self.steps = int(state["steps"][0])
        self.bonus.load(part(state, "bonus."))


def part(state: Mapping[str, npt.NDArray[Any]], prefix: str) -> State:
    """Return the entries under a prefix, without it.

    Example:
        >>> part({"a.x": np.ones(1), "b.x": np.zeros(1)}, "a.")
        {'x': array([1.])}
    """
    size = len(prefix)
    return {name[size:]: v for name, v in state.items() if name.startswith(prefix)}
