"""Process rewards that count only once the outcome is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.combine.basic import added, usable
from reward_synth.combine.protocol import (
    ActsOn,
    ByBatch,
    Context,
    State,
    Values,
)
from reward_synth.combine.state import Split
from reward_synth.reward import Components


@dataclass(frozen=True, slots=True)
class OutcomeGate(ByBatch):
    """Pays an episode's process rewards at its end, gated by its outcome.

    Each step has a process reward p in [0, 1] (the components' sum, cut), the episode an
    outcome o: 1 if the environment paid something above 0 in it, else 0. A step is worth
    p + o - 1: at most 0 where the outcome is wrong, at least 0 where it is right. The sum,
    or with ``mean`` their mean, comes on top of the environment's last reward, all others
    of which are paid as they come. After PPR's centring (arXiv 2509.25598).

    Example:
        >>> one = np.ones(1)
        >>> gate = OutcomeGate()
        >>> last = Context(one > 0, one > 0)
        >>> gate.combine(gate.init({}), 0 * one, {"p": 0.25 * one}, last)[0]  # failed
        array([-0.75])
        >>> gate.combine(gate.init({}), one, {"p": 0.25 * one}, last)[0]  # 1 + 0.25
        array([1.25])
    """

    weight: float = 1.0
    mean: bool = False
    acts_on: ActsOn = "episode"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return that no step was taken."""
        del start
        return Split({"process": 0.0, "steps": 0.0, "won": 0.0})

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Sum up; pay where an episode ends."""
        table, good = usable(components, sparse, context)
        process = state.lanes["process"] + np.where(
            good, np.clip(table.sum(0), 0, 1), 0
        )
        steps = state.lanes["steps"] + good
        won = np.maximum(state.lanes["won"], (sparse > 0) & context.valid)
        gated = process + steps * (won - 1.0)
        if self.mean:
            gated = gated / np.maximum(steps, 1.0)
        over = context.ended & context.valid
        going = context.valid & ~over
        sums = {"process": process, "steps": steps, "won": won}
        after = {name: np.where(going, value, 0.0) for name, value in sums.items()}
        return added(sparse, np.where(over, self.weight * gated, 0.0)), Split(after)
