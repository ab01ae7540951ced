"""Scales that are learned from the rewards met so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from reward_synth.combine.basic import added, usable
from reward_synth.combine.protocol import (
    ActsOn,
    ByBatch,
    Context,
    Mask,
    State,
    Values,
)
from reward_synth.combine.state import Split
from reward_synth.errors import UsageError
from reward_synth.reward import Components

Scaling = Literal["z_score", "clip", "min_max"]


@dataclass(frozen=True, slots=True)
class Running(ByBatch):
    """The components' sum, scaled by what was met so far, this step included.

    ``z_score``: (r - mean) / deviation; ``clip``: cut to mean ± deviation; ``min_max``:
    (r - least) / (greatest - least). The deviation is that of the rewards (``ddof=0``).
    Where all rewards are equal nothing can be told apart: 0, the reward itself, and ½.
    As compared in arXiv 2502.18770.

    Raises:
        UsageError: There is no such scaling.

    Example:
        >>> scale = Running("min_max")
        >>> batch = np.array([-2.0, 0.0, 2.0])
        >>> context = Context(batch > 9, batch < 9)
        >>> scale.combine(scale.init({}), 0 * batch, {"r": batch}, context)[0]
        array([0. , 0.5, 1. ])
    """

    how: Scaling = "z_score"
    weight: float = 1.0
    acts_on: ActsOn = "step"

    def __post_init__(self) -> None:
        """Refuse other scalings."""
        if self.how not in get_args(Scaling):
            raise UsageError(
                f"how={self.how!r} is not one of {', '.join(get_args(Scaling))}."
            )

    def init(self, start: Mapping[str, Any]) -> State:
        """Return that nothing was met."""
        del start
        names = ("count", "mean", "square", "least", "greatest")
        return Split({}, dict.fromkeys(names, 0.0))

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Learn the scale, and scale."""
        table, good = usable(components, sparse, context)
        values = table.sum(0)
        met = state.shared
        if context.learning:
            met = _learned(met, values[good])
        dense = np.where(good, self._scaled(values, met), 0.0)
        return added(sparse, self.weight * dense), Split({}, met)

    def _scaled(self, values: Values, met: Mapping[str, float]) -> Values:
        spread = np.sqrt(met["square"] / met["count"]) if met["count"] else 0.0
        if self.how == "min_max":
            width = met["greatest"] - met["least"]
            if not 0 < width < np.inf:
                return np.full_like(values, 0.5)
            return np.clip((values - met["least"]) / width, 0.0, 1.0)
        if self.how == "clip":
            if not met["count"]:
                return values
            return np.clip(values, met["mean"] - spread, met["mean"] + spread)
        return (values - met["mean"]) / spread if spread > 0 else np.zeros_like(values)


@dataclass(frozen=True, slots=True)
class DynamicScale(ByBatch):
    """Each component divided by its running root mean square, then weighted.

    So components of any magnitude count alike, and multiplying one by a positive number
    changes nothing. A component that was 0 so far stays 0.

    Raises:
        UsageError: ``memory`` is below 1.

    Example:
        >>> scale = DynamicScale()
        >>> one = np.ones(1)
        >>> context = Context(one < 0, one > 0)
        >>> scale.combine(scale.init({}), 0 * one, {"a": 500 * one}, context)[0]
        array([1.])
    """

    weights: Mapping[str, float] | None = None
    """By component; None: 1 each."""
    weight: float = 1.0
    memory: float = 1e9
    """Over how many states the mean reaches back; by default over all."""
    acts_on: ActsOn = "step"

    def __post_init__(self) -> None:
        """Refuse a memory of nothing."""
        if not self.memory >= 1:
            raise UsageError(
                f"memory must be at least 1 state, received {self.memory!r}."
            )

    def init(self, start: Mapping[str, Any]) -> State:
        """Return that nothing was met."""
        del start
        return Split({}, {"count": 0.0, "squares": {}})

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Learn the scales, and scale."""
        table, good = usable(components, sparse, context)
        names = tuple(components) or ("none",)
        squares = np.array([state.shared["squares"].get(n, 0.0) for n in names])
        count = state.shared["count"]
        if context.learning and good.any():
            squares, count = self._renewed(squares, count, table, good)
        given = self.weights or {}
        weights = np.array([given.get(name, 1.0) for name in names])
        scale = np.where(
            squares > 0, weights / np.sqrt(np.where(squares > 0, squares, 1)), 0
        )
        dense = np.where(good, scale @ table, 0.0)
        kept = dict(zip(names, squares.tolist(), strict=True))
        return added(sparse, self.weight * dense), Split(
            {}, {"count": count, "squares": kept}
        )

    def _renewed(
        self, squares: Values, count: float, table: Values, good: Mask
    ) -> tuple[Values, float]:
        fresh = float(good.sum())
        share = max(fresh / (count + fresh), min(1.0, fresh / self.memory))
        with np.errstate(over="ignore"):
            mean = np.einsum("kn,kn->k", table, table) / fresh  # bad lanes hold 0
        new = np.where(np.isfinite(mean), squares + share * (mean - squares), squares)
        return new, min(count + fresh, self.memory)


def _learned(met: Mapping[str, float], values: Values) -> dict[str, float]:
    """Return the moments with more rewards (Chan, Golub and LeVeque 1979)."""
    if not values.size:
        return dict(met)
    count, fresh = met["count"], float(values.size)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.mean())
        square = float(((values - mean) ** 2).sum())
        apart, both = mean - met["mean"], count + fresh
        total = met["square"] + square + np.square(apart) * count * fresh / both
    if not np.isfinite(total):  # finite rewards whose squares are beyond floats
        return dict(met)
    known = np.array([met["least"], met["greatest"]]) if count else values[:1]
    return {
        "count": both,
        "mean": met["mean"] + apart * fresh / both,
        "square": float(total),
        "least": float(min(known.min(), values.min())),
        "greatest": float(max(known.max(), values.max())),
    }
