"""EPIC and DARD from samples: rewards are asked about transitions that were not met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from reward_synth.distance.features import Features, Fourier
from reward_synth.distance.samples import Batch, Values
from reward_synth.errors import UsageError

RewardAt: TypeAlias = Callable[[Values, Values, Values], Values]
"""``(before, action, after) -> rewards``, shapes ``(M, D)``, ``(M, E)``, ``(M, D)``."""
Model: TypeAlias = Callable[[Values, Values], Values]
"""``(states, actions) -> next states``."""
_NOTHING = 1e-10
_CHUNK = 200_000
"""Transitions that a reward is asked about in one call."""


def epic(
    r1: RewardAt,
    r2: RewardAt,
    batch: Batch,
    gamma: float,
    *,
    means: int = 64,
    seed: int = 0,
) -> float:
    """Return the EPIC distance, 0 to 1, estimated on a batch.

    Gleave et al., "Quantifying Differences in Reward Functions", ICLR 2021: the root of
    (1 - rho) / 2, where rho is Pearson's correlation of the canonical rewards. States,
    actions and next states for the means are drawn from the batch one by one.
    A reward whose canonical form is constant has no correlation: it is ½ from every
    other, and 0 from another such one.

    Args:
        r1: The first reward.
        r2: The second.
        batch: Transitions over which rewards are compared.
        gamma: The discount, in [0, 1].
        means: Draws for each mean, at least 1.
        seed: Of the draws; both rewards see the same ones.

    Raises:
        UsageError: An argument is out of range, or a reward is not finite.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> batch = Batch(*rng.normal(size=(3, 200, 1)))
        >>> first = lambda s, a, t: s[:, 0] * a[:, 0]
        >>> shaped = lambda s, a, t: 5 * first(s, a, t) + 0.9 * t[:, 0] - s[:, 0]
        >>> round(epic(first, shaped, batch, 0.9), 6)
        0.0
    """
    rng = _checked(gamma, means, seed)
    picks = rng.integers(0, batch.count, (2, means))
    acts, ends = batch.action[picks[0]], batch.after[picks[1]]

    def canonical(reward: RewardAt) -> Values:
        def mean(states: Values) -> Values:
            return _averaged(
                reward, states, acts, lambda part: _spread(ends, len(part))
            )

        paid = _asked(reward, batch.before, batch.action, batch.after)
        return paid + gamma * mean(batch.after) - mean(batch.before)

    return _pearson(canonical(r1), canonical(r2))


def dard(
    r1: RewardAt,
    r2: RewardAt,
    batch: Batch,
    gamma: float,
    *,
    model: Model | None = None,
    means: int = 16,
    seed: int = 0,
) -> float:
    """Return the DARD distance, 0 to 1, estimated on a batch.

    Wulfe et al., "Dynamics-Aware Comparison of Learned Reward Functions", ICLR 2022: as
    EPIC, but rewards are asked about transitions that a model of the environment leads
    to.

    Args:
        r1: As for :func:`epic`.
        r2: Likewise.
        batch: Likewise.
        gamma: Likewise.
        model: ``(states, actions) -> next states``; by default a :class:`LinearModel`
            fitted to the batch.
        means: Actions for each mean, at least 1.
        seed: As for :func:`epic`.

    Raises:
        UsageError: An argument is out of range, or a reward is not finite.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> s, a = rng.normal(size=(2, 200, 1))
        >>> first = lambda s, a, t: s[:, 0] * a[:, 0]
        >>> shaped = lambda s, a, t: first(s, a, t) + 0.9 * t[:, 0] - s[:, 0]
        >>> move = lambda s, a: s + a
        >>> round(dard(first, shaped, Batch(s, a, s + a), 0.9, model=move), 6)
        0.0
    """
    rng = _checked(gamma, means, seed)
    lead = model or LinearModel().fit(batch)
    acts = batch.action[rng.integers(0, batch.count, means)]

    def canonical(reward: RewardAt) -> Values:
        paid = _asked(reward, batch.before, batch.action, batch.after)
        mean = [_led(reward, x, acts, lead) for x in (batch.after, batch.before)]
        return (
            paid + gamma * mean[0] - mean[1] - gamma * _ahead(reward, batch, acts, lead)
        )

    return _pearson(canonical(r1), canonical(r2))


@dataclass(frozen=True, slots=True)
class LinearModel:
    """The change of state, linear in features of state and action.

    Example:
        >>> x, a = np.random.default_rng(0).normal(size=(2, 300, 1))
        >>> model = LinearModel(Fourier(count=0)).fit(Batch(x, a, x + 0.5 * a))
        >>> model(np.zeros((1, 1)), np.ones((1, 1))).round(4).tolist()
        [[0.5]]
    """

    features: Features = field(default_factory=Fourier)

    def fit(self, batch: Batch) -> Model:
        """Return what leads from states and actions to next states."""
        rows = np.concatenate([batch.before, batch.action], 1)
        basis = self.features.fit(rows)
        known = basis(rows)
        square = known.T @ known
        ridge = 1e-6 * np.trace(square) / len(square)
        weights = np.linalg.solve(
            square + ridge * np.eye(len(square)), known.T @ (batch.after - batch.before)
        )

        def model(states: Values, actions: Values) -> Values:
            found: Values = (
                states + basis(np.concatenate([states, actions], 1)) @ weights
            )
            return found

        return model


def _checked(gamma: float, means: int, seed: int) -> np.random.Generator:
    if not 0.0 <= gamma <= 1.0:
        raise UsageError(f"gamma must lie in [0, 1], received {gamma!r}.")
    if means < 1:
        raise UsageError(f"means must be at least 1, received {means!r}.")
    return np.random.default_rng(seed)


def _asked(reward: RewardAt, before: Values, action: Values, after: Values) -> Values:
    found = np.asarray(reward(before, action, after), np.float64)
    if found.shape != (len(before),) or not np.isfinite(found).all():
        raise UsageError(
            f"A reward must return one finite number a transition, {len(before)} here; "
            f"it returned shape {found.shape}"
            f"{'' if np.isfinite(found).all() else ' with NaN or infinity'}."
        )
    return found


def _spread(rows: Values, count: int) -> Values:
    """Repeat rows as a block for each of ``count`` states."""
    return np.tile(rows, (count, 1))


def _averaged(
    reward: RewardAt, states: Values, acts: Values, led: Callable[[Values], Values]
) -> Values:
    """Return each state's mean reward over actions and what follows them."""
    size = max(1, _CHUNK // len(acts))
    parts = []
    for start in range(0, len(states), size):
        part = states[start : start + size]
        before = np.repeat(part, len(acts), 0)
        paid = _asked(reward, before, _spread(acts, len(part)), led(part))
        parts.append(paid.reshape(len(part), len(acts)).mean(1))
    return np.concatenate(parts)


def _led(reward: RewardAt, states: Values, acts: Values, model: Model) -> Values:
    def led(part: Values) -> Values:
        return model(np.repeat(part, len(acts), 0), _spread(acts, len(part)))

    return _averaged(reward, states, acts, led)


def _ahead(reward: RewardAt, batch: Batch, acts: Values, model: Model) -> Values:
    """Return the mean reward one step on, from S' to S'' under the same action."""
    size = max(1, _CHUNK // len(acts))
    parts = []
    for start in range(0, batch.count, size):
        first = np.repeat(batch.before[start : start + size], len(acts), 0)
        second = np.repeat(batch.after[start : start + size], len(acts), 0)
        taken = _spread(acts, len(first) // len(acts))
        paid = _asked(reward, model(first, taken), taken, model(second, taken))
        parts.append(paid.reshape(-1, len(acts)).mean(1))
    return np.concatenate(parts)


def _pearson(first: Values, second: Values) -> float:
    """Return the root of (1 - rho) / 2; a constant counts as the zero reward."""
    units = [_unit(item) for item in (first, second)]
    return float(np.linalg.norm(units[0] - units[1]) / 2)


def _unit(values: Values) -> Values:
    centred = values - values.mean()
    size = float(np.linalg.norm(centred))
    most = float(np.abs(values).max()) * np.sqrt(len(values))
    return centred / size if size > _NOTHING * most else np.zeros_like(values)
