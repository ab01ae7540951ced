"""Process rewards whose sum over an episode is bounded, however long it is."""

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
from reward_synth.errors import UsageError
from reward_synth.reward import Components


def clip(rewards: Values, ceiling: float) -> Values:
    """Return min(r - ceiling, 0): no step gains by being many.

    Example:
        >>> clip(np.array([0.25, 1.0]), 0.5).tolist()
        [-0.25, 0.0]
    """
    return np.minimum(rewards - ceiling, 0.0)


def delta(rewards: Values) -> Values:
    """Return r_k - r_{k+1}, and the last one as it is; the sum from k on is r_k.

    Args:
        rewards: Of the steps of one episode, shape ``(T,)``.

    Raises:
        UsageError: The episode is empty.

    Example:
        >>> delta(np.array([3.0, 1.0, 2.0]))
        array([ 2., -1.,  2.])
    """
    if not len(rewards):
        raise UsageError("The episode has no steps.")
    return np.append(rewards[:-1] - rewards[1:], rewards[-1])


@dataclass(frozen=True, slots=True)
class ClipDelta(ByBatch):
    """The environment's reward plus process rewards that are clipped, then differenced.

    After "On Designing Effective RL Reward at Training Time for LLM Reasoning" (arXiv
    2410.15115): Clip is :func:`clip`, Delta is :func:`delta`. While an episode runs r_{k+1}
    is not known at step k, so each difference is paid at k + 1: r_k - r_{k+1}, and r_k more
    where the episode ends. All that is paid after step k sums up to r_k, as there; in total
    r_0, which Clip keeps at or below 0.

    Example:
        >>> no, one = np.zeros(1), np.ones(1)
        >>> mix, paid = ClipDelta(clipped=False), []
        >>> state = mix.init({})
        >>> for r, last in ((3.0, False), (1.0, False), (2.0, True)):
        ...     context = Context(np.array([last]), one > 0)
        ...     reward, state = mix.combine(state, no, {"step": r * one}, context)
        ...     paid.append(float(reward[0]))
        >>> paid
        [0.0, 2.0, 1.0]
    """

    ceiling: float = 0.0
    """What Clip subtracts."""
    weight: float = 1.0
    clipped: bool = True
    differenced: bool = True
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return that no step was taken."""
        del start
        return Split({"before": 0.0, "begun": 0.0})

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Pay the difference to the step before."""
        table, good = usable(components, sparse, context)
        now = table.sum(0)
        if self.clipped:
            now = clip(now, self.ceiling)
        if not self.differenced:
            return added(sparse, self.weight * np.where(good, now, 0.0)), state
        # A step that does not count leaves the last one standing, so the sum still holds.
        before = state.lanes["before"]
        current = np.where(good, now, before)
        paid = np.where(state.lanes["begun"], before - current, 0.0)
        paid = paid + np.where(context.ended, current, 0.0)
        dense = self.weight * np.where(context.valid, paid, 0.0)
        going = context.valid & ~context.ended
        after = {
            "before": np.where(going, current, 0.0),
            "begun": np.where(going, np.where(good, 1.0, state.lanes["begun"]), 0.0),
        }
        return added(sparse, dense), Split(after)
