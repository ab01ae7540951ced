"""Ranks programs on stored rollouts, without training: a ranking, not a gate.

Published rewards that train to full success are refused when such a screen is used as
a gate (measured on the Meta-World rewards of Text2Reward), so a bad screen only moves a
candidate back. Windows are matched in length: summing whole episodes would favour the
reward under which long failures collect more than short successes. The idea of ranking
rewards by stored trajectories is after CARD's trajectory preference evaluation (Sun et
al., 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt

from reward_synth.kernels import RewardKernel, parameters
from reward_synth.reward import Rollout

Values = npt.NDArray[np.float64]
_WARNING_COST = 0.05
_ALIKE = 0.98
"""Rank correlation from which two programs count as one."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How a program ranks on the rollouts."""

    score: float
    """Higher is better; comparable within one run only."""
    preference: float | None
    """Share of (success, failure) pairs that it orders rightly, or None: no pairs."""
    progress: float | None
    """Mean rank correlation of reward with time up to success, or None: no success."""
    variation: float
    """Share of its components that vary."""
    basis: str
    """What the score rests on, in words."""
    order: npt.ArrayLike = field(
        default_factory=lambda: np.empty(0), repr=False, compare=False
    )
    """How it orders all steps of the rollouts: their ranks, shape ``(N,)``, or what
    becomes them when an array is made of it."""


def screen(
    kernel: RewardKernel, rollouts: Sequence[Rollout], *, warnings: int = 0
) -> Screen:
    """Rank one program.

    Args:
        kernel: Its compiled reward function.
        rollouts: The same ones for every candidate.
        warnings: Number of warnings in its report; each costs a little.
    """
    columns = [score_steps(kernel, rollout) for rollout in rollouts]
    totals = [column.sum(axis=1) for column in columns]
    wins = [(r, t) for r, t in zip(rollouts, totals, strict=True) if r.succeeded]
    fails = [
        t
        for r, t in zip(rollouts, totals, strict=True)
        if r.success is not None and not r.succeeded
    ]
    upto = [total[: first_success(rollout) + 1] for rollout, total in wins]
    preference = _preference(upto, fails)
    progress = _progress(upto)
    variation = float(np.mean(np.ptp(np.concatenate(columns), axis=0) > 0.0))
    known = [item for item in (preference, progress) if item is not None]
    basis = f"{len(upto)} successes and {len(fails)} failures among the rollouts"
    if not known:
        basis = "no success among the rollouts, so by variation alone"
    score = float(np.mean(known)) if known else 0.5 * variation
    return Screen(
        score - _WARNING_COST * warnings,
        preference,
        progress,
        variation,
        basis,
        _ranks(np.concatenate(totals)),
    )


def alike(first: Screen, second: Screen) -> bool:
    """Tell whether two programs order the steps of the rollouts (nearly) alike.

    Training both would measure one reward twice. Orders are compared, not sizes, because
    a rare large bonus would make all programs that have it look alike.
    """
    one, two = np.asarray(first.order), np.asarray(second.order)
    if np.ptp(one) == 0.0 or np.ptp(two) == 0.0:
        return bool(np.ptp(one) == np.ptp(two))
    return float(np.corrcoef(one, two)[0, 1]) > _ALIKE


def score_steps(kernel: RewardKernel, rollout: Rollout) -> Values:
    """Return components on each step, shape ``(T, number of components)``."""
    out = np.empty((len(kernel.names) + 1, len(rollout)))
    return kernel.batch(parameters(kernel, rollout.steps), out)[:-1].T


def first_success(rollout: Rollout) -> int:
    """Return the index of the first successful step.

    Raises:
        ValueError: The rollout has no successful step.
    """
    if rollout.success is None or not rollout.success.any():
        raise ValueError("first_success needs a rollout with a success")
    return int(np.argmax(rollout.success))


def _preference(wins: Sequence[Values], fails: Sequence[Values]) -> float | None:
    """Compare each success with each failure over windows of equal length."""
    if not wins or not fails:
        return None
    results = []
    for win, fail in product(wins, fails):
        length = min(len(win), len(fail))
        difference = win[-length:].mean() - fail[-length:].mean()
        results.append(0.5 + 0.5 * float(np.sign(difference)))
    return float(np.mean(results))


def _progress(wins: Sequence[Values]) -> float | None:
    """Does the reward rise towards success? Mean Spearman correlation with time."""
    results = [_spearman_with_time(win) for win in wins if len(win) > 2]  # noqa: PLR2004
    if not results:
        return None
    return float(np.mean(results))


def _spearman_with_time(values: Values) -> float:
    if np.ptp(values) == 0.0:
        return 0.0
    ranks = _ranks(values)
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1])


def _ranks(values: Values) -> Values:
    """Return ranks; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means = last - (counts - 1) / 2.0
    return np.asarray(means[inverse], np.float64)
