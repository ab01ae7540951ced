"""Replace, add, and the rule that every mixture of components follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from reward_synth.combine.protocol import (
    NO_PARTS,
    ActsOn,
    ByBatch,
    Context,
    Mask,
    Parts,
    State,
    Values,
    total,
)
from reward_synth.errors import UsageError
from reward_synth.reward import Components

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """The components alone.

    Example:
        >>> one = np.ones(1)
        >>> context = Context(one < 0, one > 0)
        >>> Replace().combine(None, one, {"a": 2 * one, "b": one}, context)[0]
        array([3.])
    """

    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no state."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Sum the components; 0 on reset steps."""
        dense = total(components, sparse)
        return np.where(context.valid & np.isfinite(dense), dense, 0.0), state

    def one(
        self,
        state: State,
        sparse: float,
        dense: float,
        *,
        terminated: bool,
        truncated: bool = False,
        parts: Parts = NO_PARTS,
        learning: bool = True,
    ) -> tuple[float, State]:
        """Return the components' sum."""
        del sparse, terminated, truncated, parts, learning
        return (dense if math.isfinite(dense) else 0.0), state


@dataclass(frozen=True, slots=True)
class Add:
    """The environment's reward plus the weighted components.

    Example:
        >>> one = np.ones(1)
        >>> context = Context(one < 0, one > 0)
        >>> Add(weight=0.5).combine(None, one, {"a": 2 * one}, context)[0]
        array([2.])
    """

    weight: float = 1.0
    """Factor of the dense part."""
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no state."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Add; only the environment's reward on reset steps."""
        dense = self.weight * total(components, sparse)
        return added(sparse, np.where(context.valid, dense, 0.0)), state

    def one(
        self,
        state: State,
        sparse: float,
        dense: float,
        *,
        terminated: bool,
        truncated: bool = False,
        parts: Parts = NO_PARTS,
        learning: bool = True,
    ) -> tuple[float, State]:
        """Add."""
        del terminated, truncated, parts, learning
        reward = sparse + self.weight * dense
        if math.isfinite(reward):
            return reward, state
        return (sparse if math.isfinite(sparse) else 0.0), state


class Mix(Protocol):
    """One number from the components of a step."""

    def __call__(self, table: Values, names: Names, /) -> Values:
        """Mix; finite numbers of shape ``(K, N)`` to ``(N,)``."""


@dataclass(frozen=True, slots=True)
class Blend(ByBatch):
    """The environment's reward plus a mixture of the components.

    Example:
        >>> one = np.ones(1)
        >>> worst = Blend(lambda table, names: table.min(0))
        >>> worst.combine(None, one, {"a": 2 * one, "b": 5 * one},
        ...               Context(one < 0, one > 0))[0]
        array([3.])
    """

    mix: Mix
    weight: float = 1.0
    """Factor of the mixture."""
    base: float = 1.0
    """Factor of the environment's reward; 0 leaves it out."""
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no state."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Mix; only the environment's reward on reset steps."""
        table, good = usable(components, sparse, context)
        kept = sparse if self.base == 1.0 else self.base * sparse
        if not good.any():
            return added(kept, np.zeros_like(sparse)), state
        with np.errstate(all="ignore"):
            dense = self.weight * self.mix(table, tuple(components))
        return added(kept, dense if good.all() else np.where(good, dense, 0.0)), state


@dataclass(frozen=True, slots=True)
class Weighted:
    """The sum of the components, each with its factor; a :class:`Mix`.

    Example:
        >>> Weighted({"a": 2.0, "b": 0.0})(np.array([[1.0], [5.0]]), ("a", "b"))
        array([2.])
    """

    weights: Mapping[str, float]
    """By component."""

    def __call__(self, table: Values, names: Names) -> Values:
        """Sum up.

        Raises:
            UsageError: The reward has other components.
        """
        return np.array(factors(self.weights, names, "weights")) @ table


def factors(given: Mapping[str, float], names: Names, what: str) -> list[float]:
    """Return a number for each component, or refuse other components.

    Raises:
        UsageError: Names do not agree.

    Example:
        >>> factors({"a": 1.0, "b": 2.0}, ("b", "a"), "weights")
        [2.0, 1.0]
    """
    if set(given) != set(names):
        raise UsageError(
            f"{what} are given for {', '.join(sorted(given)) or 'nothing'}, but the "
            f"reward's components are {', '.join(sorted(names)) or 'none'}."
        )
    return [given[name] for name in names]


def usable(
    components: Components, sparse: Values, context: Context
) -> tuple[Values, Mask]:
    """Return the components as a table of finite numbers, and which lanes count.

    Args:
        components: By name, each of shape ``(N,)``.
        sparse: For the shape.
        context: Says which steps only reset.

    Returns:
        Shape ``(K, N)``, 0 in lanes that do not count; and ``(N,)``.

    Raises:
        UsageError: A component has another shape than ``sparse``.
    """
    for name, value in components.items():
        if value.shape != sparse.shape:
            raise UsageError(
                f"Component {name!r} has shape {value.shape}, the environment's reward "
                f"{sparse.shape}; they must agree."
            )
    if not components:
        return np.zeros((1, *sparse.shape)), context.valid
    table = np.array(list(components.values()), np.float64)
    good = np.isfinite(table.sum(0))
    good &= context.valid
    return (table if good.all() else np.where(good, table, 0.0)), good


def added(sparse: Values, dense: Values) -> Values:
    """Return the sum; where it is not finite, what is finite of it, first of all sparse."""
    reward = sparse + dense
    good = np.isfinite(reward)
    if good.all():
        return reward
    return np.where(good, reward, np.where(np.isfinite(sparse), sparse, 0.0))
