"""What a combiner is, and what it is told of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.reward import Components

Values: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
State: TypeAlias = Any
"""What a combiner carries from step to step; saved with a run, frozen in evaluation."""
Parts: TypeAlias = Mapping[str, float]
ActsOn = Literal["step", "episode", "group", "advantage"]
"""``step``: each step alone, or with those before it. ``episode``: pays once it is over.
``group``: samples of one prompt or start together. ``advantage``: after the critic."""
DECODED = "decoded"
"""No combiner: the components are factors, and a decoder of returns pays; see
:mod:`reward_synth.agents.lare`."""
POTENTIAL = "potential"
NO_PARTS: Parts = {}


@dataclass(frozen=True, slots=True)
class Context:
    """What a combiner may know of a step beside the rewards; shapes ``(num_envs,)``."""

    terminated: Mask
    """The task ended the episode; a time limit does not set it."""
    valid: Mask
    """False on reset steps, which earn nothing."""
    truncated: Mask | None = None
    """The clock ended the episode; None: it did not."""
    group: npt.NDArray[np.int64] | None = None
    """Which samples belong together; None: all."""
    learning: bool = True
    """False in evaluation: nothing that outlives an episode changes."""

    @property
    def ended(self) -> Mask:
        """Where an episode is over."""
        return (
            self.terminated
            if self.truncated is None
            else (self.terminated | self.truncated)
        )


class Combiner(Protocol):
    """Mixes the environment's reward with dense components.

    A number that is not finite, in a component or in a mixture, never gets out: the lane
    then earns what it earns without a dense part (the environment's reward; 0 where the
    combiner drops that), and its state stays. The environment's own NaN or infinity
    counts as 0.
    """

    @property
    def acts_on(self) -> ActsOn:
        """What :meth:`combine` must be given; a place that cannot serve it raises."""

    def init(self, start: Mapping[str, Any]) -> State:
        """Return the state at the start of episodes with these components."""

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Return the reward, shape ``(num_envs,)``, and the next state."""

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
        """Return the same for one environment.

        Args:
            state: As for :meth:`combine`.
            sparse: The environment's reward.
            dense: The sum of the components.
            terminated: As in :class:`Context`.
            truncated: Likewise.
            parts: The components; without them ``dense`` is the only one.
            learning: Likewise.
        """


def total(components: Components, like: Values) -> Values:
    """Sum components; zeros of the shape of ``like`` if there are none."""
    result = np.zeros_like(like)
    for value in components.values():
        result = result + value
    return result


class ByBatch:
    """Gives a combiner its :meth:`Combiner.one`: a step is a batch of one."""

    __slots__ = ()

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
        """Combine one step; see :meth:`Combiner.one`."""
        only = POTENTIAL if getattr(self, "reads_potential", False) else "reward"
        given = parts or {only: dense}
        ended, valid, cut = (np.array([x]) for x in (terminated, True, truncated))
        context = Context(ended, valid, cut, learning=learning)
        components = {name: np.array([value]) for name, value in given.items()}
        combiner: Any = self
        with np.errstate(all="ignore"):
            reward, after = combiner.combine(
                state, np.array([sparse]), components, context
            )
        return float(reward[0]), after
