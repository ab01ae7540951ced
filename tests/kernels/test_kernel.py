"""Kernels, the reference and plain Python give the same numbers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from reward_synth.graph import Graph, add_function
from reward_synth.kernels import RewardKernel
from reward_synth.language import FunctionIR, evaluate, parse
from tests.programs import TASK, programs, random_values


def reward_of(source: str) -> FunctionIR:
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def plain(
    source: str, function: FunctionIR, values: dict[str, object]
) -> dict[str, float]:
    """Run the text as Python: only the tests' own generator wrote it."""
    names: dict[str, object] = {}
    exec(source, names)
    given = []
    for name, field in function.parameters:
        value = np.asarray(values[name])
        given.append(bool(value) if field.dtype == "bool" else value.astype(float)[()])
    with np.errstate(all="ignore"):
        try:
            result = names["compute_reward"](*given)  # type: ignore[operator]
        except ZeroDivisionError:  # of two constants, which are no NumPy numbers
            reject()
    return {name: float(value) for name, value in result.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=programs(), seed=st.integers(0, 2**31))
def test_kernel_reference_and_python_agree(source: str, seed: int) -> None:
    """A program means the same compiled, interpreted and run as plain Python.

    Intermediate values are of order 1 to 1e3 and all three compute in float64, so only
    the order of a sum's terms may differ: far below 1e-9 relative.
    """
    function = reward_of(source)
    kernel = RewardKernel(function)
    for offset in range(3):
        values = random_values(seed + offset)
        expected = evaluate(function, values)
        compiled = kernel.one(values)
        python = plain(source, function, dict(values))
        for name in expected:
            np.testing.assert_allclose(compiled[name], expected[name], 1e-9, 1e-12)
            np.testing.assert_allclose(python[name], expected[name], 1e-9, 1e-12)


def test_batch_equals_one_by_one() -> None:
    """A batch of N states gives what N single calls give."""
    function = reward_of(
        "def compute_reward(cube_pos, goal_pos, is_grasped):\n"
        "    d = np.linalg.norm(cube_pos - goal_pos)\n"
        "    return {'near': 1 - np.tanh(d), 'held': 2.0 * is_grasped}"
    )
    kernel = RewardKernel(function)
    states = [random_values(seed) for seed in range(20)]
    names = [name for name, _ in function.parameters]
    batch = kernel.batch({n: np.stack([s[n] for s in states]) for n in names})
    rows = [list(kernel.one(state).values()) for state in states]
    np.testing.assert_array_equal(batch[:-1].T, rows)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1.0 / (height - height)", np.inf),
        ("np.log(-1.0 - height * height)", np.nan),
        ("np.sqrt(-1.0 - height * height)", np.nan),
        ("np.exp(1e4 + height)", np.inf),
        ("np.minimum(height, np.nan)", np.nan),
        ("min(height, np.nan)", 0.5),
        ("np.sign(-height)", -1.0),
        ("0.0 * (1.0 / (height - 0.5))", np.nan),
        ("height % 0.2", 0.1),
        ("(-height) // 0.2", -3.0),
        ("1.0 if np.isnan(height * np.nan) else 0.0", 1.0),
    ],
)
def test_ieee_arithmetic_survives_compilation(expression: str, expected: float) -> None:
    """NaN, infinities and guards behave as NumPy's, in kernel and reference."""
    source = f"def compute_reward(height):\n    return {{'a': {expression}}}"
    function = reward_of(source)
    values = {"height": np.asarray(0.5)}
    np.testing.assert_allclose(evaluate(function, values)["a"], expected, atol=1e-12)
    np.testing.assert_allclose(
        RewardKernel(function).one(values)["a"], expected, atol=1e-12
    )


def test_the_inputs_are_never_changed() -> None:
    """Kernels read copies: the caller's arrays stay as they are."""
    function = reward_of(
        "def compute_reward(cube_pos):\n    return {'a': np.sum(cube_pos)}"
    )
    array = np.array([1.0, 2.0, 3.0])
    array.setflags(write=False)
    assert RewardKernel(function).one({"cube_pos": array}) == {"a": 6.0}


