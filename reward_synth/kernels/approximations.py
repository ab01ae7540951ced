"""Elementary functions as straight-line code that vectorises, with stated error bounds.

The coefficients are least-maximum fits on the stated intervals; the range reductions are
those of Cody and Waite, "Software Manual for the Elementary Functions" (1980).
``ERROR_BOUNDS`` states what the tests check over the whole range of each type.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reward_synth.kernels.lanes import (
    Lane,
    clamp,
    pick,
    polynomial,
    power_of_two,
    split_power,
)

SINGLE, DOUBLE = 32, 64
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
_LOG2_E = 1.4426950408889634
_LN2 = {
    SINGLE: (0.693359375, -2.1219444005469057e-4),
    DOUBLE: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
"""ln 2 in two parts; products of the first with small whole numbers are exact."""
_EXP = {
    SINGLE: (
        0.5000000028409456,
        0.1666657336070661,
        0.041666364599281074,
        0.008363776180969373,
        0.0013942067555476004,
    ),
    DOUBLE: (
        0.5,
        0.1666666666666667,
        0.041666666666666685,
        0.008333333333325544,
        0.0013888888888873275,
        0.00019841269876866074,
        2.4801587349980198e-05,
        2.7557252831650474e-06,
        2.7557250382370476e-07,
        2.5106275410699606e-08,
        2.092243761701362e-09,
    ),
}
"""(e^r - 1 - r) / r² on |r| <= 0.35."""
_EXP_RANGE = {SINGLE: (-104.0, 89.0), DOUBLE: (-746.0, 710.0)}
"""Beyond it the result is 0 or infinity."""
_LOG = {
    SINGLE: (
        0.6666666654353419,
        0.4000013039341016,
        0.2854988181690467,
        0.23355374436639245,
    ),
    DOUBLE: (
        0.6666666666666666,
        0.4000000000000102,
        0.2857142857071721,
        0.22222222410966555,
        0.18181793615419944,
        0.15386348195148147,
        0.13265908553580358,
        0.13116179863344857,
    ),
}
"""(log((1 + s) / (1 - s)) - 2 s) / s³ in s² on |s| <= 0.174."""
_SMALLEST_NORMAL = {SINGLE: 2.0**-126, DOUBLE: 2.0**-1022}
_LIFT = {SINGLE: 24, DOUBLE: 54}
"""Subnormal numbers are multiplied by two to this power before their bits are read."""
_TANH_SINGLE = (
    (
        0.9999999906960358,
        0.13425909785406026,
        0.003549214948351592,
        2.1509209817056084e-05,
        1.4649163487873638e-08,
    ),
    (
        1.0,
        0.46759234644254477,
        0.026080126298186474,
        0.00033740237043068856,
        8.295497340046993e-07,
    ),
)
"""tanh(x) / x in x² on |x| <= 8.3, numerator and denominator."""
_TANH_DOUBLE = (
    -0.3333333333333333,
    0.13333333333333314,
    -0.05396825396822167,
    0.02186948853414054,
    -0.00886323546490617,
    0.003592126797067545,
    -0.0014558193575059139,
    0.000589906903131146,
    -0.00023847909054921682,
    9.456699729834707e-05,
    -3.374259170895869e-05,
    7.887362867259128e-06,
)
"""(tanh(x) / x - 1) / x² in x² on |x| <= 0.55."""
_HALF_PI = (
    1.57079632673412561417e00,
    6.07710050630396597660e-11,
    2.02226624879595063154e-21,
)
"""pi / 2 in three parts of 33 bits."""
_SIN = {
    SINGLE: (
        -0.16666666663838187,
        0.008333331867538589,
        -0.00019840082694031863,
        2.7249387532670735e-06,
    ),
    DOUBLE: (
        -0.16666666666666666,
        0.008333333333333331,
        -0.0001984126984126502,
        2.7557319219303236e-06,
        -2.505210621993634e-08,
        1.6058529632250325e-10,
        -7.586579839754638e-13,
    ),
}
_COS = {
    SINGLE: (0.04166666465214841, -0.0013888301303981144, 2.45475354235958e-05),
    DOUBLE: (
        0.041666666666666664,
        -0.0013888888888888887,
        2.480158730158462e-05,
        -2.755731922138277e-07,
        2.087675578410103e-09,
        -1.1470459779656696e-11,
        4.745806515993386e-14,
    ),
}
_ATAN = {
    SINGLE: (
        -0.3333333179438663,
        0.199995431626325,
        -0.14263934104306172,
        0.10742620189931446,
        -0.06446075273564475,
    ),
    DOUBLE: (
        -0.3333333333333333,
        0.19999999999999796,
        -0.14285714285657555,
        0.11111111104914181,
        -0.09090908740654634,
        0.0769229598272101,
        -0.06666417515084788,
        0.05878841007213458,
        -0.05229785352987267,
        0.04548458524998074,
        -0.03448805799948949,
        0.01619248152840613,
    ),
}
"""(atan(t) / t - 1) / t² in t² on |t| <= tan(pi / 8)."""
_SMALL = 0.35
_TANH_SMALL = 0.55
_TANH_LIMIT = {SINGLE: 8.3, DOUBLE: 20.0}
_TURN = 0.8
"""A little more than pi / 4."""


def exp(x: Lane) -> Lane:
    """Return e to the ``x``."""
    bounded = clamp(x, *_EXP_RANGE[x.bits])
    n = (bounded * _LOG2_E).call("llvm.rint")
    high, low = _LN2[x.bits]
    r = (bounded - n * high) - n * low
    value = (r * r * polynomial(r, _EXP[x.bits]) + r) + 1.0
    half = (n * 0.5).call("llvm.floor")  # two factors, so that neither overflows
    return value * power_of_two(half) * power_of_two(n - half)


def expm1(x: Lane) -> Lane:
    """Return e to the ``x``, less one."""
    small = x * x * polynomial(x, _EXP[x.bits]) + x
    value = pick(abs(x) < _SMALL, small, exp(x) - 1.0)
    return value.call("llvm.copysign", x)  # keeps -0.0


def log(x: Lane) -> Lane:
    """Return the natural logarithm."""
    tiny = x < _SMALLEST_NORMAL[x.bits]
    lift = _LIFT[x.bits]
    exponent, m = split_power(pick(tiny, x * 2.0**lift, x))
    large = m > math.sqrt(2.0)
    m = pick(large, m * 0.5, m)
    exponent = exponent + pick(large, x.const(1.0), 0.0)
    exponent = exponent - pick(tiny, x.const(float(lift)), 0.0)
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    high, low = _LN2[x.bits]
    rest = s * z * polynomial(z, _LOG[x.bits]) + exponent * low
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
        numerator, denominator = _TANH_SINGLE
        t = clamp(x, -_TANH_LIMIT[SINGLE], _TANH_LIMIT[SINGLE])
        z = t * t
        value = t * polynomial(z, numerator) / polynomial(z, denominator)
        return clamp(value, -1.0, 1.0)
    z = x * x
    small = x + x * z * polynomial(z, _TANH_DOUBLE)
    a = clamp(abs(x), 0.0, _TANH_LIMIT[DOUBLE])
    large = 1.0 - 2.0 / (exp(a * 2.0) + 1.0)
    return pick(abs(x) < _TANH_SMALL, small, large).call("llvm.copysign", x)


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
    for part in _HALF_PI:
        rest = rest - k * part
    quadrant = k - 4.0 * (k * 0.25).call("llvm.floor")
    # Far from 0 the difference is noise; keep it where the polynomials hold.
    return clamp(rest, -_TURN, _TURN), quadrant


def _wave(x: Lane, shift: float) -> Lane:
    """Return ``sin(x + shift * pi / 2)``."""
    rest, quadrant = _quadrant(x)
    quadrant = quadrant + shift
    wrapped = pick(quadrant.compare("==", 4.0), quadrant - 4.0, quadrant)
    r = rest.to(x.bits)
    z = r * r
    sine = r + r * z * polynomial(z, _SIN[x.bits])
    cosine = (1.0 - 0.5 * z) + z * z * polynomial(z, _COS[x.bits])
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
    value = u + u * z * polynomial(z, _ATAN[t.bits])
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
