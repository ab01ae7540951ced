"""Aspects of one judgement: with confidence, with a price for length, or by sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reward_synth.combine.basic import Blend, Names, Weighted, added, usable
from reward_synth.combine.protocol import (
    ActsOn,
    ByBatch,
    Context,
    State,
    Values,
)
from reward_synth.errors import UsageError
from reward_synth.reward import Components


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Aspects weighted by importance and by confidence, less a price for length.

    Sum of w_a c_a r_a / sum of w_a c_a, less ``price`` x max(0, length / limit - 1). An
    aspect without confidence drops out; where none is left the first part is 0. After the
    hybrid multi-aspect rewards of preference learning; a :class:`Mix`.

    Raises:
        UsageError: A weight is negative, or ``limit`` is not above 0.

    Example:
        >>> judge = Hybrid({"fact": 1.0, "tone": 1.0}, {"tone": "sure"})
        >>> judge(np.array([[1.0], [0.0], [0.5]]), ("fact", "tone", "sure")).round(4)
        array([0.6667])
    """

    weights: Mapping[str, float]
    """Importance of each aspect, a component."""
    confidence: Mapping[str, str] = field(default_factory=dict)
    """The component that holds an aspect's confidence, cut to [0, 1]; others have 1."""
    length: str = ""
    """The component that holds the length; empty: length costs nothing."""
    limit: float = 1.0
    """The length that is free."""
    price: float = 0.0

    def __post_init__(self) -> None:
        """Refuse weights that could change a sign."""
        if not self.weights or min(self.weights.values()) < 0 or not self.limit > 0:
            raise UsageError(
                "Hybrid takes weights of at least 0 for one or more aspects, and a limit "
                f"above 0; received weights={dict(self.weights)!r}, limit={self.limit!r}."
            )

    def __call__(self, table: Values, names: Names) -> Values:
        """Mix.

        Raises:
            UsageError: A component is missing.
        """
        rows = dict(zip(names, table, strict=True))
        used = {*self.weights, *self.confidence.values(), *filter(None, [self.length])}
        missing = sorted(used - set(names))
        if missing:
            raise UsageError(
                f"Hybrid needs the component {missing[0]!r}; there are {', '.join(names)}."
            )
        mixed, whole = np.zeros(table.shape[1]), np.zeros(table.shape[1])
        for aspect, weight in self.weights.items():
            sure = self.confidence.get(aspect)
            share = weight * (np.clip(rows[sure], 0, 1) if sure else 1.0)
            mixed += share * rows[aspect]
            whole += share
        result = np.where(whole > 0, mixed / np.where(whole > 0, whole, 1.0), 0.0)
        if self.length:
            result -= self.price * np.maximum(0.0, rows[self.length] / self.limit - 1)
        return result


def regularised_relevance(
    relevance: str, cost: str, *, share: float = 0.5, price: float = 0.1
) -> Blend:
    """Return the recipe (1 - share) x sparse + share x relevance - price x cost.

    Both components must be there, and no other.

    Args:
        relevance: The component that tells how relevant a step was.
        cost: The component that is to stay small, such as a divergence or a length.
        share: How much relevance takes the place of the environment's reward, 0 to 1.
        price: Of the cost, at least 0.

    Raises:
        UsageError: ``share`` or ``price`` is out of range.

    Example:
        >>> blend = regularised_relevance("near", "long", share=0.5, price=0.1)
        >>> one = np.ones(1)
        >>> blend.combine(None, one, {"near": 3 * one, "long": one},
        ...               Context(one < 0, one > 0))[0].round(6)
        array([1.9])
    """
    if not 0.0 <= share <= 1.0 or not price >= 0.0:
        raise UsageError(
            f"share must lie in [0, 1] and price be at least 0; received {share!r} and "
            f"{price!r}."
        )
    return Blend(Weighted({relevance: share, cost: -price}), base=1.0 - share)


@dataclass(frozen=True, slots=True)
class SignBounded(ByBatch):
    """Signs alone: sign(sparse) + scale x sign(sum of the components).

    So a dense reward, however large, never outweighs the sparse one within a step. After
    Auto MC-Reward (arXiv 2312.09238), which limits what a model's functions return so.

    Example:
        >>> one = np.ones(1)
        >>> SignBounded(0.1).combine(None, one, {"a": -500 * one},
        ...                          Context(one < 0, one > 0))[0]
        array([0.9])
    """

    scale: float = 0.1
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no state."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Add signs."""
        table, good = usable(components, sparse, context)
        dense = self.scale * np.sign(table.sum(0))
        return added(np.sign(sparse), np.where(good, dense, 0.0)), state
