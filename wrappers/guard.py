"""Keeps bad dense rewards from a learner: counts them, falls back, and stops in time.

What cannot be done here: a reward function of one's own that hangs holds up the process
that calls it. Programs cannot hang, for their operations are counted before they run;
``reward_synth train`` ends a training that does not get on at its ``timeout``.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

from reward_synth.errors import RewardFaultError, UsageError
from reward_synth.wrappers.words import (
    NonFiniteRewardWarning,
    RewardFaultWarning,
)

_MOST = 300


@dataclass(frozen=True, slots=True)
class Guard:
    """What a wrapper does about dense rewards that no learner survives.

    A step whose dense reward is NaN or infinite, is larger than ``limit``, or could not
    be computed because the function raised, earns the environment's own reward alone
    (0 under ``replace``).

    Example:
        >>> Guard(limit=100.0).stop_after
        1000
        >>> Guard(limit=0.0)
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: Guard.limit must be above 0 and finite, received 0.0.
    """

    limit: float = 1e6
    """Largest magnitude that the dense part of one step may have. Squares of what is
    much larger overflow in a learner's 32-bit numbers."""
    stop_after: int | None = 1000
    """Faults after which :class:`~reward_synth.errors.RewardFaultError` is raised, counted
    over the life of the wrapper; None: never."""

    def __post_init__(self) -> None:
        """Refuse what guards nothing."""
        if not 0.0 < self.limit < math.inf:
            raise UsageError(
                f"Guard.limit must be above 0 and finite, received {self.limit}."
            )
        if self.stop_after is not None and self.stop_after < 1:
            raise UsageError(
                f"Guard.stop_after must be at least 1 or None, received "
                f"{self.stop_after}."
            )


class Quarantine:
    """The faults of one wrapper so far.

    Args:
        guard: When to stop.

    Example:
        >>> faults = Quarantine(Guard(stop_after=None))
        >>> with warnings.catch_warnings(action="ignore"):
        ...     faults.add("component 'near'", math.nan)
        >>> faults.record()
        {'faults': 1, 'kinds': {'not finite': 1}, 'first': "The component 'near' is not finite (nan)"}
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.kinds: Counter[str] = Counter()
        self.first = ""

    def add(
        self, what: str, value: float, cause: Exception | None = None, times: int = 1
    ) -> None:
        """Count a fault, and warn.

        Args:
            what: Whose value it is.
            value: The value, or one of them.
            cause: What was raised instead of a value.
            times: Number of steps.

        Raises:
            RewardFaultError: There are more than ``stop_after``.
        """
        kind, said = self._told(what, value, cause)
        self.kinds[kind] += times
        self.first = self.first or said
        limit = self.guard.stop_after
        if limit is not None and self.kinds.total() > limit:
            raise self._error(limit) from cause
        told = NonFiniteRewardWarning if kind == "not finite" else RewardFaultWarning
        warnings.warn(
            f"{said}; the step is scored without it. "
            "`info['reward_synth']['faults']` counts such steps.",
            told,
            stacklevel=4,
        )

    def _told(
        self, what: str, value: float, cause: Exception | None
    ) -> tuple[str, str]:
        if cause is not None:
            text = " ".join(f"{type(cause).__name__}: {cause}".split())[:_MOST]
            return "raised", f"The {what} could not be computed ({text})"
        if not math.isfinite(value):
            return "not finite", f"The {what} is not finite ({value})"
        return "too large", f"The {what} is {value:g}, above {self.guard.limit:g}"

    def _error(self, limit: int) -> RewardFaultError:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        return RewardFaultError(
            f"The dense reward failed on more than {limit} steps ({kinds}). The first: "
            f"{self.first}. Repair the reward, or wrap with "
            "guard=Guard(stop_after=None) to go on with the environment's own reward."
        )

    def record(self) -> dict[str, Any]:
        """Return JSON-ready data: the number of faults, their kinds, and the first."""
        return {
            "faults": self.kinds.total(),
            "kinds": dict(self.kinds),
            "first": self.first,
        }
