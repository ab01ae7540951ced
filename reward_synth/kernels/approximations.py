"""Elementary functions as straight-line code that vectorises, with stated error bounds.

The range reductions are those of Cody and Waite, "Software Manual for the Elementary Functions" (1980).
``ERROR_BOUNDS`` states what the tests check over the whole range of each type.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reward_synth.kernels import coefficients as c
from reward_synth.kernels.coefficients import DOUBLE, SINGLE
from reward_synth.kernels.lanes import (
    Lane,
    clamp,
    pick,
    polynomial,
    power_of_two,
    split_power,
)

ERROR_BOUNDS: dict[str, tuple[float, float]] = {
    "exp": (1.3e-7, 2.5e-16),
    "expm1": (1.0e-7, 8.0e-16),
    "log": (1.2e-7, 2.5e-16),
    "log1p": (1.0e-7, 5.0e-16),
    "log2": (1.0e-7, 4.0e-16),
    "log10": (1.0e-7, 4.0e-16),
    "tanh": (4.0e-7, 4.5e-16),
    "sinh": (1.0e-7, 8.0e-16),
    "cosh": (1.0e-7, 6.0e-16),
    "sin": (2.0e-7, 5.0e-16),
    "cos": (2.0e-7, 5.0e-16),
    "tan": (1.0e-7, 8.0e-16),
    "arcsin": (4.0e-7, 7.0e-16),
    "arccos": (4.0e-7, 7.0e-16),
    "arctan": (3.0e-7, 5.0e-16),
    "arctan2": (3.5e-7, 6.0e-16),
    "hypot": (1.0e-7, 4.5e-16),
    "power": (1.0e-7, 2.0e-13),
    "mod": (0.0, 0.0),
    "floor_divide": (0.0, 0.0),
    "minimum": (0.0, 0.0),
    "maximum": (0.0, 0.0),
    "sqrt": (0.0, 0.0),
    "floor": (0.0, 0.0),
    "ceil": (0.0, 0.0),
    "abs": (0.0, 0.0),
    "sign": (0.0, 0.0),
}
"""Largest relative error in float32 and in float64, over the whole range of each.

