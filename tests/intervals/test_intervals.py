"""Intervals hold what the reference computes, and are narrow where that is of use."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.graph import Entry, Graph, add_function
from reward_synth.intervals import (
    ANY,
    Interval,
    bounded,
    bounds,
    component_bounds,
    entry_ranges,
    operation,
    total_of,
)
from reward_synth.language import FUNCTIONS, FunctionIR, evaluate, parse
from reward_synth.language.functions import BINARY, COMPARE, UNARY
from reward_synth.reward import Array
from reward_synth.task import Field, TaskSpec
from tests.programs import TASK, programs

ENDS = (-math.inf, -2.5, -1.0, -0.0, 0.0, 1e-300, 0.5, 1.0, 2.0, 3.0, 1e200, math.inf)
FAR = math.inf


def holds(found: Interval, value: float) -> bool:
    """Libraries differ in the last digits of a result, which 1e-9 is far above."""
    if math.isnan(value) or math.isinf(value):
        return found.holds(value)
    room = 1e-9 * max(1.0, abs(value))
    return found.low - room <= value <= found.high + room


def reward_of(source: str, task: TaskSpec = TASK) -> FunctionIR:
    parsed = parse(source, task)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def box(function: FunctionIR, rng: np.random.Generator) -> dict[Entry, Interval]:
    """Ranges about zero of several widths; some are points."""
    ranges: dict[Entry, Interval] = {}
    for name, field in function.parameters:
        for entry in range(field.size):
            low = float(rng.choice([-1.0, -0.5, 0.0, 0.25, rng.normal()]))
            width = float(rng.choice([0.0, 0.5, 1.0, 3.0]))
            ends = (0.0, 1.0) if field.dtype == "bool" else (low, low + width)
            ranges[name, entry] = Interval(*ends)
    return ranges


def state(
    function: FunctionIR, ranges: dict[Entry, Interval], rng: np.random.Generator
) -> dict[str, Array]:
    """Values inside their ranges, often at an end."""
    values: dict[str, Array] = {}
    for name, field in function.parameters:
        row = []
        for entry in range(field.size):
            item = ranges[name, entry]
            share = float(rng.choice([0.0, 1.0, rng.random()]))
            share = round(share) if field.dtype == "bool" else share
            row.append(item.low + share * (item.high - item.low))
        values[name] = np.array(row).reshape(field.shape)
    return values


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=programs(), seed=st.integers(0, 2**31))
def test_every_output_lies_in_its_interval(source: str, seed: int) -> None:
    """For inputs within the ranges, outputs are within theirs; NaN only if flagged."""
    function, rng = reward_of(source), np.random.default_rng(seed)
    graph = Graph()
    outputs = add_function(graph, function)
    ranges = box(function, rng)
    found = bounds(graph, ranges)
    for _ in range(10):
        result = evaluate(function, state(function, ranges, rng))
        for name, node in zip(function.outputs, outputs, strict=True):
            assert holds(found[node], result[name]), (name, result, found[node])


@st.composite
def members(draw: st.DrawFn) -> tuple[Interval, float]:
    """An interval and one of its values."""
    ends = st.sampled_from(ENDS) | st.floats(-9.0, 9.0)
    low, high = sorted(
        (draw(ends), draw(ends)), key=lambda x: (x, math.copysign(1.0, x))
    )
    nan = draw(st.booleans())
    inside = st.floats(low, high) | st.sampled_from((low, high))
    return Interval(low, high, nan), draw(inside | st.just(math.nan) if nan else inside)


@settings(max_examples=2000, deadline=None)
@given(
    op=st.sampled_from((*UNARY, *BINARY, *COMPARE, "isnan", "isfinite")),
    pair=st.tuples(members(), members()),
    same=st.booleans(),
)
def test_every_operation_keeps_its_values(
    op: str, pair: tuple[tuple[Interval, float], tuple[Interval, float]], same: bool
) -> None:
    """Each operation's rule holds the reference's value, also at zeros and infinities."""
    given_ = (pair[:1] * 2 if same else pair)[: FUNCTIONS[op].most]
    found = operation(op, [item for item, _ in given_], same=same and len(given_) > 1)
    with np.errstate(all="ignore"):
        value = float(FUNCTIONS[op].evaluate(*(np.float64(x) for _, x in given_)))
    assert holds(found, value), (found, value)


@pytest.mark.parametrize("op", ["logical_and", "logical_or", "logical_not"])
def test_truth_values_combine_as_numbers(op: str) -> None:
    """Of known truth values the result is known, and is what the reference gives."""
    for a in (False, True):
        for b in (False, True):
            given_ = (a, b)[: FUNCTIONS[op].most]
            found = operation(op, [Interval.point(float(item)) for item in given_])
            assert found == Interval.point(float(FUNCTIONS[op].evaluate(*given_)))


FIELD = Field("x", low=(-2.0,), high=(3.0,))
LINE = TaskSpec(
    "Line", "go", (FIELD, replace(FIELD, name="y"), Field("z")), Field("action", (2,))
)
SHARP = {
    "a square": ("x * x", 0.0, 9.0),
    "a power": ("x ** 2 + 1.0", 1.0, 10.0),
    "a length": ("np.sqrt(x * x + y * y)", 0.0, math.sqrt(18.0)),
    "an unknown length": ("np.sqrt(z * z)", 0.0, FAR),
    "a difference of one value": ("x - x", 0.0, 0.0),
    "a clipped unknown": ("np.clip(z, -1.0, 0.5)", -1.0, 0.5),
    "a squashed unknown": ("2.0 * np.tanh(z)", -2.0, 2.0),
    "a falling exponential": ("np.exp(-abs(x))", math.exp(-3.0), 1.0),
    "a guarded divisor": ("1.0 / np.maximum(abs(x), 0.5)", 1.0 / 3.0, 2.0),
    "a share": ("x / (np.sqrt(x * x + y * y) + 1e-6)", -1.0, 1.0),
    "a part": ("abs(x) / (abs(x) + 1e-6)", 0.0, 1.0),
    "a decided test": ("1.0 if x > 4.0 else 2.0", 2.0, 2.0),
    "an open test": ("1.0 if x > 2.0 else 2.0", 1.0, 2.0),
    "a guarded quotient": ("1.0 / x if x > 0.5 else 0.0", 0.0, 2.0),
    "the other side": ("0.0 if x <= 0.5 else 1.0 / x", 0.0, 2.0),
    "a denied guard": ("1.0 / x if not x <= 0.5 else 0.0", 0.0, 2.0),
    "two guards": ("1.0 / x if x > 0.5 and y > 0.5 else 0.0", 0.0, 2.0),
    "either guard": ("0.0 if x < 0.5 or y < 0.5 else 1.0 / x", 0.0, 2.0),
    "a guard by size": ("np.sqrt(x + 1) if abs(x) < 1.0 else 0.0", 0.0, math.sqrt(2)),
    "the smaller": ("min(x, 0.5)", -2.0, 0.5),
    "a wave's top": ("np.sin(x)", -1.0, 1.0),
    "part of a wave": ("np.cos(0.5 * abs(x))", math.cos(1.5), 1.0),
    "an unknown truth": ("1.0 * (z > 0.5)", 0.0, 1.0),
    "a guard of NaN": ("0.0 if np.isnan(np.sqrt(x)) else 1.0", 0.0, 1.0),
}


@pytest.mark.parametrize(("expression", "low", "high"), SHARP.values(), ids=SHARP)
def test_typical_forms_are_bounded_sharply(
    expression: str, low: float, high: float
) -> None:
    """With x and y in [-2, 3] and z unknown, the ends are those of the formula."""
    function = reward_of(
        f"def compute_reward(x, y, z):\n    return {{'a': {expression}}}", LINE
    )
    found = component_bounds(function, LINE)["a"]
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert not found.nan


def test_an_early_return_guards_what_comes_after() -> None:
    """After ``if x < 0.5: return``, x is at least 0.5: 1 / x lies in [1/3, 2]."""
    text = (
        "def compute_reward(x):\n"
        "    if x < 0.5:\n"
        "        return {'a': 1.0}\n"
        "    return {'a': 1.0 / x}\n"
    )
    found = component_bounds(reward_of(text, LINE), LINE)["a"]
    assert (found.low, found.high) == pytest.approx((1.0 / 3.0, 2.0))


@pytest.mark.parametrize(
    ("expression", "nan"),
    [("np.sqrt(x)", True), ("np.sqrt(x + 2.0)", False), ("0.0 * (1.0 / x)", True),
     ("z - z", False), ("np.log(x + 2.0)", False), ("np.arccos(x)", True)],
)  # fmt: skip
def test_nan_is_flagged_where_it_can_be(expression: str, nan: bool) -> None:
    """x in [-2, 3] may be negative, 1 / x infinite; x + 2 is not negative; z is finite."""
    text = f"def compute_reward(x, z):\n    return {{'a': {expression}}}"
    assert component_bounds(reward_of(text, LINE), LINE)["a"].nan == nan


RANGES = {
    "nothing": (Field("x"), ANY, (False, False, False)),
    "declared": (
        Field("x", low=(-1.0,), high=(2.0,), seen_low=(0.0,), seen_high=(1.0,)),
        Interval(-1.0, 2.0),
        (True, False, False),
    ),
    "seen": (
        Field("x", seen_low=(1.0,), seen_high=(3.0,)),
        Interval(-1.0, 5.0),
        (True, True, False),
    ),
    "seen, one declared end": (
        Field("x", low=(0.0,), high=(FAR,), seen_low=(1.0,), seen_high=(3.0,)),
        Interval(0.0, 5.0),
        (True, True, False),
    ),
    "seen outside what is declared": (
        Field("x", low=(0.0,), high=(1.0,), seen_low=(-0.5,), seen_high=(1.0,)),
        Interval(-0.5, 1.0),
        (True, False, False),
    ),
    "seen still": (
        Field("x", seen_low=(3.0,), seen_high=(3.0,)),
        Interval(0.0, 6.0),
        (True, True, False),
    ),
    "declared without end": (
        Field("x", low=(-FAR,), high=(FAR,)),
        ANY,
        (False, False, True),
    ),
    "truth": (Field("x", dtype="bool"), Interval(0.0, 1.0), (True, False, False)),
}


@pytest.mark.parametrize(("field", "interval", "marks"), RANGES.values(), ids=RANGES)
def test_ranges_come_from_bounds_or_widened_rollouts(
    field: Field, interval: Interval, marks: tuple[bool, bool, bool]
) -> None:
    """Declared bounds hold; a seen range grows by its width, within declared ends.

    What never moved grows by its own size on both sides.
    """
    task = TaskSpec("T", "go", (field,), Field("action", (2,)))
    ir = reward_of("def compute_reward(x):\n    return {'a': 1.0 * x}", task)
    found = entry_ranges(ir, task)["x", 0]
    assert found.interval == interval
    assert (found.known, found.measured, found.free) == marks


def test_the_total_is_that_of_one_state() -> None:
    """x and 1 - x sum to at most their own bounds' sum; the total of one is its own."""
    text = "def compute_reward(x):\n    return {'a': 2.0 * x, 'b': 1.0}"
    found = component_bounds(reward_of(text, LINE), LINE)
    assert list(found) == ["a", "b", "total"]
    assert (found["total"].low, found["total"].high) == (-3.0, 7.0)
    graph = Graph()
    assert total_of(graph, [graph.load(("x", 0))]) == 0


