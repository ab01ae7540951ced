"""Distances estimated from sampled transitions, of any environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.distance.features import Features, Fourier
from reward_synth.distance.regret import check_below_one
from reward_synth.errors import UsageError

Values: TypeAlias = npt.NDArray[np.float64]
_NOTHING = 1e-6
"""Canonical forms this much smaller than their reward are errors of estimation."""
_RIDGE = 1e-9
_CHUNK = 4096
"""Transitions whose features are held at once: they fit the processor's cache."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sampled transitions; states and actions as numbers.

    Values are learned from them, so they should be whole episodes of one policy.

    Raises:
        UsageError: It is empty, lengths differ, or a number is not finite.

    Example:
        >>> Batch(np.zeros((3, 2)), np.zeros(3), np.ones((3, 2))).count
        3
    """

    before: Values
    """Shape ``(N, D)``, or ``(N,)``."""
    action: Values
    """Shape ``(N, E)``, or ``(N,)``."""
    after: Values
    """Shape ``(N, D)``, or ``(N,)``."""
    terminated: npt.NDArray[np.bool_] | None = None
    """Where the task ended the episode; None: nowhere."""

    def __post_init__(self) -> None:
        """Bring arrays into shape, and refuse what cannot be used."""
        count = len(np.atleast_1d(self.before))
        if not count:
            raise UsageError("The batch holds no transitions; sample some first.")
        for name in ("before", "action", "after"):
            found = np.asarray(getattr(self, name), np.float64)
            if len(np.atleast_1d(found)) != count:
                raise UsageError(
                    f"Batch.{name} has {len(np.atleast_1d(found))} rows, before {count}."
                )
            if not np.isfinite(found).all():
                raise UsageError(f"Batch.{name} holds numbers that are not finite.")
            object.__setattr__(self, name, found.reshape(count, -1))
        ended = np.zeros(count) if self.terminated is None else self.terminated
        object.__setattr__(self, "terminated", np.asarray(ended, np.bool_).reshape(-1))
        if self.before.shape != self.after.shape or len(self.alive) != count:
            raise UsageError(
                f"Batch.before has shape {self.before.shape}, after {self.after.shape}, "
                f"terminated {len(self.alive)} entries; they must agree."
            )

    @property
    def count(self) -> int:
        """Number of transitions."""
        return len(self.before)

    @property
    def alive(self) -> Values:
        """0 where the task ended the episode, else 1."""
        ended: Any = self.terminated
        made: Values = 1.0 - ended
        return made


class ValueFitter(Protocol):
    """Estimates the values of the policy that sampled a batch, under several rewards."""

    def __call__(
        self, batch: Batch, rewards: Values, gamma: float
    ) -> tuple[Values, Values]:
        """Return values before and after each transition, 0 after terminated ones.

        Args:
            batch: The transitions.
            rewards: Shape ``(N, R)``.
            gamma: The discount.

        Returns:
            Two arrays of shape ``(N, R)``.
        """


@dataclass(frozen=True, slots=True)
class LinearValue:
    """Least-squares temporal differences: one linear system for all rewards.

    Bradtke and Barto, "Linear Least-Squares Algorithms for Temporal Difference
    Learning", Machine Learning 22 (1996). Unlike a network's, its values are linear in
    the reward, so scaling and shaping within the features change no distance.

    Example:
        >>> batch = Batch(np.zeros(4), np.zeros(4), np.zeros(4))
        >>> before, _ = LinearValue()(batch, np.ones((4, 1)), 0.5)
        >>> before.round(5).ravel().tolist()
        [2.0, 2.0, 2.0, 2.0]
    """

    features: Features = field(default_factory=Fourier)

    def __call__(
        self, batch: Batch, rewards: Values, gamma: float
    ) -> tuple[Values, Values]:
        """Return values before and after each transition."""
        basis = self.features.fit(np.concatenate([batch.before, batch.after]))

        def part(rows: slice) -> tuple[Values, Values]:
            return basis(batch.before[rows]), basis(batch.after[rows])

        return lstd(part, batch.alive, rewards, gamma)


def lstd(
    part: Callable[[slice], tuple[Values, Values]],
    alive: Values,
    rewards: Values,
    gamma: float,
) -> tuple[Values, Values]:
    """Return values before and after each transition that are linear in features.

    Args:
        part: Features before and after some of the transitions, ``(n, F)`` each. It is
            asked twice for each part, so that features never fill the memory.
        alive: 0 where nothing follows, shape ``(N,)``.
        rewards: Shape ``(N, R)``.
        gamma: The discount.
    """
    parts = [slice(x, x + _CHUNK) for x in range(0, len(alive), _CHUNK)]
    matrix: Any = 0.0
    right: Any = 0.0
    square = 0.0
    for rows in parts:
        now, then = part(rows)
        matrix = matrix + now.T @ (now - (gamma * alive[rows, None]) * then)
        right = right + now.T @ rewards[rows]
        square += float(np.einsum("nf,nf->", now, now))
    size = len(matrix)
    ridge = _RIDGE * max(square / size, 1e-300)
    weights = np.linalg.solve(matrix + ridge * np.eye(size), right)
    before, after = np.empty_like(rewards), np.empty_like(rewards)
    for rows in parts:
        now, then = part(rows)
        before[rows], after[rows] = now @ weights, then @ weights
    return before, after * alive[:, None]


def starc_sampled(
    rewards: Sequence[Any],
    batch: Batch,
    gamma: float,
    *,
    values: ValueFitter | None = None,
    spread: Features | None = None,
    power: float = 2.0,
    halved: bool = True,
) -> Values:
    """Return the STARC distances of all pairs of rewards on sampled transitions.

    The canonical form is VAL of STARC under the policy that sampled the batch, and
    norms are means over it. What no transition shows has no say.

    Args:
        rewards: For each reward its values on the batch, shape ``(N,)``.
        batch: The transitions.
        gamma: The discount, below 1.
        values: How values are estimated; by default :class:`LinearValue`.
        spread: For environments with chance: features in which the expectation over
            the next state is estimated. None takes each transition as it came, which is
            exact where the next state follows from state and action.
        power: p of the norm and the metric, at least 1.
        halved: As for :func:`~reward_synth.distance.starc`.

    Returns:
        Shape ``(R, R)``.

    Raises:
        UsageError: A reward does not fit the batch or is not finite, or there is none.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(500, 1))
        >>> y = 0.9 * x + 0.1 * rng.normal(size=x.shape)
        >>> paid = y[:, 0] ** 2
        >>> shaped = 2 * paid + 0.9 * y[:, 0] - x[:, 0]
        >>> apart = starc_sampled([paid, shaped, -paid], Batch(x, x, y), 0.9)
        >>> apart[0].round(4).tolist()
        [0.0, 0.0, 1.0]
    """
    forms = standardised_sampled(rewards, batch, gamma, values, spread, power)
    apart = np.abs(forms[:, :, None] - forms[:, None, :])
    found: Values = (apart**power).mean(0) ** (1 / power)
    return found / 2 if halved else found


def standardised_sampled(
    rewards: Sequence[Any],
    batch: Batch,
    gamma: float,
    values: ValueFitter | None = None,
    spread: Features | None = None,
    power: float = 2.0,
) -> Values:
    """Return canonical rewards of norm 1, or 0 where nothing is left, ``(N, R)``."""
    if not len(rewards):
        raise UsageError("There is no reward to compare; give at least one.")
    if not power >= 1:
        raise UsageError(f"power must be at least 1, received {power!r}.")
    check_below_one(gamma)
    table = np.stack(
        [checked(item, batch, number) for number, item in enumerate(rewards)], 1
    )
    before, after = (values or LinearValue())(batch, table, gamma)
    forms = table + gamma * after - before
    if spread is not None:
        forms = _expected(forms, batch, spread)
    sizes = (np.abs(forms) ** power).mean(0) ** (1 / power)
    nothing = np.abs(forms).max(0) <= _NOTHING * np.abs(table).max(0)
    whole = np.where(nothing | (sizes == 0), 1.0, sizes)
    return np.where(nothing, 0.0, forms / whole)


def checked(reward: Any, batch: Batch, number: int) -> Values:
    """Return a reward's values as numbers, one a transition, or refuse them.

    Example:
        >>> checked([1, 2], Batch(np.zeros(2), np.zeros(2), np.zeros(2)), 0).tolist()
        [1.0, 2.0]
    """
    found = np.asarray(reward, np.float64)
    if found.shape != (batch.count,):
        raise UsageError(
            f"Reward {number + 1} has shape {found.shape}; the batch has {batch.count} "
            "transitions, so it must be one number each."
        )
    if not np.isfinite(found).all():
        raise UsageError(
            f"Reward {number + 1} is not finite on "
            f"{int((~np.isfinite(found)).sum())} of {batch.count} transitions."
        )
    return found


def _expected(forms: Values, batch: Batch, features: Features) -> Values:
    """Replace each row by what is expected of its state and action."""
    rows = np.concatenate([batch.before, batch.action], 1)
    known = features.fit(rows)(rows)
    square = known.T @ known
    ridge = _RIDGE * np.trace(square) / len(square)
    weights = np.linalg.solve(square + ridge * np.eye(len(square)), known.T @ forms)
    found: Values = known @ weights
    return found
