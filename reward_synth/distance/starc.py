"""STARC distances between rewards of a finite process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reward_synth.distance.canonical import Kind, check_discount, known_kind
from reward_synth.distance.norms import Norm, length
from reward_synth.distance.process import Process, Values, as_process
from reward_synth.errors import UsageError

_NOTHING = 1e-10
"""Canonical forms this much smaller than their reward are rounding errors of zero."""


def starc(
    r1: Any,
    r2: Any,
    transitions: Any,
    gamma: float,
    kind: Kind = "value",
    norm: Norm = 2,
    metric: Norm = 2,
    halved: bool = True,
) -> float:
    """Return the distance of two rewards: 0 same order of policies, 1 the opposite.

    Both are brought into canonical form, divided by its norm (zero stays zero, so a
    constant reward is 0.5 from every other) and compared by ``metric``.
    The default, VAL with L2, bounds the regret of exchanging one reward for the other
    from both sides (Skalse et al., ICLR 2024).

    Args:
        r1: As for :func:`canonicalise`.
        r2: Likewise.
        transitions: Likewise.
        gamma: Likewise.
        kind: Likewise.
        norm: What canonical forms are divided by, see
            :data:`~reward_synth.distance.Norm`.
        metric: The norm of their difference.
        halved: Multiply by ½, which makes 1 the most where both norms are equal; False
            as in the authors' code.

    Raises:
        UsageError: An argument does not fit.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> moves = rng.dirichlet(np.ones(4), (4, 2))
        >>> reward, phi = rng.normal(size=(4, 2, 4)), rng.normal(size=4)
        >>> shaped = 3 * reward + 0.9 * phi - phi[:, None, None]
        >>> round(starc(reward, shaped, moves, 0.9), 9)
        0.0
        >>> round(starc(reward, -shaped, moves, 0.9), 9)
        1.0
    """
    matrix = starc_matrix([r1, r2], transitions, gamma, kind, norm, metric, halved)
    return float(matrix[0, 1])


def starc_matrix(
    rewards: Sequence[Any],
    transitions: Any,
    gamma: float,
    kind: Kind = "value",
    norm: Norm = 2,
    metric: Norm = 2,
    halved: bool = True,
) -> Values:
    """Return the distances of all pairs; each reward is canonicalised once.

    Args:
        rewards: One or more.
        transitions: As for :func:`starc`.
        gamma: Likewise.
        kind: Likewise.
        norm: Likewise.
        metric: Likewise.
        halved: Likewise.

    Returns:
        Shape ``(n, n)``, symmetric, 0 on the diagonal.

    Raises:
        UsageError: An argument does not fit, or there is no reward.

    Example:
        >>> one = np.array([[[1.0], [0.0]]])
        >>> starc_matrix([one, -one], np.ones((1, 2, 1)), 0.5).round(6).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if not len(rewards):
        raise UsageError("There is no reward to compare; give at least one.")
    process = as_process(transitions)
    forms = [
        standardised(item, process, gamma, kind, norm, f"reward {number + 1}")
        for number, item in enumerate(rewards)
    ]
    result = np.zeros((len(forms), len(forms)))
    for row, first in enumerate(forms):
        for column in range(row):
            apart = length(first - forms[column], metric, process.weights)
            result[row, column] = result[column, row] = apart
    return result / 2 if halved else result


def standardised(
    reward: Any,
    process: Process,
    gamma: float,
    kind: Kind = "value",
    norm: Norm = 2,
    name: str = "reward",
) -> Values:
    """Return the canonical form of a reward, divided by its norm; zero stays zero."""
    form = known_kind(kind)
    check_discount(gamma, kind)
    given = process.reward(reward, name)
    found = form(given, process, gamma)
    size = length(found, norm, process.weights)
    if norm == 0:
        return found
    largest = float(np.abs(given).max(initial=0.0))
    if np.abs(found).max(initial=0.0) <= _NOTHING * largest or size == 0.0:
        return np.zeros_like(found)
    return found / size
