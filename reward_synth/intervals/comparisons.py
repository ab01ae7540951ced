"""What tests make of intervals: intervals of truth values, 0 and 1."""

from __future__ import annotations

from collections.abc import Callable

from reward_synth.intervals.interval import EITHER, NO, YES, Interval


def _less(a: Interval, b: Interval, same: bool = False) -> Interval:
    if a.empty or b.empty or same or a.low >= b.high:
        return NO
    return YES if a.high < b.low and not (a.nan or b.nan) else EITHER


def _less_equal(a: Interval, b: Interval, same: bool = False) -> Interval:
    if a.empty or b.empty or a.low > b.high:
        return NO
    sure = a.high <= b.low or same
    return YES if sure and not (a.nan or b.nan) else EITHER


def _equal(a: Interval, b: Interval, same: bool = False) -> Interval:
    apart = a.low > b.high or b.low > a.high or _zero_apart(a, b) or _zero_apart(b, a)
    if a.empty or b.empty or apart:
        return NO
    sure = same or (a.low == a.high == b.low == b.high)
    return YES if sure and not (a.nan or b.nan) else EITHER


def _zero_apart(a: Interval, b: Interval) -> bool:
    return a.hole and b.low == b.high == 0.0


def _isnan(x: Interval) -> Interval:
    if not x.nan:
        return NO
    return YES if x.empty else EITHER


def _isfinite(x: Interval) -> Interval:
    if x.empty or (x.low == x.high and x.infinite):
        return NO
    return EITHER if x.nan or x.infinite else YES


def _not(x: Interval) -> Interval:
    return Interval(1.0 - x.high, 1.0 - x.low)


def _and(a: Interval, b: Interval, _: bool = False) -> Interval:
    return Interval(min(a.low, b.low), min(a.high, b.high))


def _or(a: Interval, b: Interval, _: bool = False) -> Interval:
    return Interval(max(a.low, b.low), max(a.high, b.high))


TESTS: dict[str, Callable[..., Interval]] = {
    "less": _less,
    "less_equal": _less_equal,
    "greater": lambda a, b, same=False: _less(b, a, same),
    "greater_equal": lambda a, b, same=False: _less_equal(b, a, same),
    "equal": _equal,
    "not_equal": lambda a, b, same=False: _not(_equal(a, b, same)),
    "isnan": _isnan,
    "isfinite": _isfinite,
    "logical_and": _and,
    "logical_or": _or,
    "logical_not": _not,
}
"""Operation to rule; those of two arguments are told whether both are one value."""
