"""Combiners: how a dense reward and the environment's own become one number.

| name | reward of a step |
|---|---|
| ``replace`` | sum of the components |
| ``add`` | sparse + weight * sum of the components |
| ``potential`` | sparse + weight * (gamma * phi(s') - phi(s)) |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError, did_you_mean
from reward_synth.reward import Components

Values: TypeAlias = npt.NDArray[np.float64]
State: TypeAlias = Any
"""What a combiner carries from step to step; saved with a run, frozen in evaluation."""
ActsOn = Literal["step", "episode", "group", "advantage"]
POTENTIAL = "potential"
CombineName = Literal["add", "replace", "potential"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a combiner may know of a step beside the rewards; shapes ``(num_envs,)``."""

    terminated: npt.NDArray[np.bool_]
    """The task ended the episode; a time limit does not set it."""
    valid: npt.NDArray[np.bool_]
    """False on reset steps, which earn nothing."""


class Combiner(Protocol):
    """Mixes the environment's reward with dense components."""

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
        self, state: State, sparse: float, dense: float, *, terminated: bool
    ) -> tuple[float, State]:
        """Return the same for one environment, from the sum of its components."""


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
        return np.where(context.valid, total(components, sparse), 0.0), state

    def one(
        self, state: State, sparse: float, dense: float, *, terminated: bool
    ) -> tuple[float, State]:
        """Return the components' sum."""
        del sparse, terminated
        return dense, state


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
        dense = np.where(context.valid, total(components, sparse), 0.0)
        return sparse + self.weight * dense, state

    def one(
        self, state: State, sparse: float, dense: float, *, terminated: bool
    ) -> tuple[float, State]:
        """Add."""
        del terminated
        return sparse + self.weight * dense, state


@dataclass(frozen=True, slots=True)
class Potential:
    """Potential-based shaping, which leaves optimal policies optimal.

    F(s, s') = gamma * phi(s') - phi(s), with phi = 0 at a *terminated* state: what
    follows a terminal state is worth nothing, so a potential left standing there
    would be a reward for ending. A *truncated* state is an ordinary one whose value
    the learner bootstraps, so its potential stays. (Ng, Harada and Russell, "Policy
    invariance under reward transformations", ICML 1999; episodic case: Grześ, AAMAS
    2017.) Discounted shaping telescopes: sum gamma^t F_t = gamma^T phi(s_T) - phi(s_0).

    Example:
        >>> one = np.ones(1)
        >>> shaping = Potential(gamma=0.9)
        >>> state = shaping.init({"potential": 2 * one})
        >>> shaping.combine(state, 0 * one, {"potential": 5 * one},
        ...                 Context(one < 0, one > 0))[0]
        array([2.5])
    """

    gamma: float
    """The discount of the agent that learns from the reward."""
    weight: float = 1.0
    """Factor of the shaping term."""
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return phi of the first states, a fresh array or a number."""
        return start[POTENTIAL] + 0.0

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Add the shaping term; reset steps earn none and restart phi."""
        after = components[POTENTIAL]
        next_phi = np.where(context.terminated, 0.0, after)
        shaping = np.where(context.valid, self.gamma * next_phi - state, 0.0)
        return sparse + self.weight * shaping, after.copy()

    def one(
        self, state: State, sparse: float, dense: float, *, terminated: bool
    ) -> tuple[float, State]:
        """Add the shaping term; ``dense`` is phi after the step."""
        next_phi = 0.0 if terminated else dense
        return sparse + self.weight * (self.gamma * next_phi - state), dense


def total(components: Components, like: Values) -> Values:
    """Sum components; zeros of the shape of ``like`` if there are none."""
    result = np.zeros_like(like)
    for value in components.values():
        result = result + value
    return result


def make_combiner(name: str, *, gamma: float, weight: float = 1.0) -> Combiner:
    """Return the combiner of that name.

    Raises:
        UsageError: The name is unknown.

    Example:
        >>> make_combiner("add", gamma=0.99)
        Add(weight=1.0, acts_on='step')
    """
    if name == "replace":
        return Replace()
    if name == "add":
        return Add(weight)
    if name == "potential":
        return Potential(gamma, weight)
    known = get_args(CombineName)
    raise UsageError(
        f"combine={name!r} is not one of {', '.join(known)}.{did_you_mean(name, known)}"
    )
