"""What it costs to follow another reward: exact on finite processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.distance.canonical import expected
from reward_synth.distance.process import Mask, Process, Values, as_process
from reward_synth.distance.reach import as_start
from reward_synth.errors import UsageError

_MOST = 1000
_SETTLED = 1e-9
_SWEEPS = 100
"""Of value iteration, before policy iteration makes the values exact."""
_TIE = 1e-9
"""Actions whose values differ by less, relative to the largest, are equally good."""


@dataclass(frozen=True, slots=True)
class Regret:
    """Returns under the true reward, from the start.

    A reward may leave several policies optimal, so there are a best and a worst one.
    """

    optimum: float
    """Of the policy that is optimal under the true reward."""
    lowest: float
    """Of the worst policy there is."""
    best: float
    """Of the best policy that is optimal under the other reward."""
    worst: float
    """Of the worst such policy."""

    @property
    def regret(self) -> float:
        """What the worst of them loses, as a share of what can be lost; 0 to 1."""
        return self._share(self.worst)

    @property
    def least(self) -> float:
        """What the best of them loses, likewise."""
        return self._share(self.best)

    def _share(self, value: float) -> float:
        most = self.optimum - self.lowest
        scale = max(abs(self.optimum), abs(self.lowest))
        if most <= _TIE * scale:  # every policy is as good
            return 0.0
        return min(1.0, max(0.0, (self.optimum - value) / most))


def regret(
    reward: Any, truth: Any, transitions: Any, gamma: float, start: Any = None
) -> Regret:
    """Return what optimal policies of ``reward`` lose under ``truth``.

    Args:
        reward: What is learned from; shape ``(S, A, S)``, or as for
            :func:`~reward_synth.distance.canonicalise`.
        truth: What is wanted.
        transitions: Likewise.
        gamma: The discount, in [0, 1).
        start: Numbers of the first states, or their distribution; by default all alike.

    Raises:
        UsageError: An argument does not fit.

    Example:
        >>> good = np.array([[[1.0], [0.0]]])  # one state, two actions
        >>> regret(-good, good, np.ones((1, 2, 1)), 0.5)
        Regret(optimum=2.0, lowest=0.0, best=0.0, worst=0.0)
        >>> regret(-good, good, np.ones((1, 2, 1)), 0.5).regret
        1.0
    """
    process = as_process(transitions)
    check_below_one(gamma)
    first = as_start(start, process.states)
    paid = expected(process.reward(truth, "truth"), process)
    wished = expected(process.reward(reward, "reward"), process)
    allowed = optimal_actions(wished, process, gamma)
    every = np.ones_like(allowed)

    def value(rewards: Values, choices: Mask) -> float:
        return float(first @ optimal_values(rewards, process, gamma, choices))

    def least(choices: Mask) -> float:
        return 0.0 - value(-paid, choices)  # 0 and not -0

    return Regret(
        optimum=value(paid, every),
        lowest=least(every),
        best=value(paid, allowed),
        worst=least(allowed),
    )


def optimal_actions(reward: Values, process: Process, gamma: float) -> Mask:
    """Return which actions are optimal, ties included, shape ``(S, A)``.

    Args:
        reward: Expected rewards, shape ``(S, A)``.
        process: The process.
        gamma: The discount, below 1.
    """
    values = optimal_values(reward, process, gamma)
    gain = reward + gamma * process.ahead(values)
    slack = _TIE * max(1e-300, float(np.abs(gain).max()))
    made: Mask = gain >= gain.max(1, keepdims=True) - slack
    return made


def optimal_values(
    reward: Values, process: Process, gamma: float, allowed: Mask | None = None
) -> Values:
    """Return the best values: by value iteration, then exact by policy iteration.

    Args:
        reward: Expected rewards, shape ``(S, A)``.
        process: The process.
        gamma: The discount, below 1.
        allowed: Which actions may be taken; at least one a state.

    Raises:
        UsageError: It does not settle; gamma lies too near 1.

    Example:
        >>> both = as_process(np.ones((1, 2, 1)))
        >>> optimal_values(np.array([[0.0, 1.0]]), both, 0.5)
        array([2.])
    """
    check_below_one(gamma)
    chosen = reward if allowed is None else np.where(allowed, reward, -np.inf)
    rows = np.arange(process.states)
    best = _greedy(chosen, process, gamma)
    for _ in range(_MOST):
        policy = np.zeros_like(reward)
        policy[rows, best] = 1.0
        values = process.policy_values(policy, reward, gamma)
        gain = chosen + gamma * process.ahead(values)
        most = gain.max(1)
        scale = 1e-12 * max(1e-300, float(np.abs(values).max()))
        better = most > gain[rows, best] + scale
        if not better.any():
            return values
        best = np.where(better, np.argmax(gain, 1), best)
    raise UsageError(f"Policy iteration did not settle at gamma={gamma}.")


def _greedy(chosen: Values, process: Process, gamma: float) -> npt.NDArray[np.intp]:
    """Return the greedy actions after value iteration, most often optimal already."""
    values = np.zeros(process.states)
    for _ in range(_SWEEPS):
        gain = chosen + gamma * process.ahead(values)
        before, values = values, gain.max(1)
        if np.abs(values - before).max() <= _SETTLED * np.abs(values).max():
            break
    made: npt.NDArray[np.intp] = np.argmax(chosen + gamma * process.ahead(values), 1)
    return made


def check_below_one(gamma: float) -> None:
    """Refuse a discount under which values need not exist.

    Example:
        >>> check_below_one(0.99)
    """
    if not 0.0 <= gamma < 1.0:
        raise UsageError(
            f"Values of an endless process need a gamma in [0, 1), received {gamma!r}."
        )
