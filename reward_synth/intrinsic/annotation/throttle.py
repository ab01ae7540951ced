"""How fast a server is asked: limits a minute, fewer at once where it complains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from reward_synth.errors import UsageError

_MINUTE = 60.0
_LEAST = 1 / 32
"""The share of the limits below which nothing is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a server may be asked.

    Raises:
        UsageError: A limit is not above 0.
    """

    at_once: int = 8
    """Requests in flight."""
    requests_per_minute: float = math.inf
    tokens_per_minute: float = math.inf
    """Prompt and answer together."""

    def __post_init__(self) -> None:
        """Check the limits."""
        for name in ("at_once", "requests_per_minute", "tokens_per_minute"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be above 0; got {getattr(self, name)}.")


class Throttle:
    """Says how long to wait before a request; slows down as servers ask for it.

    All limits are multiplied by a share that is halved with every 429 or 5xx and grows
    by a tenth of the whole with as many good answers as go out at once: additive
    increase, multiplicative decrease, after D. Chiu and R. Jain (1989).

    Example:
        >>> throttle = Throttle(Pace(at_once=4, requests_per_minute=60), lambda: 0.0)
        >>> throttle.at_once, throttle.take(100), throttle.take(100)
        (4, 0.0, 1.0)
        >>> throttle.complain(); throttle.share, throttle.at_once
        (0.5, 2)
    """

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace = pace
        self.share = 1.0
        self._clock = clock
        self._free = [clock(), clock()]
        """When the next request and the next token may go out."""

    @property
    def at_once(self) -> int:
        """Requests that may be in flight now; at least one."""
        return max(1, int(self.pace.at_once * self.share))

    def take(self, tokens: int) -> float:
        """Count a request of so many tokens; return how long it must wait, in seconds."""
        now = self._clock()
        limits = (self.pace.requests_per_minute, self.pace.tokens_per_minute)
        starts = [max(now, free) for free in self._free]
        for place, (amount, limit) in enumerate(zip((1, tokens), limits, strict=True)):
            spent = (
                0.0 if math.isinf(limit) else amount * _MINUTE / (limit * self.share)
            )
            self._free[place] = starts[place] + spent
        return max(starts) - now

    def complain(self) -> None:
        """Note an answer with 429 or 5xx."""
        self.share = max(_LEAST, self.share / 2)

    def praise(self) -> None:
        """Note a good answer."""
        self.share = min(1.0, self.share + 0.1 / self.at_once)
