"""Potential-based shaping, also with potentials that change or look at actions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from reward_synth.combine.basic import added
from reward_synth.combine.protocol import (
    NO_PARTS,
    POTENTIAL,
    ActsOn,
    ByBatch,
    Context,
    Parts,
    State,
    Values,
    total,
)
from reward_synth.combine.schedule import Schedule
from reward_synth.combine.state import Split
from reward_synth.errors import UsageError
from reward_synth.reward import Components


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
    reads_potential: ClassVar[bool] = True
    """The wrapper gives it compute_potential instead of compute_reward."""

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
        kept = np.where(np.isfinite(after), after, state)
        return added(sparse, self.weight * shaping), kept

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
        """Add the shaping term; ``dense`` is phi after the step."""
        del truncated, parts, learning
        next_phi = 0.0 if terminated else dense
        reward = sparse + self.weight * (self.gamma * next_phi - state)
        if math.isfinite(reward) and math.isfinite(dense):
            return reward, dense
        return (sparse if math.isfinite(sparse) else 0.0), state


@dataclass(frozen=True, slots=True)
class DynamicPotential(ByBatch):
    """Shaping whose weight changes while it is learned from.

    F = gamma w(t+1) phi(s') - w(t) phi(s): the old product is kept and not computed
    anew, so that the sum telescopes and optimal policies stay, whatever the schedule
    (Devlin and Kudenko, "Dynamic potential-based reward shaping", AAMAS 2012).

    Example:
        >>> fading = DynamicPotential(0.9, Schedule(1.0, 0.0, 10))
        >>> fading.init({"potential": np.array([2.0])}).lanes["phi"]
        array([2.])
    """

    gamma: float
    schedule: Schedule
    """The weight, over steps of all environments together."""
    acts_on: ActsOn = "step"
    reads_potential: ClassVar[bool] = True

    def init(self, start: Mapping[str, Any]) -> State:
        """Return phi of the first states, weighted when it is first used."""
        return Split({"phi": start[POTENTIAL] + 0.0, "fresh": 1.0}, {"steps": 0})

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Add the shaping term at the weight of now."""
        count = int(context.valid.sum()) if context.learning else 0
        steps = state.shared["steps"] + count
        first = self.schedule(state.shared["steps"])
        before = state.lanes["phi"] * np.where(state.lanes["fresh"], first, 1.0)
        after = self.schedule(steps) * components[POTENTIAL]
        next_phi = np.where(context.terminated, 0.0, after)
        shaping = np.where(context.valid, self.gamma * next_phi - before, 0.0)
        kept = np.where(np.isfinite(after), after, before)
        lanes = {"phi": kept, "fresh": np.zeros_like(kept)}
        return added(sparse, shaping), Split(lanes, {"steps": steps})


@dataclass(frozen=True, slots=True)
class LookBack:
    """Advice: shaping by a potential of state and action, the components' sum.

    F_t = phi(s_t, a_t) - phi(s_{t-1}, a_{t-1}) / gamma, and phi before the first step is
    0 (Wiewiora, Cottrell and Elkan, "Principled methods for advising reinforcement
    learning agents", ICML 2003). Once a step late it pays what look-ahead advice pays:
    see :func:`look_ahead`. Discounted it sums up to gamma^T phi_T.

    Example:
        >>> advice = LookBack(gamma=0.5)
        >>> one = np.ones(1)
        >>> state = advice.init({})
        >>> _, state = advice.combine(state, 0 * one, {"phi": one}, Context(one < 0, one > 0))
        >>> advice.combine(state, 0 * one, {"phi": 3 * one}, Context(one < 0, one > 0))[0]
        array([1.])
    """

    gamma: float
    weight: float = 1.0
    acts_on: ActsOn = "step"

    def init(self, start: Mapping[str, Any]) -> State:
        """Return no advice yet."""
        del start
        return Split({"phi": 0.0})

    def combine(
        self, state: State, sparse: Values, components: Components, context: Context
    ) -> tuple[Values, State]:
        """Add the change of the advice."""
        phi = total(components, sparse)
        before = state.lanes["phi"]
        shaping = np.where(context.valid, phi - before / self.gamma, 0.0)
        kept = np.where(np.isfinite(phi), phi, before)
        after = np.where(context.valid, kept, 0.0)
        return added(sparse, self.weight * shaping), Split({"phi": after})

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
        """Add the change of the advice."""
        del terminated, truncated, parts, learning
        reward = sparse + self.weight * (dense - state.lanes["phi"] / self.gamma)
        if math.isfinite(reward) and math.isfinite(dense):
            return reward, Split({"phi": dense})
        return (sparse if math.isfinite(sparse) else 0.0), state


def look_ahead(phi: Values, gamma: float, *, terminated: bool) -> Values:
    """Return look-ahead advice for a stored episode.

    F_t = gamma phi(s_{t+1}, a_{t+1}) - phi(s_t, a_t), with 0 after a terminal state. An
    agent that learns from it must act greedily on Q + phi. The last step of a truncated
    episode is left without advice, because the next action is not known.

    Args:
        phi: The advice for each step taken, shape ``(T,)``.
        gamma: The agent's discount.
        terminated: Whether the task ended the episode.

    Raises:
        UsageError: The episode is empty.

    Example:
        >>> look_ahead(np.array([1.0, 4.0]), 0.5, terminated=True)
        array([ 1., -4.])
    """
    if not len(phi):
        raise UsageError("The episode has no steps to advise on.")
    last = 0.0 if terminated else phi[-1] / gamma
    advice: Values = gamma * np.append(phi[1:], last) - phi
    return advice
