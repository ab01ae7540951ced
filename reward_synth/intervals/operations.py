"""What each operation of a graph makes of intervals.

Sums, products, quotients and roots are rounded as the reference rounds them, which
keeps order, so their ends need no room. Functions that libraries compute get a little.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np

from reward_synth.intervals.comparisons import TESTS
from reward_synth.intervals.interval import ALL, ANY, NEVER, Interval, around

Rule = Callable[..., Interval]
_ROOM = 4e-15
"""Relative error that libraries may make: some units in the last place."""
_TURN = 2.0 * math.pi
_EXACT_ANGLE = 1e6
"""Above it, where a wave turns is not told from its argument."""


def operation(op: str, args: list[Interval], *, same: bool = False) -> Interval:
    """Return what an operation may give.

    Args:
        op: Its name in the language.
        args: What its arguments may be.
        same: Whether both arguments are one and the same value.

    Example:
        >>> print(operation("multiply", [Interval(-2.0, 1.0)] * 2))
        [-2, 4]
        >>> print(operation("multiply", [Interval(-2.0, 1.0)] * 2, same=True))
        [0, 4]
    """
    if op in TESTS:
        return TESTS[op](*args, same) if len(args) > 1 else TESTS[op](*args)
    nan = any(item.nan for item in args)
    if op in _LOOSE and nan:  # these may make numbers of NaN
        return _LOOSE[op](*args)
    if any(item.empty for item in args):
        return NEVER.or_nan(nan)
    if same and op in _SAME:
        return _SAME[op](args[0]).or_nan(nan)
    rule = _RULES.get(op)
    return rule(*args).or_nan(nan) if rule else ALL.or_nan()


def _rising(call: Callable[[float], float], low: float, high: float) -> Rule:
    """A function that never falls, whose values lie between ``low`` and ``high``."""

    def rule(x: Interval) -> Interval:
        ends = _ends(call, x)
        return Interval(max(low, ends.low), min(high, ends.high))

    return rule


def _ends(call: Callable[[float], float], x: Interval) -> Interval:
    with np.errstate(all="ignore"):
        low, high = float(call(x.low)), float(call(x.high))
    return _roomy(low, high)


def _roomy(low: float, high: float) -> Interval:
    lower = low if math.isinf(low) else low - _ROOM * abs(low)
    return Interval(lower, high if math.isinf(high) else high + _ROOM * abs(high))


def _within(rule: Rule, low: float, high: float) -> Rule:
    """A function that is NaN outside its domain."""
    domain = Interval(low, high)

    def limited(x: Interval) -> Interval:
        inside = x.meet(domain)
        outside = x.low < low or x.high > high
        return (NEVER if inside.empty else rule(inside)).or_nan(outside)

    return limited


def _exactly(call: Callable[[float], float]) -> Rule:
    """A function that never falls and that every library rounds alike."""
    return lambda x: Interval(float(call(x.low)), float(call(x.high)))


def _negative(x: Interval) -> Interval:
    return Interval(-x.high, -x.low, hole=x.hole)


def _abs(x: Interval) -> Interval:
    low = 0.0 if x.low <= 0.0 <= x.high else min(abs(x.low), abs(x.high))
    return Interval(low, x.size, hole=x.hole).trimmed()


def _cosh(x: Interval) -> Interval:
    ends = _ends(np.cosh, _abs(x))
    return Interval(max(1.0, ends.low), ends.high)


def _square(x: Interval) -> Interval:
    part = _abs(x)
    return Interval(part.low * part.low, part.high * part.high)


def _add(a: Interval, b: Interval) -> Interval:
    low, high = a.low + b.low, a.high + b.high
    nan = (a.low == -math.inf and b.high == math.inf) or (
        a.high == math.inf and b.low == -math.inf
    )
    return Interval(
        -math.inf if math.isnan(low) else low,
        math.inf if math.isnan(high) else high,
        nan,
    )


def _subtract(a: Interval, b: Interval) -> Interval:
    return _add(a, _negative(b))


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0.0 or y == 0.0 else x * y


def _multiply(a: Interval, b: Interval) -> Interval:
    nan = (a.zero and b.infinite) or (b.zero and a.infinite)
    return around((_times(x, y) for x, y in _corners(a, b)), nan)


def _corners(a: Interval, b: Interval) -> product[tuple[float, float]]:
    return product((a.low, a.high), (b.low, b.high))


def _divide(a: Interval, b: Interval) -> Interval:
    nan = (a.zero and b.zero) or (a.infinite and b.infinite)
    if b.low <= 0.0 <= b.high:
        return ALL.or_nan(nan)
    ends = [end for x, y in _corners(a, b) for end in _quotients(x, y)]
    return around(ends, nan)


def _quotients(x: float, y: float) -> tuple[float, ...]:
    if math.isinf(x) and math.isinf(y):
        return 0.0, math.copysign(1.0, y) * x
    return (x / y,)


def _floor_divide(a: Interval, b: Interval) -> Interval:
    """NumPy takes off the remainder first, which may give one less than the floor."""
    exact = _divide(a, b)
    nan = exact.nan or b.zero or a.infinite
    return Interval(_floor(exact.low) - 1.0, _floor(exact.high), nan)


def _floor(value: float) -> float:
    return float(np.floor(value))


def _mod(a: Interval, b: Interval) -> Interval:
    nan = b.zero or a.infinite
    if not nan and a.low >= 0.0 and a.high < b.low:
        return a
    return Interval(min(0.0, b.low), max(0.0, b.high), nan)


def _power(x: Interval, y: Interval) -> Interval:
    """It rises or falls along each side of the box, so the corners hold its ends."""
    if x.zero and y.low < 0.0:  # of zero, whose sign is not known
        return ALL.or_nan(x.low < 0.0)
    if x.low >= 0.0:
        ends = around(_raised(a, b) for a, b in _corners(x, y))
        return _roomy(max(0.0, ends.low), ends.high)
    if y.constant and y.low.is_integer():
        return _whole_power(x, y.low)
    sizes = _power(_abs(x), y)
    return Interval(-sizes.high, sizes.high, nan=True)


def _raised(x: float, y: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(x), np.float64(y)))


def _whole_power(x: Interval, y: float) -> Interval:
    sizes = _power(_abs(x), Interval.point(y))
    if y % 2 == 0.0:
        return sizes
    if y < 0.0 and x.low <= 0.0 <= x.high:
        return ALL
    return _roomy(*sorted((_raised(x.low, y), _raised(x.high, y))))


def _hypot(a: Interval, b: Interval) -> Interval:
    x, y = _abs(a), _abs(b)
    ends = _roomy(math.hypot(x.low, y.low), math.hypot(x.high, y.high))
    return Interval(max(0.0, ends.low), ends.high)


def _arctan2(y: Interval, x: Interval) -> Interval:
    """Off the cut, which is the negative half of the first axis, corners hold the ends."""
    if x.low > 0.0 or y.low > 0.0 or y.high < 0.0:
        ends = around(math.atan2(b, a) for a, b in _corners(x, y))
        return _roomy(ends.low, ends.high)
    return _roomy(-math.pi, math.pi)


def _wave(call: Callable[[float], float], peak: float) -> Rule:
    """Sine or cosine: 1 at ``peak`` and every turn after it, -1 half a turn away."""

    def rule(x: Interval) -> Interval:
        if x.size > _EXACT_ANGLE:
            return Interval(-1.0, 1.0, x.infinite)
        ends = sorted((call(x.low), call(x.high)))
        low = -1.0 if _meets(x, peak + math.pi) else max(-1.0, ends[0] - _ROOM)
        high = 1.0 if _meets(x, peak) else min(1.0, ends[1] + _ROOM)
        return Interval(low, high)

    return rule


def _meets(x: Interval, place: float, period: float = _TURN) -> bool:
    """Tell whether ``place``, or a whole number of periods after it, is in ``x``."""
    room = _ROOM * (1.0 + x.size)
    first = place + period * math.ceil((x.low - room - place) / period)
    return first <= x.high + room


def _tan(x: Interval) -> Interval:
    if x.size > _EXACT_ANGLE or _meets(x, math.pi / 2.0, math.pi):
        return ANY.or_nan(x.infinite)
    return _ends(np.tan, x)


def _minimum(a: Interval, b: Interval) -> Interval:
    return Interval(min(a.low, b.low), min(a.high, b.high))


def _maximum(a: Interval, b: Interval) -> Interval:
    return Interval(max(a.low, b.low), max(a.high, b.high))


def _falling_arccos(x: Interval) -> Interval:
    return _roomy(math.acos(x.high), math.acos(x.low))


_SAME: dict[str, Rule] = {
    "multiply": _square,
    "subtract": lambda x: Interval.point(0.0).or_nan(x.infinite),
    "divide": lambda x: Interval.point(1.0).or_nan(x.zero or x.infinite),
}
_LOOSE: dict[str, Rule] = {
    "hypot": lambda *_: Interval(0.0, math.inf, nan=True),
    "power": lambda *_: ALL.or_nan(),
}
_INF = math.inf
_RULES: dict[str, Rule] = {
    "negative": _negative,
    "positive": lambda x: x,
    "abs": _abs,
    "square": _square,
    "sign": _exactly(np.sign),
    "floor": _exactly(np.floor),
    "ceil": _exactly(np.ceil),
    "sqrt": _within(_exactly(np.sqrt), 0.0, _INF),
    "exp": _rising(np.exp, 0.0, _INF),
    "expm1": _rising(np.expm1, -1.0, _INF),
    "log": _within(_rising(np.log, -_INF, _INF), 0.0, _INF),
    "log2": _within(_rising(np.log2, -_INF, _INF), 0.0, _INF),
    "log10": _within(_rising(np.log10, -_INF, _INF), 0.0, _INF),
    "log1p": _within(_rising(np.log1p, -_INF, _INF), -1.0, _INF),
    "tanh": _rising(np.tanh, -1.0, 1.0),
    "sinh": _rising(np.sinh, -_INF, _INF),
    "cosh": _cosh,
    "sin": _wave(math.sin, math.pi / 2.0),
    "cos": _wave(math.cos, 0.0),
    "tan": _tan,
    "arcsin": _within(_rising(np.arcsin, -_INF, _INF), -1.0, 1.0),
    "arccos": _within(_falling_arccos, -1.0, 1.0),
    "arctan": _rising(np.arctan, -_INF, _INF),
    "arctan2": _arctan2,
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "floor_divide": _floor_divide,
    "mod": _mod,
    "power": _power,
    "hypot": _hypot,
    "minimum": _minimum,
    "maximum": _maximum,
}
