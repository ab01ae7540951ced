"""Combiners of samples that belong together, such as answers to one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.combine.basic import factors
from reward_synth.combine.compiled import group_places, group_scores
from reward_synth.combine.protocol import (
    ActsOn,
    Context,
    Mask,
    State,
    Values,
)
from reward_synth.errors import UsageError
from reward_synth.reward import Components

SPARSE = "sparse"
"""The name under which the environment's reward is weighted."""


class InGroups:
    """A combiner that one step is too little for."""

    __slots__ = ()

    def one(self, *_: Any, **__: Any) -> tuple[float, State]:
        """Refuse: one sample is no group.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"{type(self).__name__} acts on groups of samples, and there is one step. Use "
            "its combine on a batch with context.group."
        )


@dataclass(frozen=True, slots=True)
class GroupNormalised(InGroups):
    """Advantages within groups: each reward normalised, then summed up (GDPO).

    Each reward becomes (r - mean) / (deviation + eps) within its group, the weighted sum
    is whitened over the batch. ``together`` sums up first and normalises once per group,
    as GRPO does. Deviations are estimates (``ddof=1``), eps is 1e-4, as in TRL. A NaN or
    infinity counts as not applicable: left out of its group's mean, and 0 in the sum.

    Example:
        >>> r = np.array([0.0, 1.0, 0.0, 100.0])
        >>> context = Context(r < 0, r > -1, group=np.array([0, 0, 1, 1]))
        >>> GroupNormalised(whiten=False).combine(None, 0 * r, {"a": r}, context)[0].round(2)
        array([-0.71,  0.71, -0.71,  0.71])
    """

    weights: Mapping[str, float] | None = None
    """By component, and ``sparse``; None: 1 each."""
    together: bool = False
    whiten: bool = True
    """Bring the batch to mean 0 and deviation 1 in the end; not with ``together``."""
    eps: float = 1e-4
    acts_on: ActsOn = "group"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no state."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Normalise and sum up."""
        rows = {SPARSE: sparse, **components}
        given = dict.fromkeys(rows, 1.0) if self.weights is None else self.weights
        weights = np.array(factors(given, tuple(rows), "weights"))
        group = _groups(context, sparse)
        table = np.array(list(rows.values()), np.float64)
        if self.together:
            table = (weights @ np.where(np.isfinite(table), table, 0.0))[None]
            weights = np.ones(1)
        units = group_scores(table, context.valid, group, self.eps)
        result = weights @ units
        if self.whiten and not self.together:
            result = _whitened(result, context.valid, self.eps)
        return result, state


@dataclass(frozen=True, slots=True)
class Stratified(InGroups):
    """Process rewards within the band that the outcome allows (HERO).

    Where the outcome (``sparse`` above ½) is right, the components' sum is scaled to
    [``right``, 1] within the right ones of its group, else to [0, ``wrong``] within the
    wrong ones. Where all are equal the middle of the band is paid; a sum that is not finite
    gets the band's lower end. So no wrong sample earns more than a right one. After "Hybrid
    Reinforcement" (HERO, arXiv 2510.07242).

    Raises:
        UsageError: Not 0 <= wrong < right <= 1.

    Example:
        >>> dense, outcome = np.array([1.0, 9.0, 5.0]), np.array([0.0, 0.0, 1.0])
        >>> context = Context(dense < 0, dense > 0)
        >>> Stratified().combine(None, outcome, {"process": dense}, context)[0]
        array([0.  , 0.3 , 0.85])
    """

    wrong: float = 0.3
    right: float = 0.7
    acts_on: ActsOn = "group"

    def __post_init__(self) -> None:
        """Refuse bands that overlap."""
        if not 0.0 <= self.wrong < self.right <= 1.0:
            raise UsageError(
                f"Stratified takes 0 <= wrong < right <= 1; received {self.wrong!r}, "
                f"{self.right!r}."
            )

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no state."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Scale within bands."""
        process = sum(components.values(), np.zeros_like(sparse))
        good = np.isfinite(process) & context.valid
        outcome = sparse > 0.5  # noqa: PLR2004 - of 0 and 1
        stratum = 2 * _groups(context, sparse) + outcome
        part = group_places(np.where(good, process, np.nan), stratum)
        low = np.where(outcome, self.right, 0.0)
        high = np.where(outcome, 1.0, self.wrong)
        paid = low + np.where(good, part, 0.0) * (high - low)
        return np.where(context.valid, paid, 0.0), state


def _groups(context: Context, sparse: Values) -> npt.NDArray[np.int64]:
    """Return numbers of groups that count up from 0."""
    if context.group is None:
        return np.zeros(len(sparse), np.int64)
    if len(context.group) != len(sparse):
        raise UsageError(
            f"context.group has {len(context.group)} entries for {len(sparse)} samples."
        )
    found = np.asarray(context.group)
    if found.min(initial=0) >= 0 and found.max(initial=0) < 4 * len(found):
        return found.astype(np.int64, copy=False)  # gaps cost nothing
    return np.unique(found, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _whitened(values: Values, valid: Mask, eps: float) -> Values:
    """Return z-scores of all; values are scores already, so none is large."""
    count = int(valid.sum())
    apart = values - (values @ valid) / max(count, 1)
    if count < len(values):
        apart = np.where(valid, apart, 0.0)
    return np.asarray(apart / (np.sqrt((apart @ apart) / max(count - 1, 1)) + eps))
