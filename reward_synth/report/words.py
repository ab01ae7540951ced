"""Numbers as people read them: short, with units, and honest about what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

MISSING = "\N{EN DASH}"
"""Stands where there is no number."""
TO = "\N{EN DASH}"
"""Stands between the ends of an interval."""
MINUS = "\N{MINUS SIGN}"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LARGE, _EXACT = 10_000, 1000
METRICS: Mapping[str, str] = {
    "success_any": "Success at any step",
    "success_last": "Success at the last step",
    "env_return": "Return of the environment",
}
"""What agents are measured by, and its heading."""


def number(value: float | None) -> str:
    """Return about three digits of a number.

    Example:
        >>> [number(x) for x in (0.12345, 12.345, 1234.5, 2_000_000, 0)]
        ['0.123', '12.3', '1234', '2 M', '0']
        >>> number(None) == number(math.nan) == MISSING
        True
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) >= _LARGE:
        return count(value)
    return f"{value:.0f}" if abs(value) >= _EXACT else f"{value:.3g}"


def count(value: float | None) -> str:
    """Return a large number with a letter for thousands, millions or billions.

    Example:
        >>> [count(x) for x in (950, 200_000, 2_400_000, 1e9)]
        ['950', '200 k', '2.4 M', '1 G']
    """
    if value is None or not math.isfinite(value):
        return MISSING
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def percent(value: float | None) -> str:
    """Return a share in percent.

    Example:
        >>> [percent(x) for x in (0.934, 0.0, 1.0)]
        ['93 %', '0 %', '100 %']
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{100 * value:.0f} %"


def fraction(value: float) -> str:
    """Return a number between 0 and 1 with two digits.

    Example:
        >>> fraction(0.0031)
        '0.00'
    """
    return f"{value:.2f}" if math.isfinite(value) else MISSING


def measured(metric: str, value: float | None) -> str:
    """Return a value of one of :data:`METRICS` in its unit.

    Example:
        >>> measured("success_any", 0.5), measured("env_return", 0.5)
        ('50 %', '0.5')
    """
    return percent(value) if metric.startswith("success") else number(value)


def points(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign.

    Example:
        >>> points(0.1), points(0.004), points(0.0), points(-0.06) == f"{MINUS}6"
        ('+10', '+0.4', '0', True)
    """
    if not math.isfinite(share):
        return MISSING
    value = 100 * share
    told = f"{value:+.{1 if abs(value) < 1 else 0}f}"
    return "0" if float(told) == 0 else told.replace("-", MINUS)


def span(low: float | None, high: float | None, *, share: bool = True) -> str:
    """Return the two ends of an interval.

    Example:
        >>> span(0.71, 0.934) == f"71{TO}93 %", span(None, 1.0)
        (True, '')
    """
    if low is None or high is None or not math.isfinite(low + high):
        return ""
    if share:
        return f"{100 * low:.0f}{TO}{100 * high:.0f} %"
    return f"{number(low)}{TO}{number(high)}"


def duration(seconds: float) -> str:
    """Return a time span in its two largest units.

    Example:
        >>> [duration(x) for x in (4.2, 75, 3700, 200_000)]
        ['4.2 s', '1 min 15 s', '1 h 1 min', '2 d 7 h']
    """
    if not math.isfinite(seconds):
        return MISSING
    whole = round(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
    if whole >= _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    if whole >= _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{seconds:.2g} s"


def moment(seconds: float) -> str:
    """Return a time in UTC.

    Example:
        >>> moment(0.0)
        '1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def plural(number_of: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> plural(1, "seed"), plural(3, "seed")
        ('1 seed', '3 seeds')
    """
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"


def cut(name: str, most: int = 17) -> str:
    """Return a name that fits.

    Example:
        >>> cut("a very long name of a design")
        'a very long name…'
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"


def short(digest: str) -> str:
    """Return enough of a digest to tell programs apart.

    Example:
        >>> short("c0ffee00c0ffee00")
        'c0ffee00'
    """
    return digest[:8]
