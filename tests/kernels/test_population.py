"""Populations: many programs in one pass give what each gives alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.errors import UsageError
from reward_synth.kernels import Population, RewardKernel, population
from reward_synth.kernels.emit import DType, Layout
from reward_synth.language import FunctionIR, parse
from reward_synth.reward import Array
from reward_synth.task import Field, TaskSpec
from tests.programs import TASK, programs, random_values

STATES = 7


def reward_of(source: str, task: TaskSpec = TASK) -> FunctionIR:
    parsed = parse(source, task)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def related(count: int) -> list[FunctionIR]:
    """Programs as a search makes them: the same terms, other weights and choices."""
    terms = {
        "near": "1.0 - np.tanh(5.0 * np.linalg.norm(cube_pos - tcp_pos))",
        "goal": "np.exp(-np.linalg.norm(goal_pos - cube_pos))",
        "held": "float(is_grasped)",
        "effort": "-np.sum(action**2)",
    }
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        chosen = rng.permutation(list(terms))[: rng.integers(2, 5)]
        parts = [f"'{name}': {rng.uniform():.3f} * ({terms[name]})" for name in chosen]
        made.append(
            reward_of(
                "import numpy as np\n\n"
                "def compute_reward(tcp_pos, cube_pos, goal_pos, is_grasped, action):\n"
                f"    return {{{', '.join(parts)}}}"
            )
        )
    return made


def stacked(seed: int = 0) -> dict[str, Array]:
    rows = [random_values(seed + offset) for offset in range(STATES)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sources=st.lists(programs(), min_size=1, max_size=3), seed=st.integers(0, 2**31))
def test_each_program_scores_as_it_does_alone(sources: list[str], seed: int) -> None:
    """Shared parts change no value beyond the last places of float64."""
    functions = [reward_of(source) for source in sources]
    values = stacked(seed)
    whole = Population(functions)
    alone = [RewardKernel(function).batch(values) for function in functions]
    for found, expected in zip(whole.batch(values), alone, strict=True):
        np.testing.assert_allclose(found, expected, 1e-9, 1e-12)
    expected = np.stack([rows[-1] for rows in alone])
    np.testing.assert_allclose(whole.totals(values), expected, 1e-9, 1e-12)


@pytest.mark.parametrize(("dtype", "most"), [("float32", 90), ("float64", 1)])
def test_groups_change_nothing(
    monkeypatch: pytest.MonkeyPatch, dtype: DType, most: int
) -> None:
    """However programs are split between kernels, the results are the same."""
    monkeypatch.setattr(population, "MOST_IN_GROUP", most)
    functions, values = related(4), stacked()
    whole = Population(functions, dtype)
    assert len(whole._groups) > 1
    for function, rows in zip(functions, whole.batch(values), strict=True):
        expected = RewardKernel(function, dtype).batch(values)
        assert rows.dtype == dtype
        np.testing.assert_allclose(rows, expected, 1e-5)
    assert whole.totals(values).shape == (4, STATES)


def test_batches_are_views_of_one_array() -> None:
    """What is written to ``out`` is what is returned; nothing is copied."""
    functions, values = related(2), stacked()
    whole = Population(functions)
    out = np.empty((sum(len(item.outputs) + 1 for item in functions), STATES))
    parts = whole.batch(values, out)
    assert all(np.shares_memory(part, out) for part in parts)
    np.testing.assert_array_equal(np.concatenate(parts), out)
    totals = np.empty((2, STATES))
    assert whole.totals(values, totals) is totals


def test_threads_share_a_batch() -> None:
    """Two threads give what one gives."""
    functions = related(2)
    values = {name: np.repeat(value, 500, 0) for name, value in stacked().items()}
    two = Population(functions, threads=2).totals(values)
    np.testing.assert_array_equal(two, Population(functions).totals(values))


def test_states_are_read_where_they_lie() -> None:
    """A layout names the array and the column of each entry: x is column 1 of 2."""
    task = TaskSpec("T", "go", (Field("x"),), Field("action"))
    whole = Population([reward_of("def compute_reward(x):\n    return {'a': x}", task)])
    layout = Layout((2,), ((("x", 0), (0, 1)),))
    rows = whole.run(layout, [np.arange(6).reshape(3, 2)], 3, totals=True)
    np.testing.assert_array_equal(rows, [[1.0, 3.0, 5.0]])


def test_a_population_pickles() -> None:
    """It travels to another process as its typed forms."""
    whole = Population(related(2), "float32")
    copy = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(copy.totals(stacked()), whole.totals(stacked()))


def test_programs_of_other_shapes_are_refused_by_name() -> None:
    """One name can carry one shape only."""
    text = "def compute_reward(x):\n    return {'a': 1.0}"
    functions = [
        reward_of(text, TaskSpec("T", "go", (Field("x", shape),), Field("action")))
        for shape in ((2,), (3,))
    ]
    with pytest.raises(UsageError, match=r"'x' has shape \(2,\).*\(3,\)"):
        Population(functions)
    with pytest.raises(UsageError, match="at least one"):
        Population([])


def test_sizes_that_do_not_fit_are_refused() -> None:
    """Nothing is read or written out of bounds."""
    whole = Population(related(2))
    values = stacked()
    with pytest.raises(ValueError, match="states"):
        whole.totals(values | {"action": values["action"][:-1]})
    with pytest.raises(ValueError, match="out has shape"):
        whole.totals(values, np.empty((3, STATES)))