def test_a_kernel_pickles() -> None:
    """A kernel travels to another process as its typed form."""
    function = reward_of("def compute_reward(height):\n    return {'a': 2 * height}")
    copy = pickle.loads(pickle.dumps(RewardKernel(function)))
    assert copy.one({"height": np.asarray(1.5)}) == {"a": 3.0}


def test_a_program_without_parameters_is_constant() -> None:
    """No parameters: every state gets the same value."""
    kernel = RewardKernel(reward_of("def compute_reward():\n    return {'a': 1.5}"))
    assert kernel.one({}) == {"a": 1.5}
    np.testing.assert_array_equal(kernel.batch({}, np.empty((2, 3))), [[1.5] * 3] * 2)


MEANINGS = {
    "a constant changed in a branch": (
        "scale=1.0",
        "if height > 0:\n        scale = 2.0\n    return {'a': scale * height}",
    ),
    "a loop variable kept": (
        "",
        "i = height\n    if height > 0:\n        for i in range(3):\n            pass\n"
        "    return {'a': 1.0 * i}",
    ),
    "loops of other lengths": (
        "",
        "if height > 0:\n        for i in range(2):\n            x = i\n    else:\n"
        "        for i in range(4):\n            x = i\n    return {'a': 1.0 * x}",
    ),
    "clip by name": ("", "return {'a': np.clip(height, a_max=0.1, a_min=-0.1)}"),
    "two targets": ("", "x = y = height + 1.0\n    return {'a': x, 'b': y}"),
    "truth or number": (
        "",
        "b = height > 0.5\n    if height > 0:\n        b = 2.0\n"
        "    return {'a': 1.0 * b}",
    ),
    "largest of many": (
        "cube_pos",
        "return {'a': max(cube_pos) + min(0.1, 0.2, height, 0.3, 0.4, 0.5, 0.6)}",
    ),
    "matrix and vector": (
        "cube_pos",
        "m = np.array([cube_pos, 2.0 * cube_pos])\n    return {'a': (m @ cube_pos)[1]}",
    ),
    "inner": ("cube_pos", "return {'a': np.inner(cube_pos, cube_pos)}"),
}


@pytest.mark.parametrize(("more", "body"), MEANINGS.values(), ids=MEANINGS)
def test_python_decides_what_a_program_means(more: str, body: str) -> None:
    """Kernel and reference follow Python where it has a way of its own."""
    parameters = ", ".join(item for item in ("height", more) if item)
    source = f"import numpy as np\n\ndef compute_reward({parameters}):\n    {body}"
    function = reward_of(source)
    kernel = RewardKernel(function)
    for seed in range(6):
        values = random_values(seed)
        expected = plain(source, function, dict(values))
        assert kernel.one(values) == pytest.approx(expected)
        assert evaluate(function, values) == pytest.approx(expected)


def test_shared_parts_are_written_once() -> None:
    """A nested choice grows with its length, not with its power set."""
    short, long = (_nodes(reward_of(_largest(count))) for count in (10, 40))
    assert long < 5 * short


def _nodes(function: FunctionIR) -> int:
    graph = Graph()
    return len(graph.needed(add_function(graph, function)))


def _largest(count: int) -> str:
    items = ", ".join(f"height * {number}.0" for number in range(count))
    return f"def compute_reward(height):\n    return {{'a': max({items})}}"


def test_component_names_are_data() -> None:
    """A name with quotes, braces or code in it is a key and nothing else."""
    name = "a'\\\"]}, __import__('os')"
    source = f"def compute_reward(height):\n    return {{{name!r}: 2.0 * height}}"
    assert RewardKernel(reward_of(source)).one({"height": np.asarray(1.5)}) == {
        name: 3.0
    }
