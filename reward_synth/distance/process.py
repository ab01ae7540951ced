"""Finite Markov processes: as dense arrays, or as lists of successors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.distance.solve import bicgstab
from reward_synth.errors import UsageError

Values: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
_SUM = 1e-6
"""By how much the probabilities of a state and action may miss 1."""
_CUBE = 3


class Process(Protocol):
    """What canonicalisations and regret need of a finite process."""

    @property
    def states(self) -> int:
        """Number of states."""

    @property
    def actions(self) -> int:
        """Number of actions."""

    @property
    def weights(self) -> Values:
        """Probability of each entry of a reward, shape of a reward."""

    def reward(self, given: Any, name: str) -> Values:
        """Return a reward as an array that fits, or refuse it by name."""

    def ahead(self, values: Values) -> Values:
        """Return the expected value of the next state, shape ``(S, A)``."""

    def shaped(self, reward: Values, phi: Values, gamma: float) -> Values:
        """Return ``R + gamma * phi(s') - phi(s)``."""

    def policy_values(self, policy: Values, reward: Values, gamma: float) -> Values:
        """Return the value of each state.

        Args:
            policy: Probabilities, shape ``(S, A)``.
            reward: Expected rewards, shape ``(S, A)``.
            gamma: The discount, below 1.
        """


@dataclass(frozen=True, slots=True)
class Dense:
    """Transitions as one array of shape ``(S, A, S)``."""

    weights: Values

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.weights)

    @property
    def actions(self) -> int:
        """Number of actions."""
        return int(self.weights.shape[1])

    def reward(self, given: Any, name: str) -> Values:
        """Return a reward of shape ``(S, A, S)``; ``(S, A)`` is spread over s'."""
        found = finite_array(given, name)
        if found.shape == self.weights.shape[:2]:
            found = found[:, :, None] + np.zeros(self.states)
        if found.shape != self.weights.shape:
            raise UsageError(
                f"{name} has shape {found.shape}, but the transitions have "
                f"{self.weights.shape}; both are (states, actions, states)."
            )
        return found

    def ahead(self, values: Values) -> Values:
        """Return the expected value of the next state."""
        return self.weights @ values

    def shaped(self, reward: Values, phi: Values, gamma: float) -> Values:
        """Return ``R + gamma * phi(s') - phi(s)``."""
        return reward + gamma * phi - phi[:, None, None]

    def policy_values(self, policy: Values, reward: Values, gamma: float) -> Values:
        """Solve ``(I - gamma P) v = r``."""
        moves = np.einsum("sa,sat->st", policy, self.weights)
        paid = (policy * reward).sum(1)
        return np.linalg.solve(np.eye(self.states) - gamma * moves, paid)


@dataclass(frozen=True, slots=True)
class Successors:
    """Transitions as K possible next states of each state and action.

    For processes whose array ``(S, A, S)`` does not fit into memory. Rewards have the
    shape ``(S, A, K)``, or ``(S, A)`` where s' does not matter.

    Args:
        next: Numbers of states, shape ``(S, A, K)``. Shorter lists are filled up with
            any state, at probability 0.
        probability: Same shape; each list sums to 1.

    Raises:
        UsageError: Shapes differ, a list names a state twice, or probabilities do
            not sum to 1.

    Example:
        >>> ring = Successors(np.array([[[1]], [[0]]]), np.ones((2, 1, 1)))
        >>> ring.ahead(np.array([5.0, 7.0])).tolist()
        [[7.0], [5.0]]
    """

    next: npt.NDArray[np.int64]
    probability: Values

    def __post_init__(self) -> None:
        """Refuse what is no process."""
        following = np.asarray(self.next)
        chance = finite_array(self.probability, "probability")
        object.__setattr__(self, "next", following)
        object.__setattr__(self, "probability", chance)
        if following.shape != chance.shape or following.ndim != _CUBE:
            raise UsageError(
                f"next has shape {following.shape} and probability {chance.shape}; both "
                "must be (states, actions, successors)."
            )
        if following.min() < 0 or following.max() >= len(following):
            raise UsageError(
                f"next must hold numbers of states, 0 to {len(following) - 1}; it holds "
                f"{following.min()} to {following.max()}."
            )
        _check_chances(chance)
        _check_single(following, chance)

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.next)

    @property
    def actions(self) -> int:
        """Number of actions."""
        return int(self.next.shape[1])

    @property
    def weights(self) -> Values:
        """Probability of each entry of a reward."""
        return self.probability

    def reward(self, given: Any, name: str) -> Values:
        """Return a reward of shape ``(S, A, K)``."""
        if hasattr(given, "tocsr"):
            given = self._picked(given.tocsr())
        found = finite_array(given, name)
        if found.shape == self.next.shape[:2]:
            found = found[:, :, None] + np.zeros(self.next.shape[2])
        if found.shape != self.next.shape:
            raise UsageError(
                f"{name} has shape {found.shape}; with lists of successors it must be "
                f"{self.next.shape} or {self.next.shape[:2]}."
            )
        return np.where(self.probability > 0, found, 0.0)

    def _picked(self, matrix: Any) -> Values:
        rows = np.repeat(np.arange(self.states * self.actions), self.next.shape[2])
        picked = np.asarray(matrix[rows, self.next.reshape(-1)], np.float64)
        return picked.reshape(self.next.shape)

    def ahead(self, values: Values) -> Values:
        """Return the expected value of the next state."""
        found: Values = (self.probability * values[self.next]).sum(2)
        return found

    def shaped(self, reward: Values, phi: Values, gamma: float) -> Values:
        """Return ``R + gamma * phi(s') - phi(s)``, 0 where nothing leads."""
        moved = reward + gamma * phi[self.next] - phi[:, None, None]
        return np.where(self.probability > 0, moved, 0.0)

    def policy_values(self, policy: Values, reward: Values, gamma: float) -> Values:
        """Solve ``(I - gamma P) v = r`` without the matrix."""
        paid = (policy * reward).sum(1)
        following = self.next.reshape(self.states, -1)
        chance = (policy[:, :, None] * self.probability).reshape(self.states, -1)
        used = (chance > 0).any(0)  # a deterministic policy uses one action's lists
        following, chance = following[:, used], gamma * chance[:, used]

        def apply(values: Values) -> Values:
            lost: Values = values - np.einsum("sk,sk->s", chance, values[following])
            return lost

        return bicgstab(apply, paid)


