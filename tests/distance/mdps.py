"""Random processes and rewards, and the committed numbers of the original code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
GOLDEN = json.loads(
    (Path(__file__).parents[1] / "data" / "starc_golden.json").read_text()
)


def mdp(seed: int, states: int = 4, actions: int = 3) -> Values:
    """Return transitions with all probabilities above 0."""
    rng = np.random.default_rng(seed)
    moves: Values = rng.dirichlet(np.ones(states), (states, actions))
    return moves


def reward(seed: int, moves: Values) -> Values:
    """Return a reward of the same shape."""
    return np.random.default_rng(1000 + seed).normal(size=moves.shape)


def shaped(base: Values, phi: Values, gamma: float) -> Values:
    """Return ``R + gamma phi(s') - phi(s)``, written out state by state."""
    result = base.copy()
    for s, a, t in np.ndindex(*base.shape):
        result[s, a, t] += gamma * phi[t] - phi[s]
    return result


def redistributed(base: Values, moves: Values, seed: int) -> Values:
    """Return a reward with the same expectation in each state and action."""
    noise = np.random.default_rng(seed).normal(size=base.shape)
    noise -= (moves * noise).sum(2, keepdims=True)
    return base + noise


def golden_mdp() -> tuple[Values, Values, Values, dict[str, Any]]:
    """Return the process and rewards that the golden numbers are of."""
    rng = np.random.default_rng(0)
    moves = rng.random((4, 3, 4))
    moves /= moves.sum(2, keepdims=True)
    return moves, rng.random((4, 3, 4)), rng.random((4, 3, 4)), GOLDEN["starc_repo"]
