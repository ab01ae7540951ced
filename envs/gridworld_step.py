"""Steps many gridworlds at once, as machine code."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def compiled() -> tuple[Callable[..., None], Callable[..., None]]:
    """Return ``(step, start)``, compiled on their first call.

    numba takes seconds to import, so nothing here does before an environment is made.
    """
    import numba  # noqa: PLC0415 - see above

    flags: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    return numba.njit(**flags)(_step), numba.njit(**flags)(_start)


def _step(
    states: Any,
    elapsed: Any,
    actions: Any,
    following: Any,
    until: Any,
    paid: Any,
    terminal: Any,
    limit: int,
    rng: Any,
    rewards: Any,
    terminated: Any,
    truncated: Any,
) -> None:
    """Move every walker; ``until`` holds sums of chances, ``(S, A, K)``."""
    width = following.shape[2]
    for lane in range(len(states)):
        state, action = states[lane], actions[lane]
        k = 0
        if width > 1 and until[state, action, 0] < 1.0:
            drawn = rng.random()
            while k < width - 1 and drawn >= until[state, action, k]:
                k += 1
        after = following[state, action, k]
        rewards[lane] = paid[state, action, k]
        states[lane] = after
        elapsed[lane] += 1
        terminated[lane] = terminal[after]
        truncated[lane] = elapsed[lane] >= limit and not terminal[after]


def _start(states: Any, elapsed: Any, chosen: Any, until: Any, rng: Any) -> None:
    """Put the chosen walkers on a first state; ``until`` holds sums of chances, (S,)."""
    for lane in range(len(states)):
        if chosen[lane]:
            drawn = rng.random()
            first = 0
            while first < len(until) - 1 and drawn >= until[first]:
                first += 1
            states[lane] = first
            elapsed[lane] = 0
