"""Formulas keep their stated error over the whole range, and IEEE's special values."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reward_synth.kernels.approximations import ERROR_BOUNDS, FAR
from reward_synth.kernels.intrinsics import FORMULAS, TESTS, intrinsics

Floats = npt.NDArray[Any]
TYPES = (np.float32, np.float64)
WAVES = ("sin", "cos", "tan")
EXACT = [name for name, bounds in ERROR_BOUNDS.items() if bounds == (0.0, 0.0)]
BOUNDED = [name for name in ERROR_BOUNDS if name not in EXACT]
LONG = np.finfo(np.longdouble).eps < 1e-18
ROUNDED_ZERO = ("minimum", "maximum")  # NumPy leaves open which zero they return


@cache
def compiled(name: str) -> Callable[..., None]:
    """One loop over arrays, with the flags of kernels."""
    import numba

    count = FORMULAS[name][0]
    names = "abc"[:count]
    given = ", ".join(f"{item}[i]" for item in names)
    text = f"def run({', '.join(names)}, out):\n"
    text += f"    for i in range(out.size):\n        out[i] = formula({given})\n"
    table: dict[str, Any] = {"formula": intrinsics()[name]}
    exec(text, table)
    loop: Callable[..., None] = table["run"]
    flags: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
    return numba.njit(loop, **flags)  # type: ignore[no-any-return]  # untyped


def values_of(name: str, *args: Floats) -> Floats:
    out = np.empty(args[0].size, np.bool_ if name in TESTS else args[0].dtype)
    compiled(name)(*args, out)
    return out


def special(dtype: Any) -> Floats:
    """Signed zeros, infinities, NaN, both ends of the range, and where formulas switch."""
    f = np.finfo(dtype)
    ends = [0, np.inf, f.max, f.max / 2, f.tiny, f.tiny * 0.7, f.smallest_subnormal]
    units = [1, 0.5, 2, 3, 20, 1 / 3, f.eps, np.pi, np.pi / 2, np.pi / 4, 1e5, 1e10]
    switches = [
        0.35,
        0.55,
        math.tan(np.pi / 8),
        math.sqrt(2),
        8.3,
        88.7,
        104,
        709.7,
        746,
    ]
    edge = np.array([*ends, *units, *switches], np.float64).astype(dtype)
    with np.errstate(over="ignore"):
        beside = [np.nextafter(edge, dtype(end)) for end in (0, np.inf)]
    positive = np.concatenate([edge, *beside])
    return np.concatenate([positive, -positive, [dtype(np.nan)]])


def spread(dtype: Any, count: int = 60_000) -> Floats:
    """Numbers of every size, and many where functions bend."""
    rng = np.random.default_rng(0)
    whole = np.uint32 if dtype is np.float32 else np.uint64
    bits = rng.integers(0, np.iinfo(whole).max, count, whole, endpoint=True)
    scales = (1e-3, 0.3, 1.0, 10.0, 100.0, 1e4)
    usual = [rng.normal(size=count) * scale for scale in scales]
    near_one = 1 + rng.normal(size=count) * 10 ** rng.uniform(-16, -1, count)
    tiny = rng.uniform(-2, 2, count) * float(np.finfo(dtype).tiny)
    parts = [*usual, near_one, -near_one, tiny]
    return np.concatenate(
        [special(dtype), bits.view(dtype), *(part.astype(dtype) for part in parts)]
    )


def waves(dtype: Any) -> Floats:
    """The numbers closest to each multiple of pi / 2 up to ``FAR``."""
    quarter = np.pi / 2 * np.arange(1, int(FAR / (np.pi / 2)))
    return quarter.astype(dtype)


def pairs(dtype: Any) -> tuple[Floats, Floats]:
    """Every pair of special values, and random ones of like and unlike size."""
    edges = special(dtype)
    left, right = map(np.ravel, np.meshgrid(edges, edges))
    rng = np.random.default_rng(1)
    one = spread(dtype)
    other = rng.permutation(one)
    with np.errstate(all="ignore"):
        close = (np.abs(one) * (1 + rng.normal(size=one.size) * 0.1)).astype(dtype)
    whole = np.round(rng.normal(size=one.size) * 3).astype(dtype)
    first = [left, one, one, np.exp(rng.normal(size=one.size) * 3).astype(dtype), whole]
    second = [right, other, close, other, rng.permutation(whole)]
    return np.concatenate(first), np.concatenate(second)


def arguments(name: str, dtype: Any) -> tuple[Floats, ...]:
    if FORMULAS[name][0] > 1:
        return pairs(dtype)
    if name in WAVES:
        return (np.concatenate([spread(dtype), waves(dtype)]),)
    return (spread(dtype),)


def expected(name: str, args: tuple[Floats, ...]) -> Floats:
    wide = np.float64 if args[0].dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        result = getattr(np, name)(*(item.astype(wide) for item in args))
    return np.asarray(result)


def error_share(
    name: str, got: Floats, right: Floats, args: tuple[Floats, ...]
) -> Floats:
    """Errors of finite results as a share of what is allowed."""
    info = np.finfo(got.dtype)
    error: Floats = np.abs(got.astype(right.dtype) - right)
    allowed: Floats = np.maximum(np.abs(right), info.tiny)
    allowed *= ERROR_BOUNDS[name][info.bits == 64]
    if name in WAVES:
        far = np.abs(args[0]) > FAR
        allowed[far] += np.abs(args[0][far].astype(right.dtype)) * info.eps
        if name == "tan":  # far from 0, compare angles: it is steep
            error[far] = turned(got[far].astype(right.dtype), right[far])
    share: Floats = error / allowed
    return share


def turned(one: Floats, other: Floats) -> Floats:
    apart = np.abs(np.arctan(one) - np.arctan(other))
    return np.asarray(np.minimum(apart, np.pi - apart))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", BOUNDED)
def test_errors_are_within_the_stated_bounds(name: str, dtype: Any) -> None:
    """Relative errors are at most ``ERROR_BOUNDS``; NaN and infinity are where NumPy's are."""
    if dtype is np.float64 and not LONG:
        pytest.skip("needs a longdouble that is wider than float64")
    args = arguments(name, dtype)
    got, right = values_of(name, *args), expected(name, args)
    with np.errstate(over="ignore"):
        rounded = right.astype(dtype)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(got[~finite], rounded[~finite])
    assert np.isfinite(got[finite]).all()
    args = tuple(item[finite] for item in args)
    share = error_share(name, got[finite], right[finite], args)
    worst = share.argmax()
    assert share[worst] <= 1, [item[worst] for item in args]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", EXACT)
