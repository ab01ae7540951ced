"""Constraints on components, kept by multipliers that are learned online."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reward_synth.combine.basic import added, factors, usable
from reward_synth.combine.protocol import (
    ActsOn,
    ByBatch,
    Context,
    State,
    Values,
)
from reward_synth.combine.state import Split
from reward_synth.errors import UsageError
from reward_synth.reward import Components

Form = Literal["mu", "xi"]
_MOST = 20.0
"""Multipliers stay within ±20, where sigmoid and tanh no longer move."""


@dataclass(frozen=True, slots=True)
class Lagrange(ByBatch):
    """Mixes a task with components that must reach thresholds.

    With N components and s_i = sigmoid(mu_i) (form ``mu``: at least the threshold) or
    s_i = tanh(xi_i) (form ``xi``: exactly the threshold) the mixture is
    (N - sum |s_i|) x task + sum s_i x component_i. The multipliers move by
    rate x (threshold - return), with momentum. (Moskovitz et al., "Confronting Reward
    Model Overoptimization with Constrained RLHF", ICLR 2024, equation 4.4; the absolute
    value for ``xi`` is ours and keeps the task's weight at or above 0.)

    On ``advantage`` components are advantages, and :meth:`learn` is told returns. On
    ``step`` they are rewards, and multipliers move by the episode sums of each
    environment as it ends.

    Raises:
        UsageError: There is no threshold, or a setting is out of range.

    Example:
        >>> mix = Lagrange({"safe": 1.0}, acts_on="advantage")
        >>> one = np.ones(1)
        >>> state = mix.init({})
        >>> mix.combine(state, 2 * one, {"safe": 4 * one}, Context(one < 0, one > 0))[0]
        array([3.])
        >>> mix.learn(state, {"safe": 0.0}).shared["multipliers"]
        array([0.1])
    """

    thresholds: Mapping[str, float]
    """By component."""
    form: Form = "mu"
    rate: float = 0.1
    momentum: float = 0.1
    acts_on: ActsOn = "step"

    def __post_init__(self) -> None:
        """Refuse settings that cannot converge."""
        good = (
            bool(self.thresholds) and np.isfinite(list(self.thresholds.values())).all()
        )
        if not good or self.form not in ("mu", "xi"):
            raise UsageError(
                "Lagrange takes a finite threshold for one or more components and the form "
                f"'mu' or 'xi'; received {dict(self.thresholds)!r}, {self.form!r}."
            )
        if not self.rate > 0 or not 0 <= self.momentum < 1:
            raise UsageError(
                f"rate must be above 0 and momentum in [0, 1); received {self.rate!r}, "
                f"{self.momentum!r}."
            )
        if self.acts_on not in ("step", "advantage"):
            raise UsageError(
                f"Lagrange acts on 'step' or 'advantage', not on {self.acts_on!r}."
            )

    def init(self, start: Mapping[str, Any]) -> State:
        """Return multipliers of 0: sigmoid gives ½, tanh 0."""
        del start
        none = np.zeros(len(self.thresholds))
        sums: dict[str, Any] = dict.fromkeys(self.thresholds, 0.0)
        return Split(sums, {"multipliers": none, "speeds": none.copy()})

    def shares(self, state: State) -> Values:
        """Return s_i for each threshold, in their order."""
        raw = state.shared["multipliers"]
        return np.asarray(np.tanh(raw) if self.form == "xi" else 1 / (1 + np.exp(-raw)))

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Mix; on steps also sum up, and learn from episodes that end."""
        table, good = usable(components, sparse, context)
        if good.any():
            factors(self.thresholds, tuple(components), "thresholds")
            names = tuple(components)
            table = table[[names.index(name) for name in self.thresholds]]
        else:
            table = np.zeros((len(self.thresholds), len(sparse)))
        shares = self.shares(state)
        task = (len(shares) - np.abs(shares).sum()) * sparse
        reward = added(task, np.where(good, shares @ table, 0.0))
        if self.acts_on == "advantage":
            return reward, state
        return reward, self._after(state, table, context)

    def learn(self, state: State, returns: Mapping[str, float]) -> State:
        """Move the multipliers towards what keeps the thresholds.

        Args:
            state: The state.
            returns: The mean return of each constrained component.

        Raises:
            UsageError: Other components are named. Returns that are not finite are left
                out.
        """
        met = np.array(factors(returns, tuple(self.thresholds), "returns"))
        wanted = np.array(list(self.thresholds.values()))
        miss = np.where(np.isfinite(met), wanted - met, 0.0)
        speeds = self.momentum * state.shared["speeds"] + miss
        moved = np.clip(state.shared["multipliers"] + self.rate * speeds, -_MOST, _MOST)
        return Split(state.lanes, {"multipliers": moved, "speeds": speeds})

    def _after(self, state: State, table: Values, context: Context) -> State:
        sums = {
            name: state.lanes[name] + row
            for name, row in zip(self.thresholds, table, strict=True)
        }
        over = context.ended & context.valid
        going = context.valid & ~over
        kept = {name: np.where(going, value, 0.0) for name, value in sums.items()}
        if not (context.learning and over.any()):
            return Split(kept, state.shared)
        means = {name: float(value[over].mean()) for name, value in sums.items()}
        return Split(kept, self.learn(state, means).shared)
