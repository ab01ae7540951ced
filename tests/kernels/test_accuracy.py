"""Kernels are as exact as their type allows, for every construct and every input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reward_synth.graph import CONST, LOAD, SELECT, Graph, Node, add_function
from reward_synth.kernels import RewardKernel
from reward_synth.kernels.approximations import ERROR_BOUNDS
from reward_synth.kernels.compile import compile_batch
from reward_synth.kernels.emit import DType, Layout
from reward_synth.kernels.kernel import run_machine
from reward_synth.kernels.plan import Plan
from reward_synth.language import FUNCTIONS, FunctionIR, parse
from reward_synth.language.functions import BINARY, COMPARE, UNARY
from tests.programs import TASK, programs

Floats = npt.NDArray[Any]
TOLERANCE: dict[DType, float] = {"float32": 1e-5, "float64": 1e-12}
TRUTHS = ("logical_and", "logical_or", "logical_not")
ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -1e30, 1e-40, -1e-45)
COUNT, GUARD = 64, 32


@dataclass(frozen=True)
class Known:
    """One node's value in float64, and how far rounding in the type can move it."""

    value: Floats
    error: Floats
    """Infinite where rounding can reach another branch or leave the function's domain."""


def interpret(graph: Graph, values: Mapping[str, Floats], dtype: DType) -> list[Known]:
    """Evaluate all nodes."""
    count = len(next(iter(values.values())))
    known: list[Known] = []
    for node in graph.nodes:
        args = [known[number] for number in node.args]
        value, error = _node(node, args, values, count)
        known.append(Known(value, error + _rounding(node, value, dtype)))
    return known


def largest(known: list[Known]) -> Floats:
    """Return the largest finite size of any value, a number a state."""
    values = np.array([item.value for item in known], np.float64)
    return np.asarray(
        np.max(np.where(np.isfinite(values), np.abs(values), 0.0), axis=0)
    )


def _node(
    node: Node, args: list[Known], values: Mapping[str, Floats], count: int
) -> tuple[Floats, Floats]:
    if node.op == CONST:
        return np.full(count, node.value), np.zeros(count)
    if node.op == LOAD:
        name, entry = node.entry
        column = values[name].reshape(count, -1)[:, entry]
        return column.astype(np.float64), np.zeros(count)
    if node.op == SELECT:
        test, yes, no = args
        error = np.where(test.value, yes.error, no.error) + test.error
        return np.where(test.value, yes.value, no.value), error
    value = FUNCTIONS[node.op].evaluate(*(item.value for item in args))
    return value, _reach(node, args, value)


def _reach(node: Node, args: list[Known], value: Floats) -> Floats:
    """How far the result moves when the arguments move by their errors."""
    if node.op in TRUTHS:
        return np.asarray(sum(item.error for item in args))
    worst = np.zeros(len(value))
    for signs in product((-1.0, 0.0, 1.0), repeat=len(args)):
        moved = [_moved(item, sign) for item, sign in zip(args, signs, strict=True)]
        other = FUNCTIONS[node.op].evaluate(*moved)
        same = (other == value) | (np.isnan(other) & np.isnan(value))
        apart = np.inf if node.kind == "bool" else np.abs(other - value)
        apart = np.where(np.isnan(apart), np.inf, apart)
        worst = np.maximum(worst, np.where(same, 0.0, apart))
    if node.op in ("equal", "not_equal"):
        one, two = args
        close = np.abs(one.value - two.value) <= one.error + two.error
        worst[close & (one.error + two.error > 0)] = np.inf
    lost = np.any([np.isinf(item.error) for item in args], axis=0)
    return np.where(lost, np.inf, worst)


def _moved(item: Known, sign: float) -> Floats:
    if sign == 0 or item.value.dtype == np.bool_:
        return item.value
    return np.where(item.error > 0, item.value + sign * item.error, item.value)


def _rounding(node: Node, value: Floats, dtype: DType) -> Floats:
    """The error of the operation itself; infinite where the type overflows."""
    if node.kind == "bool" or node.op in (LOAD, SELECT):
        return np.zeros(len(value))
    info = np.finfo(dtype)
    bound = ERROR_BOUNDS.get(node.op, (0.0, 0.0))[dtype == "float64"]
    size = np.abs(value)
    error = max(bound, float(info.eps) / 2) * size + float(info.tiny)
    error = np.where(size > 0.99 * info.max, np.inf, error)
    return np.where(np.isfinite(value) & (size > 0), error, 0.0)