def test_what_nothing_bounds_has_infinite_ends() -> None:
    """A field without a range is a finite number of any size, so z is unbounded."""
    text = "def compute_reward(z):\n    return {'a': z}"
    found = component_bounds(reward_of(text, LINE), LINE)["a"]
    assert (found.low, found.high) == (-FAR, FAR)
    assert not bounded(found)


def test_many_tests_take_no_longer_than_programs_may() -> None:
    """Beyond a number of tests, sides are no longer refined: still sound, never slow."""
    tests = "".join(
        f"    t += 1.0 / x if x > 0.{i + 1:03d} else 0.0\n" for i in range(200)
    )
    text = f"def compute_reward(x):\n    t = 0.0\n{tests}    return {{'a': t}}\n"
    found = component_bounds(reward_of(text, LINE), LINE)["a"]
    assert found.holds(sum(1.0 / 3.0 for _ in range(200)))


def test_what_hardly_moved_is_not_taken_as_fixed() -> None:
    """A height that trembled by a micrometre may still change by its own size, at least
    by 1: [0.02, 0.020001] grows to [0.02 - 1, 0.020001 + 1]."""
    field = Field("height", seen_low=(0.02,), seen_high=(0.020001,))
    task = TaskSpec("T", "lift", (field,), Field("action"))
    parsed = parse("def compute_reward(height):\n    return {'a': height}", task)
    assert parsed.ir is not None
    assert parsed.ir.reward is not None
    found = entry_ranges(parsed.ir.reward, task)["height", 0].interval
    assert (found.low, found.high) == pytest.approx((-0.98, 1.020001))
