"""The one layer that repeats a request: when, and after which pause."""

from __future__ import annotations

import email.utils
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reward_synth.errors import UsageError
from reward_synth.llm.answer import Answer
from reward_synth.llm.breaker import Breaker
from reward_synth.llm.chat import PASSING

LEAST_SHARE = 0.1
_drawing = threading.Lock()
MOST_BAD_RESPONSES = 2
"""An answer that cannot be read is asked for once more, as it may cost money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long one call tries.

    The pause before attempt k+1 is ``u * base * 2**(k-1)``, at most ``cap``, and never
    shorter than the server asks. ``u`` is drawn evenly from 0.1 to 1 once a call, so
    that callers spread over nearly the whole range ("full jitter") while the pauses of
    each call double.

    Example:
        >>> policy = RetryPolicy(rng=np.random.default_rng(0), base=1.0)
        >>> 0 <= policy.pause([Answer("rate_limited")], elapsed=0.0) <= 1.0
        True
        >>> policy.pause([Answer("rejected")], elapsed=0.0) is None
        True
    """

    rng: np.random.Generator = field(repr=False, compare=False)
    """Where the jitter comes from."""
    attempts: int = 5
    """Most HTTP requests for one completion."""
    base: float = 0.5
    """Longest first pause in seconds, unless the server asks for more."""
    cap: float = 20.0
    """Longest pause in seconds, unless the server asks for more."""
    deadline: float = 300.0
    """Seconds for the whole call, pauses included."""
    breaker_calls: int = 3
    """Calls that fail one after another before the server is left alone."""
    breaker_pause: float = 30.0
    """Seconds for which it is left alone."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    """Seconds since the epoch, for a ``Retry-After`` that gives a date."""

    def __post_init__(self) -> None:
        """Check that the policy allows at least one attempt."""
        if self.attempts < 1:
            raise UsageError(
                f"attempts must be at least 1; got {self.attempts}. "
                "Use 1 to send every request once."
            )
        for name in ("base", "cap", "deadline", "breaker_pause"):
            if not getattr(self, name) > 0:
                raise UsageError(
                    f"{name} must be above 0 seconds; got {getattr(self, name)}."
                )

    def breaker(self) -> Breaker:
        """Return a new circuit breaker, for one server."""
        return Breaker(self.breaker_calls, self.breaker_pause, self.clock)

    def jitter(self) -> float:
        """Return a call's share of the longest pauses, in [0.1, 1)."""
        with _drawing:  # NumPy's generators are not made for several threads
            return float(self.rng.uniform(LEAST_SHARE, 1.0))

    def pause(
        self, tried: Sequence[Answer], elapsed: float, jitter: float | None = None
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or None to stop.

        A pause that would pass the deadline ends the call at once: nothing is won
        by waiting for an attempt that cannot be made.

        Args:
            tried: Every attempt so far, the last one failed.
            elapsed: Seconds since the call began.
            jitter: The call's share of the longest pauses; None: a new one.
        """
        if len(tried) >= self.attempts or not _worth_repeating(tried):
            return None
        longest = min(self.cap, self.base * 2.0 ** min(len(tried) - 1, 30))
        share = self.jitter() if jitter is None else jitter
        wait = max(share * longest, tried[-1].retry_after or 0.0)
        return wait if elapsed + wait < self.deadline else None


def read_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a server asks to wait; None if it does not ask.

    Args:
        headers: Header names in lower case, and their values.
        now: Seconds since the epoch, to which a date is compared.

    Example:
        >>> read_retry_after({"retry-after-ms": "1500"}, now=0.0)
        1.5
        >>> read_retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 20.0)
        40.0
        >>> read_retry_after({"retry-after": "soon"}, now=0.0) is None
        True
    """
    millis = _seconds(headers.get("retry-after-ms", ""))
    if millis is not None:
        return millis / 1000.0
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    return seconds if seconds is not None else _until(value, now)


def _worth_repeating(tried: Sequence[Answer]) -> bool:
    if tried[-1].status == "bad_response":
        bad = sum(answer.status == "bad_response" for answer in tried)
        return bad < MOST_BAD_RESPONSES
    return tried[-1].status in PASSING


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(text: str, now: float) -> float | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(0.0, date.timestamp() - now)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
