"""A set of values between two ends, and whether NaN may be among them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

LARGEST = sys.float_info.max
"""The largest number that is not infinity."""
SMALLEST = 5e-324
"""The smallest number above zero."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What a value may be.

    An infinite end says that the value may be infinite; a number that is finite but
    otherwise unknown lies between the largest floats, see :data:`ANY`.

    Example:
        >>> Interval(0.0, 1.0).holds(0.5), Interval(0.0, 1.0).holds(float("nan"))
        (True, False)
        >>> print(Interval(0.0, 1.0))
        [0, 1]
    """

    low: float
    """The smallest value; above ``high`` if there is none at all."""
    high: float
    """The largest value."""
    nan: bool = False
    """Whether it may be NaN."""
    hole: bool = False
    """True if it is never zero, though zero lies between the ends."""

    @classmethod
    def point(cls, value: float) -> Interval:
        """Return the interval of one value.

        Example:
            >>> Interval.point(2.0)
            Interval(low=2.0, high=2.0, nan=False, hole=False)
        """
        return NEVER.or_nan() if math.isnan(value) else cls(value, value)

    @property
    def empty(self) -> bool:
        """True if no number is in it: it is NaN, or nothing ever gets there."""
        return self.low > self.high

    @property
    def constant(self) -> bool:
        """True if it is one number."""
        return self.low == self.high and not self.nan

    @property
    def infinite(self) -> bool:
        """True if it may be infinite."""
        return not self.empty and (math.isinf(self.low) or math.isinf(self.high))

    @property
    def zero(self) -> bool:
        """True if it may be zero."""
        return self.low <= 0.0 <= self.high and not self.hole

    @property
    def size(self) -> float:
        """The largest distance from zero; 0 if no number is in it."""
        return 0.0 if self.empty else max(abs(self.low), abs(self.high))

    def holds(self, value: float) -> bool:
        """Tell whether it may be ``value``."""
        if math.isnan(value):
            return self.nan
        return self.low <= value <= self.high and (value != 0.0 or not self.hole)

    def or_nan(self, nan: bool = True) -> Interval:
        """Return the same with NaN, if ``nan``."""
        return Interval(self.low, self.high, True, self.hole) if nan else self

    def join(self, other: Interval) -> Interval:
        """Return what holds the values of both.

        Example:
            >>> print(Interval(0.0, 1.0).join(Interval.point(3.0)))
            [0, 3]
        """
        ends = min(self.low, other.low), max(self.high, other.high)
        hole = not (self.zero or other.zero) and ends[0] < 0.0 < ends[1]
        return Interval(*ends, self.nan or other.nan, hole)

    def meet(self, other: Interval) -> Interval:
        """Return the values that are in both.

        Example:
            >>> print(Interval(-1.0, 1.0).meet(Interval(0.0, 3.0)))
            [0, 1]
        """
        low, high = max(self.low, other.low), min(self.high, other.high)
        nan = self.nan and other.nan
        if low > high:
            return NEVER.or_nan(nan)
        return Interval(low, high, nan, self.hole or other.hole).trimmed()

    def trimmed(self) -> Interval:
        """Move an end at zero off it, if it is never zero."""
        low = SMALLEST if self.hole and self.low == 0.0 else self.low
        high = -SMALLEST if self.hole and self.high == 0.0 else self.high
        if low > high:
            return NEVER.or_nan(self.nan)
        return Interval(low, high, self.nan, self.hole and low < 0.0 < high)

    def __str__(self) -> str:
        """Return the ends as people write them; ends beyond all use as infinite."""
        if self.empty:
            return "NaN" if self.nan else "nothing"
        return f"[{_shown(self.low)}, {_shown(self.high)}]{' or NaN' * self.nan}"


def _shown(value: float) -> str:
    whole = math.copysign(math.inf, value) if abs(value) == LARGEST else value
    return f"{whole + 0.0:.4g}"  # a zero without its sign


NEVER = Interval(math.inf, -math.inf)
"""No value."""
ANY = Interval(-LARGEST, LARGEST)
"""A finite number of which nothing is known."""
ALL = Interval(-math.inf, math.inf)
"""A number of which nothing is known."""
NO, YES, EITHER = Interval(0.0, 0.0), Interval(1.0, 1.0), Interval(0.0, 1.0)
"""Truth values: 0 is false, 1 is true."""


def around(values: Iterable[float], nan: bool = False) -> Interval:
    """Return the smallest interval that holds ``values``; they are not NaN.

    Example:
        >>> print(around([3.0, 1.0, 2.0]))
        [1, 3]
    """
    given = list(values)
    return Interval(min(given), max(given), nan)
