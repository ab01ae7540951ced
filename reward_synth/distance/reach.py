"""Where a process begins, and what can be met from there."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_synth.distance.process import (
    Mask,
    Process,
    Successors,
    Values,
    as_process,
    finite_array,
)
from reward_synth.errors import UsageError

_SUM = 1e-6
"""By how much the probabilities of first states may miss 1."""


def reachable(transitions: Any, start: Any) -> Mask:
    """Return which states can be met from the start, shape ``(S,)``.

    Args:
        transitions: As for :func:`as_process`.
        start: Numbers of states, or a distribution over all of them.

    Example:
        >>> chain = np.zeros((3, 1, 3))
        >>> chain[0, 0, 1] = chain[1, 0, 1] = chain[2, 0, 2] = 1.0
        >>> reachable(chain, [0]).tolist()
        [True, True, False]
    """
    process = as_process(transitions)
    met = as_start(start, process.states) > 0
    following = _following(process)
    fresh = np.flatnonzero(met)
    while fresh.size:
        led = np.zeros(process.states, np.bool_)
        led[following(fresh)] = True
        fresh = np.flatnonzero(led & ~met)
        met |= led
    return met


def as_start(start: Any, states: int) -> Values:
    """Return a distribution over the states; None: all alike.

    Raises:
        UsageError: It is neither numbers of states nor a distribution.

    Example:
        >>> as_start([2], 3).tolist()
        [0.0, 0.0, 1.0]
    """
    if start is None:
        return np.full(states, 1.0 / states)
    given = np.asarray(start)
    if given.dtype.kind in "iu" and given.size:
        if given.min() < 0 or given.max() >= states:
            raise UsageError(f"start names states beyond 0 to {states - 1}: {start!r}.")
        counts = np.bincount(given.reshape(-1), minlength=states)
        made: Values = counts / counts.sum()
        return made
    found = finite_array(given, "start")
    if found.shape != (states,) or found.min() < 0 or abs(found.sum() - 1) > _SUM:
        raise UsageError(
            f"start must be numbers of states, or {states} probabilities that sum to 1; "
            f"received shape {found.shape}, sum {found.sum():.6g}."
        )
    return found


def _following(process: Process) -> Any:
    if isinstance(process, Successors):
        table, used = process.next, process.probability > 0
        return lambda states: table[states][used[states]]
    some = np.asarray((process.weights > 0).any(1))
    return lambda states: np.flatnonzero(some[states].any(0))