def test_exact_formulas_equal_numpy(name: str, dtype: Any) -> None:
    """A bound of 0 means NumPy's result in float64, rounded to the type."""
    args = arguments(name, dtype)
    with np.errstate(all="ignore"):
        right = getattr(np, name)(*(item.astype(np.float64) for item in args))
        right = right.astype(dtype)
    got = values_of(name, *args)
    np.testing.assert_array_equal(got, right)
    if name not in ROUNDED_ZERO:
        known = ~np.isnan(right)
        np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(right[known]))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", BOUNDED)
def test_special_values_and_signs_of_zero_are_those_of_ieee(
    name: str, dtype: Any
) -> None:
    """Zeros, infinities and results such as arctan2(-0, -1) = -pi have the right sign."""
    edges = special(dtype)
    args: tuple[Floats, ...] = (edges,)
    if FORMULAS[name][0] > 1:
        args = tuple(np.ravel(item) for item in np.meshgrid(edges, edges))
    if name in WAVES:
        args = (edges[~(np.abs(edges) > FAR)],)
    got = values_of(name, *args)
    with np.errstate(all="ignore"):
        right = expected(name, args).astype(dtype)
    known = ~np.isnan(right)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(right[known]))


@pytest.mark.parametrize("dtype", TYPES)
def test_arctan2_has_every_branch_of_c(dtype: Any) -> None:
    """On the axes and at infinity the angle is the multiple of pi / 4 that C names."""
    inf = np.inf
    cases = (
        (0.0, -1.0, np.pi),
        (-0.0, -1.0, -np.pi),
        (0.0, -0.0, np.pi),
        (-0.0, -0.0, -np.pi),
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (inf, inf, np.pi / 4),
        (inf, -inf, 3 * np.pi / 4),
        (-inf, -inf, -3 * np.pi / 4),
        (1.0, -inf, np.pi),
        (-1.0, inf, -0.0),
        (1.0, 0.0, np.pi / 2),
    )
    y, x, right = (np.array(side, dtype) for side in zip(*cases, strict=True))
    got = values_of("arctan2", y, x)
    np.testing.assert_allclose(got, right, rtol=np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(right))


@pytest.mark.parametrize("dtype", TYPES)
def test_tests_and_choices_are_exact(dtype: Any) -> None:
    """``isnan``, ``isfinite`` and ``select`` are NumPy's, also for NaN and infinity."""
    x = spread(dtype)
    np.testing.assert_array_equal(values_of("isnan", x), np.isnan(x))
    np.testing.assert_array_equal(values_of("isfinite", x), np.isfinite(x))
    test, other = np.isnan(x) | (x > 0), x[::-1].copy()
    out = np.empty_like(x)
    compiled("select")(test, x, other, out)
    np.testing.assert_array_equal(out, np.where(test, x, other))


def test_truth_values_are_combined_as_in_python() -> None:
    """``both`` is *and*, ``either`` is *or*."""
    a, b = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    np.testing.assert_array_equal(values_of("both", a, b), a & b)
    np.testing.assert_array_equal(values_of("either", a, b), a | b)


def test_every_formula_has_a_bound() -> None:
    """A formula that gives a number is in the table; those that choose need no bound."""
    assert set(FORMULAS) - set(ERROR_BOUNDS) == {*TESTS, "select"}
