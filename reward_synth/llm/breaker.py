"""Leaves a server alone that fails again and again.

After M. Nygard, "Release It!" (2007): closed, open, and half open with one probe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from reward_synth.errors import UsageError


class Breaker:
    """Stops calls after ``calls`` that failed one after another, for a while.

    Afterwards one call may try; if it fails too, the pause begins again. Safe to use
    from several threads.

    Example:
        >>> breaker = Breaker(calls=2, cooldown=30.0, clock=lambda: 100.0)
        >>> breaker.record("HTTP 500"); breaker.record("HTTP 503")
        >>> breaker.refusal()
        'not asked: the last 2 calls failed (HTTP 503); asked again in 30 s'

    Args:
        calls: How many calls must fail, one after another; each was repeated already.
        cooldown: Seconds of the pause.
        clock: Seconds, from any start.
    """

    def __init__(
        self,
        calls: int = 3,
        cooldown: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if calls < 1 or not cooldown > 0:
            raise UsageError(
                "A circuit breaker needs at least 1 call and a pause above 0 seconds; "
                f"got {calls} and {cooldown}."
            )
        self.calls = calls
        self.cooldown = cooldown
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._said = ""
        self._until = 0.0

    def refusal(self) -> str | None:
        """Return why no call may be made now, or None: make it, and record it."""
        with self._lock:
            if self._failed < self.calls:
                return None
            left = self._until - self._clock()
            if left <= 0:  # half open: whoever asks first tries, the others wait
                self._until = self._clock() + self.cooldown
                return None
            return (
                f"not asked: the last {self._failed} calls failed ({self._said}); "
                f"asked again in {left:.0f} s"
            )

    def record(self, failure: str) -> None:
        """Count a call that was made; an empty ``failure`` closes the circuit."""
        with self._lock:
            self._failed = self._failed + 1 if failure else 0
            self._said = failure
            if failure and self._failed >= self.calls:
                self._until = self._clock() + self.cooldown
