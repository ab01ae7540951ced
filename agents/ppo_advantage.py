"""Generalised advantages for two streams of reward, each with its own discount.

J. Schulman and others, "High-Dimensional Continuous Control Using Generalized Advantage
Estimation", arXiv 1506.02438; two streams as in Y. Burda and others, arXiv 1810.12894.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
"""One number a step of each environment, shape ``(T, N)``."""
Flags = npt.NDArray[np.bool_]


def advantages(
    rewards: Table,
    values: Table,
    next_values: Table,
    terminated: Flags,
    truncated: Flags,
    *,
    gamma: float,
    lam: float,
) -> Table:
    """Return A, with A + V as the target of the value.

    With g = gamma, l = lam and gain_t = r_t + g V(s'_t) - V(s_t), where V(s'_t) = 0 at a
    *terminated* state and nowhere else: A_t = gain_t + g l A_{t+1}, cut where an episode
    ends either way.

    Args:
        rewards: r.
        values: V(s_t).
        next_values: V(s'_t) of the state that the step led to, also where a time limit
            ended the episode there.
        terminated: Where the task ended the episode.
        truncated: Where a limit did.
        gamma: The discount.
        lam: What is kept of gains one step later; 1: all, 0: none.

    Example:
        >>> one, no = np.ones((2, 1)), np.zeros((2, 1), bool)
        >>> rewards = np.array([[0.0], [1.0]])
        >>> advantages(rewards, 0 * one, 0 * one, ~no, no, gamma=0.5, lam=1.0)[:, 0]
        array([0., 1.])
        >>> advantages(rewards, 0 * one, 0 * one, no, no, gamma=0.5, lam=1.0)[:, 0]
        array([0.5, 1. ])
    """
    gains = rewards + gamma * np.where(terminated, 0.0, next_values) - values
    goes_on = gamma * lam * ~(terminated | truncated)
    found = np.empty_like(gains)
    later = np.zeros(gains.shape[1])
    for step in range(len(gains) - 1, -1, -1):
        later = gains[step] + goes_on[step] * later
        found[step] = later
    return found
