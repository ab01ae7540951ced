"""What the text of a kernel may call: our formulas as functions that numba inlines."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from reward_synth.kernels import approximations as near
from reward_synth.kernels.lanes import Lane, pick

Formula = Callable[..., Lane]
_HALF = 0.5


def minimum(a: Lane, b: Lane) -> Lane:
    """Return the smaller one; NaN if either is NaN."""
    return pick(a.isnan(), a, pick(a < b, a, b))


def maximum(a: Lane, b: Lane) -> Lane:
    """Return the larger one; NaN if either is NaN."""
    return pick(a.isnan(), a, pick(a > b, a, b))


def sign(x: Lane) -> Lane:
    """Return -1, 0 or 1; NaN stays NaN."""
    unit = x.const(1.0).call("llvm.copysign", x)
    return pick((x < 0.0).either(x > 0.0), unit, pick(x.isnan(), x, 0.0))


def isfinite(x: Lane) -> Lane:
    """Tell whether ``x`` is neither NaN nor infinite."""
    return abs(x) < float("inf")


def _remainder(a: Lane, b: Lane) -> tuple[Lane, Lane]:
    """Return C's fmod, and whether NumPy's mod adds ``b`` to it."""
    rest = a.make(a.builder.frem(a.value, b.value))
    less, below = rest < 0.0, b < 0.0
    apart = rest.make(rest.builder.xor(less.value, below.value))
    return rest, apart.both(rest.compare("!=", 0.0))


def mod(a: Lane, b: Lane) -> Lane:
    """Return the remainder with the sign of ``b``, as NumPy does."""
    rest, apart = _remainder(a, b)
    nothing = b.const(0.0).call("llvm.copysign", b)
    value = pick(apart, rest + b, rest)
    return pick(rest.compare("==", 0.0), nothing, value)


def floor_divide(a: Lane, b: Lane) -> Lane:
    """Return the floor of ``a / b``, as NumPy does."""
    rest, apart = _remainder(a, b)
    quotient = (a - rest) / b
    quotient = pick(apart, quotient - 1.0, quotient)
    whole = quotient.call("llvm.floor")
    whole = pick(quotient - whole > _HALF, whole + 1.0, whole)
    nothing = quotient.const(0.0).call("llvm.copysign", a / b)
    value = pick(quotient.compare("==", 0.0), nothing, whole)
    return pick(b.compare("==", 0.0), a / b, value)


def _simple(name: str) -> Formula:
    return lambda x: x.call(f"llvm.{name}")


_wide = near.widened
FORMULAS: dict[str, tuple[int, Formula]] = {
    "exp": (1, near.exp),
    "expm1": (1, _wide(near.expm1)),
    "log": (1, near.log),
    "log1p": (1, _wide(near.log1p)),
    "log2": (1, _wide(lambda x: near.log(x) * 1.4426950408889634)),
    "log10": (1, _wide(lambda x: near.log(x) * 0.4342944819032518)),
    "tanh": (1, near.tanh),
    "sinh": (1, _wide(near.sinh)),
    "cosh": (1, _wide(near.cosh)),
    "sin": (1, near.sin),
    "cos": (1, near.cos),
    "tan": (1, _wide(near.tan)),
    "arcsin": (1, near.arcsin),
    "arccos": (1, near.arccos),
    "arctan": (1, near.arctan),
    "arctan2": (2, near.arctan2),
    "hypot": (2, _wide(near.hypot)),
    "power": (2, _wide(near.power)),
    "mod": (2, _wide(mod)),
    "floor_divide": (2, _wide(floor_divide)),
    "minimum": (2, minimum),
    "maximum": (2, maximum),
    "sqrt": (1, _simple("sqrt")),
    "floor": (1, _simple("floor")),
    "ceil": (1, _simple("ceil")),
    "abs": (1, abs),
    "sign": (1, sign),
    "isnan": (1, Lane.isnan),
    "isfinite": (1, isfinite),
    "select": (3, pick),
    "both": (2, Lane.both),
    "either": (2, Lane.either),
}
"""Name in the text to the number of arguments and the formula."""
TESTS = ("isnan", "isfinite", "both", "either")
"""Those that give a truth value."""


def _comparison(symbol: str) -> Callable[..., Lane]:
    return lambda a, b: a.compare(symbol, b)


OPERATIONS: dict[str, Formula] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "logical_not": Lane.opposite,
    "logical_and": Lane.both,
    "logical_or": Lane.either,
    "less": _comparison("<"),
    "less_equal": _comparison("<="),
    "greater": _comparison(">"),
    "greater_equal": _comparison(">="),
    "equal": _comparison("=="),
    "not_equal": _comparison("!="),
    **{name: formula for name, (_, formula) in FORMULAS.items()},
}
"""An operation of the graph to what it does."""


@lru_cache(maxsize=1)
def intrinsics() -> dict[str, Any]:
    """Return every formula as a function that numba compiles in place.

    They cannot be called from Python itself.

    Example:
        >>> sorted(intrinsics())[:3]
        ['abs', 'arccos', 'arcsin']
    """
    return {name: _intrinsic(name, *entry) for name, entry in FORMULAS.items()}


@lru_cache(maxsize=1)
def flatten() -> Any:
    """Return what kernels read an argument with: an array without gaps, or a number."""
    from numba import types  # noqa: PLC0415 - takes seconds to import
    from numba.extending import overload  # noqa: PLC0415 - the same

    def flat(value: Any) -> Any:
        return value

    # numba compares argument lists, annotations included: lambdas have none
    def chosen(value: Any) -> Any:
        if not isinstance(value, types.Array):
            return lambda value: np.full(1, value)
        if value.layout == "C":  # read by its address and size alone
            return lambda value: value
        return lambda value: value.ravel()

    overload(flat)(lambda value: chosen(value))  # noqa: PLW0108 - for that reason
    return flat


def _intrinsic(name: str, arity: int, formula: Formula) -> Any:
    from numba.core import types  # noqa: PLC0415 - takes seconds to import
    from numba.extending import intrinsic  # noqa: PLC0415 - the same

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return formula(*(Lane(builder, item) for item in args)).value

    def declare(*given: Any) -> Any:
        result = types.boolean if name in TESTS else given[-1]
        return result(*given), generate

    if arity == 1:
        return intrinsic(lambda _typing, a: declare(a))
    if arity == 2:  # noqa: PLR2004 - an arity
        return intrinsic(lambda _typing, a, b: declare(a, b))
    return intrinsic(lambda _typing, a, b, c: declare(a, b, c))
