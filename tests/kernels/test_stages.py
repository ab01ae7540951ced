"""Large graphs are computed in stages, which is seen in the time alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.graph import CONST, Graph, add_function, with_total
from reward_synth.kernels import Population, RewardKernel, stages
from reward_synth.kernels.emit import DType
from reward_synth.kernels.stages import Stages, staged
from reward_synth.language import FunctionIR, parse
from reward_synth.reward import Array
from tests.programs import TASK, programs, random_values

MANY = 77
"""Two tiles of the smallest size and a rest, no multiple of SIMD lanes."""


def reward_of(source: str) -> FunctionIR:
    parsed = parse(source, TASK)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def stacked(count: int = MANY) -> dict[str, Array]:
    rows = [random_values(seed % MANY) for seed in range(count)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def cut(whole: Population, *, totals: bool = False) -> Stages:
    """Return the stages of a population's first kernel."""
    plan = whole._groups[0].plan(whole._layout, whole.dtype, totals=totals)
    assert plan.stages is not None
    return plan.stages


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a new stage after very few instructions, and tiles of few states."""
    monkeypatch.setattr(stages, "MOST_IN_STAGE", 12)
    monkeypatch.setattr(stages, "ROOM", 1)


def drawn(sources: Sequence[str]) -> tuple[Graph, list[int]]:
    graph = Graph()
    nodes = [with_total(graph, add_function(graph, reward_of(s))) for s in sources]
    return graph, [node for item in nodes for node in item]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(sources=st.lists(programs(), min_size=1, max_size=3))
def test_stages_compute_each_node_once_from_what_is_there(
    short: None, sources: list[str]
) -> None:
    """A stage reads what an earlier one kept in that very row; every needed node is
    computed and every output stored exactly once; rows of the room are nobody else's."""
    graph, outputs = drawn(sources)
    made = staged(graph, outputs, 8, lambda op: 5)
    room: dict[int, int] = {}
    computed: list[int] = []
    stored: list[int] = []
    for stage in made.items:
        assert all(room[slot] == number for number, slot in stage.read)
        known = {number for number, _ in stage.read}
        for number in stage.numbers:
            needed = graph.nodes[number].args
            free = {item for item in needed if graph.nodes[item].op == CONST}
            assert set(needed) <= known | free
            known.add(number)
        for number, slot in stage.kept:
            assert number in known
            assert slot < made.slots
            assert room.setdefault(slot, number) == number
        computed += stage.numbers
        stored += stage.stored
    moving = [n for n in graph.needed(outputs) if graph.nodes[n].op != CONST]
    assert [n for n in computed if graph.nodes[n].op != CONST] == moving
    assert sorted(stored) == list(range(len(outputs)))


@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(sources=st.lists(programs(), min_size=2, max_size=2))
def test_programs_in_stages_score_as_they_do_alone(
    short: None, sources: list[str]
) -> None:
    """Only where a product and a sum become one instruction may change."""
    functions = [reward_of(source) for source in sources]
    whole, values = Population(functions), stacked()
    for function, rows in zip(functions, whole.batch(values), strict=True):
        expected = RewardKernel(function).batch(values)
        np.testing.assert_allclose(rows, expected, 1e-9, 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truth_values_and_constants_survive_the_cut(short: None, dtype: DType) -> None:
    """A comparison of one stage decides in a later one; a constant is an output."""
    source = (
        "import numpy as np\n\n"
        "def compute_reward(height, cube_pos):\n"
        "    high = height > 0.0\n"
        "    size = np.tanh(np.tanh(np.tanh(np.exp(cube_pos[0]))))\n"
        "    chosen = size if high else -1.0\n"
        "    return {'high': float(high), 'chosen': chosen, 'one': 1.0}"
    )
    whole, values = Population([reward_of(source)] * 2, dtype), stacked()
    assert len(cut(whole).items) > 2
    rows, again = whole.batch(values)
    np.testing.assert_array_equal(rows, again)
    high = values["height"].astype(dtype) > 0.0
    size = np.tanh(np.tanh(np.tanh(np.exp(values["cube_pos"][:, 0]))))
    np.testing.assert_array_equal(rows[0], high)
    np.testing.assert_allclose(rows[1], np.where(high, size, -1.0), 1e-6)
    np.testing.assert_array_equal(rows[2], 1.0)


def test_threads_have_rooms_of_their_own(short: None) -> None:
    """Two threads give what one gives, though both leave values for later stages."""
    terms = (f"np.tanh({k}.5 * np.exp(cube_pos[0]))" for k in range(4))
    parts = ", ".join(f"'t{k}': {term}" for k, term in enumerate(terms))
    text = (
        f"import numpy as np\n\ndef compute_reward(cube_pos):\n    return {{{parts}}}"
    )
    functions, values = [reward_of(text)] * 2, stacked(4000)
    two = Population(functions, threads=2)
    assert cut(two, totals=True).slots > 0
    np.testing.assert_array_equal(
        two.totals(values), Population(functions).totals(values)
    )


def test_a_program_alone_is_not_cut(short: None) -> None:
    """It shares nothing: its population runs the code of its kernel."""
    whole = Population(
        [reward_of("def compute_reward(height):\n    return {'a': height}")]
    )
    assert whole._groups[0].plan(whole._layout, "float64", totals=True).stages is None


def test_small_graphs_are_one_stage() -> None:
    """Nothing is left in memory where registers do."""
    graph, outputs = drawn(["def compute_reward(height):\n    return {'a': height}"])
    made = staged(graph, outputs, 4, lambda op: 1)
    assert len(made.items) == 1
    assert made.room == 0