Subnormal results: relative to the smallest normal number. 0 means NumPy's result in
float64, rounded once. Angles beyond ``FAR`` may be off by one rounding on top.
"""
FAR = 1e6
"""Up to here ``sin``, ``cos`` and ``tan`` reduce their argument without loss."""


def exp(x: Lane) -> Lane:
    """Return e to the ``x``."""
    bounded = clamp(x, *c.EXP_RANGE[x.bits])
    n = (bounded * c.LOG2_E).call("llvm.rint")
    high, low = c.LN2[x.bits]
    r = (bounded - n * high) - n * low
    value = (r * r * polynomial(r, c.EXP[x.bits]) + r) + 1.0
    half = (n * 0.5).call("llvm.floor")  # two factors, so that neither overflows
    return value * power_of_two(half) * power_of_two(n - half)


def expm1(x: Lane) -> Lane:
    """Return e to the ``x``, less one."""
    small = x * x * polynomial(x, c.EXP[x.bits]) + x
    value = pick(abs(x) < c.SMALL, small, exp(x) - 1.0)
    return value.call("llvm.copysign", x)  # keeps -0.0


def log(x: Lane) -> Lane:
    """Return the natural logarithm."""
    tiny = x < c.SMALLEST_NORMAL[x.bits]
    lift = c.LIFT[x.bits]
    exponent, m = split_power(pick(tiny, x * 2.0**lift, x))
    large = m > math.sqrt(2.0)
    m = pick(large, m * 0.5, m)
    exponent = exponent + pick(large, x.const(1.0), 0.0)
    exponent = exponent - pick(tiny, x.const(float(lift)), 0.0)
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    high, low = c.LN2[x.bits]
    rest = s * z * polynomial(z, c.LOG[x.bits]) + exponent * low
    # f = 2 s + s f, which keeps what 2 s alone would round away
    value = (exponent * high) + (f - (s * f - rest))
    value = pick(x.compare("==", 0.0), x.const(-math.inf), value)
    value = pick(x.compare("==", math.inf), x.const(math.inf), value)
    return pick((x < 0.0).either(x.isnan()), x.const(math.nan), value)


def log1p(x: Lane) -> Lane:
    """Return ``log(1 + x)``, exact for small ``x``."""
    u = x + 1.0
    lost = u - 1.0
    value = log(u) * pick(lost.compare("==", 0.0), x.const(1.0), x / lost)
    value = pick(lost.compare("==", 0.0), x, value)
    return pick(u.compare("==", math.inf), u, value)


def tanh(x: Lane) -> Lane:
    """Return the hyperbolic tangent."""
    if x.bits == SINGLE:
        numerator, denominator = c.TANH_SINGLE
        t = clamp(x, -c.TANH_LIMIT[SINGLE], c.TANH_LIMIT[SINGLE])
        z = t * t
        value = t * polynomial(z, numerator) / polynomial(z, denominator)
        return clamp(value, -1.0, 1.0)
    z = x * x
    small = x + x * z * polynomial(z, c.TANH_DOUBLE)
    a = clamp(abs(x), 0.0, c.TANH_LIMIT[DOUBLE])
    large = 1.0 - 2.0 / (exp(a * 2.0) + 1.0)
    return pick(abs(x) < c.TANH_SMALL, small, large).call("llvm.copysign", x)


def sinh(x: Lane) -> Lane:
    """Return the hyperbolic sine."""
    a = abs(x)
    near = expm1(a)
    small = 0.5 * (near + near / (near + 1.0))
    h = exp(a * 0.5)
    value = pick(a < 1.0, small, (h * 0.5) * h - 0.5 / h / h)
    return value.call("llvm.copysign", x)


def cosh(x: Lane) -> Lane:
    """Return the hyperbolic cosine."""
    h = exp(abs(x) * 0.5)
    return (h * 0.5) * h + 0.5 / h / h


def _quadrant(x: Lane) -> tuple[Lane, Lane]:
    """Return ``x`` less a multiple of pi / 2, in double, and the multiple modulo 4."""
    wide = x.to(DOUBLE)
    k = (wide * (2.0 / math.pi)).call("llvm.rint")
    rest = wide
    for part in c.HALF_PI:
        rest = rest - k * part
    quadrant = k - 4.0 * (k * 0.25).call("llvm.floor")
    # Far from 0 the difference is noise; keep it where the polynomials hold.
    return clamp(rest, -c.TURN, c.TURN), quadrant


def _wave(x: Lane, shift: float) -> Lane:
    """Return ``sin(x + shift * pi / 2)``."""
    rest, quadrant = _quadrant(x)
    quadrant = quadrant + shift
    wrapped = pick(quadrant.compare("==", 4.0), quadrant - 4.0, quadrant)
    r = rest.to(x.bits)
    z = r * r
    sine = r + r * z * polynomial(z, c.SIN[x.bits])
    cosine = (1.0 - 0.5 * z) + z * z * polynomial(z, c.COS[x.bits])
    odd = wrapped.compare("==", 1.0).either(wrapped.compare("==", 3.0))
    value = pick(odd, cosine, sine)
    return pick(wrapped > 1.0, -value, value)


def sin(x: Lane) -> Lane:
    """Return the sine."""
    return pick(x.compare("==", 0.0), x, _wave(x, 0.0))  # keeps -0.0


def cos(x: Lane) -> Lane:
    """Return the cosine."""
    return _wave(x, 1.0)


def tan(x: Lane) -> Lane:
    """Return the tangent."""
    return sin(x) / cos(x)


def _arctan_unit(t: Lane) -> Lane:
    """Return arctan of ``t`` in [0, 1]."""
    far = t > math.tan(math.pi / 8)
    u = pick(far, (t - 1.0) / (t + 1.0), t)
    z = u * u
    value = u + u * z * polynomial(z, c.ATAN[t.bits])
    return value + pick(far, t.const(math.pi / 4), 0.0)


def arctan(x: Lane) -> Lane:
    """Return the arc tangent."""
    a = abs(x)
    far = a > 1.0
    value = _arctan_unit(pick(far, 1.0 / a, a))
    value = pick(far, math.pi / 2 - value, value)
    return value.call("llvm.copysign", x)


def arctan2(y: Lane, x: Lane) -> Lane:
    """Return the angle of the point ``(x, y)``."""
    a, b = abs(y), abs(x)
    steep = a > b
    longer, shorter = pick(steep, a, b), pick(steep, b, a)
    t = shorter / longer
    t = pick(longer.compare("==", 0.0), t.const(0.0), t)
    t = pick(shorter.compare("==", math.inf), t.const(1.0), t)
    value = _arctan_unit(t)
    value = pick(steep, math.pi / 2 - value, value)
    value = pick(x.sign_bit(), math.pi - value, value).call("llvm.copysign", y)
    return pick(x.isnan().either(y.isnan()), x + y, value)


def _leg(x: Lane) -> Lane:
    return ((1.0 - x) * (1.0 + x)).call("llvm.sqrt")


def arcsin(x: Lane) -> Lane:
    """Return the arc sine; NaN beyond [-1, 1]."""
    return arctan2(x, _leg(x))


def arccos(x: Lane) -> Lane:
    """Return the arc cosine; NaN beyond [-1, 1]."""
    return arctan2(_leg(x), x)


def hypot(x: Lane, y: Lane) -> Lane:
    """Return the length of the vector ``(x, y)`` without overflow."""
    a, b = abs(x), abs(y)
    longer = pick(a > b, a, b)
    t = pick(a > b, b, a) / longer
    value = longer * (t * t + 1.0).call("llvm.sqrt")
    value = pick(longer.compare("==", 0.0), longer, value)
    infinite = a.compare("==", math.inf).either(b.compare("==", math.inf))
    value = pick(x.isnan().either(y.isnan()), x + y, value)
    return pick(infinite, x.const(math.inf), value)


def power(x: Lane, y: Lane) -> Lane:
    """Return ``x`` to the ``y``, as C's pow treats signs, zeros and infinities."""
    size = exp(y * log(abs(x)))
    whole = y.call("llvm.rint").compare("==", y)
    odd = whole.both((y * 0.5).call("llvm.rint").compare("!=", y * 0.5))
    negative = x.sign_bit()
    value = pick(negative.both(odd), -size, size)
    bad = (x < 0.0).both(whole.make(whole.builder.not_(whole.value)))
    value = pick(bad.both(x.compare("!=", -math.inf)), x.const(math.nan), value)
    unit = abs(x).compare("==", 1.0).both(abs(y).compare("==", math.inf))
    one = unit.either(y.compare("==", 0.0)).either(x.compare("==", 1.0))
    return pick(one, x.const(1.0), value)


def widened(function: Callable[..., Lane]) -> Callable[..., Lane]:
    """Compute in double, whatever the type: for functions that lose digits."""

    def wide(*args: Lane) -> Lane:
        return function(*(item.to(DOUBLE) for item in args)).to(args[0].bits)

    return wide
