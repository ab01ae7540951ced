"""Weights that change while an agent learns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from reward_synth.combine.basic import added
from reward_synth.combine.protocol import (
    ActsOn,
    ByBatch,
    Context,
    State,
    Values,
    total,
)
from reward_synth.combine.state import Split
from reward_synth.errors import UsageError
from reward_synth.reward import Components

Course = Literal["linear", "cosine", "exponential", "step"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A number that goes from ``first`` to ``last`` within ``steps``, then stays.

    ``linear`` and ``cosine`` reach ``last`` at ``steps``; ``step`` jumps there;
    ``exponential`` has done all but 1 % of the way.

    Raises:
        UsageError: ``steps`` is below 1, or the course is unknown.

    Example:
        >>> half = Schedule(1.0, 0.0, 10)
        >>> half(0), half(5), half(99)
        (1.0, 0.5, 0.0)
    """

    first: float
    last: float
    steps: int
    """Environment steps, of all environments together."""
    course: Course = "linear"

    def __post_init__(self) -> None:
        """Refuse what is no schedule."""
        if self.steps < 1:
            raise UsageError(
                f"A schedule takes at least 1 step, received {self.steps}."
            )
        if self.course not in get_args(Course):
            raise UsageError(
                f"course={self.course!r} is not one of {', '.join(get_args(Course))}."
            )

    def __call__(self, step: int) -> float:
        """Return the number after so many steps."""
        part = min(1.0, step / self.steps)
        if self.course == "cosine":
            part = (1 - math.cos(math.pi * part)) / 2
        elif self.course == "step":
            part = float(part == 1.0)
        elif self.course == "exponential":
            part = 1.0 - 0.01 ** (step / self.steps)
        return self.first + part * (self.last - self.first)


@dataclass(frozen=True, slots=True)
class Anneal(ByBatch):
    """The environment's reward and the components, each at a weight that changes.

    The usual curriculum lets the dense part fade, ``Anneal(Schedule(1, 0, 100_000))``;
    others raise the sparse part meanwhile (after Reasoning-SQL, arXiv 2503.23157).

    Example:
        >>> fade = Anneal(Schedule(1.0, 0.0, 2))
        >>> one = np.ones(1)
        >>> state = fade.init({})
        >>> for _ in range(3):
        ...     paid, state = fade.combine(state, 0 * one, {"a": one}, Context(one < 0, one > 0))
        ...     print(paid)
        [1.]
        [0.5]
        [0.]
    """

    dense: Schedule
    sparse: Schedule = Schedule(1.0, 1.0, 1)
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no steps yet."""
        del start
        return Split({}, {"steps": 0})

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Add at the weights of now."""
        steps = state.shared["steps"]
        dense = self.dense(steps) * np.where(
            context.valid, total(components, sparse), 0.0
        )
        count = int(context.valid.sum()) if context.learning else 0
        after = Split({}, {"steps": steps + count})
        return added(self.sparse(steps) * sparse, dense), after