def function_of(source: str) -> FunctionIR:
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def states(seed: int, scale: float, odd: float) -> dict[str, Floats]:
    """Values that float32 holds exactly, some of them odd."""
    rng, values = np.random.default_rng(seed), dict[str, Floats]()
    for name, item in TASK.parameters.items():
        if item.dtype == "bool":
            values[name] = rng.random(COUNT) < 0.5
            continue
        drawn = scale * rng.normal(size=(COUNT, *item.shape))
        strange = rng.choice(ODD, drawn.shape)
        drawn = np.where(rng.random(drawn.shape) < odd, strange, drawn)
        values[name] = drawn.astype(np.float32)
    return values


def check(function: FunctionIR, values: dict[str, Floats], dtype: DType) -> float:
    """Compare a kernel with the interpreted graph; return the share compared."""
    graph = Graph()
    outputs = add_function(graph, function)
    with np.errstate(all="ignore"):
        known = interpret(graph, values, dtype)
    out = np.empty((len(outputs) + 1, COUNT), dtype)
    rows = RewardKernel(function, dtype).batch(values, out)
    shares = []
    for name, row, number in zip(function.outputs, rows, outputs, strict=False):
        made_from = [known[item] for item in graph.needed([number])]
        allowed = TOLERANCE[dtype] * (1 + largest(made_from))
        decided = known[number].error <= allowed
        right = known[number].value[decided]
        got, limit = row[decided].astype(np.float64), allowed[decided]
        finite = np.isfinite(right)
        np.testing.assert_array_equal(got[~finite], right[~finite], name)
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(got - right) <= limit) & finite
        assert not wrong.any(), (name, got[wrong][:3], right[wrong][:3])
        shares.append(float(decided.mean()))
    return min(shares)


def _program(expressions: list[str]) -> str:
    entries = ", ".join(f"'o{i}': 1.0 * ({item})" for i, item in enumerate(expressions))
    names = "tcp_pos, cube_pos, goal_pos, height, is_grasped, prev_height"
    return f"import numpy as np\ndef compute_reward({names}):\n    return {{{entries}}}"


def _calls(name: str) -> list[str]:
    return [f"np.{name}(height, prev_height)", f"np.{name}(cube_pos, 0.7)[1]"]


REDUCED = ("sum", "mean", "min", "max", "prod", "std", "var", "linalg.norm")
CONSTRUCTS: dict[str, list[str]] = {
    "unary": [f"np.{name}(height)" for name in UNARY],
    "binary": [call for name in BINARY for call in _calls(name)],
    "compare": [call for name in COMPARE for call in _calls(name)],
    "reduce": [f"np.{name}(cube_pos - goal_pos)" for name in REDUCED],
    "choose": [
        "np.where(height > prev_height, tcp_pos[0], cube_pos[0])",
        "np.clip(height, -0.5, prev_height)",
        "tcp_pos[1] if is_grasped else cube_pos[1]",
        *(f"np.{name}(height)" for name in ("isnan", "isfinite")),
        *(f"np.logical_{name}(is_grasped, height > 0)" for name in ("and", "or")),
        "np.logical_not(is_grasped)",
        *(f"np.{name}(cube_pos > goal_pos)" for name in ("all", "any")),
        "float(height) + bool(height)",
    ],
    "products": [
        "np.dot(cube_pos, goal_pos)",
        "np.inner(cube_pos, goal_pos)",
        "np.cross(cube_pos, goal_pos)[2]",
        "(np.array([cube_pos, goal_pos]) @ tcp_pos)[1]",
        "np.zeros_like(cube_pos)[0] + np.ones_like(cube_pos)[0] * height",
    ],
    "powers": [f"height ** {count}" for count in (1, 2, 3, 7, 8, -1, -2)]
    + ["abs(height) ** 0.5", "abs(height) ** prev_height", "2.0 ** height"],
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("kind", CONSTRUCTS)
def test_every_construct_is_as_exact_as_its_type(kind: str, dtype: DType) -> None:
    """Kernel and float64 differ by at most 1e-5 (float32) or 1e-12 (float64) of 1 + the
    largest intermediate value wherever rounding cannot change what is computed."""
    function = function_of(_program(CONSTRUCTS[kind]))
    for seed, scale in enumerate((1.0, 0.3, 10.0)):
        check(function, states(seed, scale, odd=0.1), dtype)
    assert check(function, states(9, 0.6, odd=0.0), dtype) > 0.35  # not all skipped


def test_every_operation_is_among_the_constructs() -> None:
    """A new operation of the language needs a line here."""
    text = " ".join(item for group in CONSTRUCTS.values() for item in group)
    assert [name for name in FUNCTIONS if name not in text] == []


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # shrinking compiles for minutes
)
@given(
    source=programs(),
    seed=st.integers(0, 2**31),
    scale=st.sampled_from((1e-3, 1.0, 100.0)),
    odd=st.sampled_from((0.0, 0.05, 0.5)),
)
def test_generated_programs_are_as_exact_as_their_type(
    source: str, seed: int, scale: float, odd: float
) -> None:
    """The same for any program, also on NaN, infinities, huge and subnormal numbers."""
    function = function_of(source)
    for dtype in TOLERANCE:
        check(function, states(seed, scale, odd), dtype)