def as_process(transitions: Any) -> Process:
    """Return transitions in the form that they were given in.

    Args:
        transitions: An array of shape ``(S, A, S)``, :class:`Successors`, a process, or
            a sparse matrix of SciPy of shape ``(S * A, S)`` whose row ``s * A + a`` holds
            the probabilities after action a in state s.

    Raises:
        UsageError: It is none of these, or probabilities do not sum to 1.

    Example:
        >>> as_process(np.ones((1, 2, 1))).actions
        2
    """
    if isinstance(transitions, (Dense, Successors)):
        return transitions
    if hasattr(transitions, "tocsr"):
        return from_matrix(transitions)
    found = finite_array(transitions, "transitions")
    if found.ndim != _CUBE or found.shape[0] != found.shape[2]:
        raise UsageError(
            f"transitions has shape {found.shape}; expected (states, actions, states), "
            "Successors, or a sparse matrix of (states * actions, states)."
        )
    if not found.size:
        raise UsageError("transitions is empty; give at least one state and action.")
    _check_chances(found)
    return Dense(found)


def from_matrix(matrix: Any) -> Successors:
    """Return the successors of a sparse matrix of SciPy, shape ``(S * A, S)``.

    Raises:
        UsageError: The rows are no whole number of actions, or do not sum to 1.
    """
    table = matrix.tocsr()
    table.sum_duplicates()
    rows, states = table.shape
    if states == 0 or rows % states:
        raise UsageError(
            f"A sparse matrix of transitions has shape (states * actions, states); "
            f"received {table.shape}."
        )
    counts = np.diff(table.indptr)
    width = max(1, int(counts.max()))
    place = np.arange(table.nnz) - np.repeat(table.indptr[:-1], counts)
    row = np.repeat(np.arange(rows), counts)
    following, chance = np.zeros((rows, width), np.int64), np.zeros((rows, width))
    following[row, place], chance[row, place] = table.indices, table.data
    shape = (states, rows // states, width)
    return Successors(following.reshape(shape), chance.reshape(shape))


def finite_array(given: Any, name: str) -> Values:
    """Return finite numbers as an array, or refuse them by name."""
    found = np.asarray(given, np.float64)
    if not np.isfinite(found).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(found))[0]))
        raise UsageError(
            f"{name} holds {found[place]} at {place}; give finite numbers."
        )
    return found


def _check_chances(chance: Values) -> None:
    sums = chance.sum(2)
    wrong = np.argwhere((np.abs(sums - 1) > _SUM) | (chance.min(2) < 0))
    if len(wrong):
        state, action = map(int, wrong[0])
        raise UsageError(
            f"The probabilities after action {action} in state {state} sum to "
            f"{sums[state, action]:.6g}, the least is {chance[state, action].min():.6g}; "
            "they must be at least 0 and sum to 1. An action that ends the task leads "
            "to a state that stays where it is."
        )


def _check_single(following: npt.NDArray[np.int64], chance: Values) -> None:
    """Refuse a state that a list names twice: its probability would be split."""
    marked = np.where(chance > 0, following, -1 - np.arange(following.shape[2]))
    ordered = np.sort(marked, 2)
    double = np.argwhere((ordered[:, :, 1:] == ordered[:, :, :-1]).any(2))
    if len(double):
        state, action = map(int, double[0])
        raise UsageError(
            f"State {state}, action {action} names a successor twice; add up their "
            "probabilities."
        )