@pytest.mark.parametrize("test", ["<", "<=", ">", ">=", "==", "!="])
def test_near_a_threshold_one_of_the_branches_is_taken(test: str) -> None:
    """Whatever rounding decides, the result is exactly one branch's value."""
    source = (
        "def compute_reward(height, prev_height):\n"
        f"    return {{'a': 10.0 if height * 3.0 {test} prev_height else 20.0}}"
    )
    around = np.float32(0.1).view(np.int32) + np.arange(-30, 30, dtype=np.int32)
    height = around.view(np.float32)
    values = {"height": height, "prev_height": np.full(60, 0.3, np.float32)}
    for dtype in TOLERANCE:
        out = RewardKernel(function_of(source), dtype).batch(values)
        assert set(np.unique(out)) <= {10.0, 20.0}


WHOLE = "def compute_reward(height, cube_pos):\n    return {'a': height + cube_pos[2]}"


def _guarded(count: int, fill: float) -> tuple[Floats, Floats]:
    """Return an array's inside and the whole of it."""
    whole = np.full(count + 2 * GUARD, fill, np.float32)
    return whole[GUARD : GUARD + count], whole


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 7, 64, 65, 4097])
def test_nothing_outside_the_arrays_is_read_or_written(
    count: int, threads: int
) -> None:
    """NaN around the inputs reaches no result, and zones around all arrays stay."""
    kernel = RewardKernel(function_of(WHOLE), "float32", threads)
    height, around_height = _guarded(count, np.nan)
    cube, around_cube = _guarded(3 * count, np.nan)
    flat, around_out = _guarded(2 * count, 7.0)
    height[:], cube[:] = 1.0, np.arange(3 * count) % 5
    before = np.concatenate([around_height, around_cube])
    values = {"height": height, "cube_pos": cube.reshape(count, 3)}
    out = kernel.batch(values, flat.reshape(2, count))
    np.testing.assert_array_equal(out, [1.0 + values["cube_pos"][:, 2]] * 2)
    np.testing.assert_array_equal(np.concatenate([around_height, around_cube]), before)
    assert (np.delete(around_out, range(GUARD, GUARD + 2 * count)) == 7.0).all()


@pytest.mark.parametrize(
    ("heights", "cubes", "rows", "count"),
    [(5, 15, 1, 4), (4, 15, 1, 4), (4, 12, 2, 4), (4, 12, 0, 4), (0, 0, 1, 4)],
)
def test_arrays_of_other_sizes_are_refused(
    heights: int, cubes: int, rows: int, count: int
) -> None:
    """A kernel never runs on arrays that hold another number of states."""
    function, graph = function_of(WHOLE), Graph()
    layout = Layout.separate([function])
    wanted = add_function(graph, function)
    plan = Plan("sizes", 1, layout, "float32", lambda: (graph, wanted))
    machine = compile_batch(plan)
    arrays = [np.zeros(size, np.float32) for size in (heights, cubes)]
    out = np.full((rows, count), 7.0, np.float32)
    with pytest.raises(ValueError, match="This kernel needs 1 rows and"):
        run_machine(machine, arrays, out)
    np.testing.assert_array_equal(out, 7.0)
