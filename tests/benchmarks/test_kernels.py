"""The speed study compares things that compute the same, and says so in numbers."""

from __future__ import annotations

import ast
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from reward_synth.benchmarks import kernel_population
from reward_synth.benchmarks.kernel_limits import LONGEST, admitted, longest
from reward_synth.benchmarks.kernel_population import Many, passes, related
from reward_synth.benchmarks.kernel_programs import (
    PROGRAMS,
    TASK,
    Program,
    typed,
    variants,
)
from reward_synth.benchmarks.kernel_targets import (
    Forms,
    Target,
    components,
    inputs,
)
from reward_synth.benchmarks.kernels import (
    Effort,
    Goal,
    measure,
    ratio,
    ratio_lines,
    require_agreement,
    table,
)
from reward_synth.errors import UsageError
from reward_synth.language import evaluate

TINY = Effort(("pick",), (1, 3), 2, 1e-4, 1, torch_compile=False)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_every_form_computes_what_the_author_wrote(
    program: Program, tmp_path: Path
) -> None:
    """Kernel, plain Python, NumPy, torch and C give the reference's components."""
    count = 33
    forms, values = Forms(program, tmp_path, compiled=False), inputs(program, count)
    states = [
        {name: np.asarray(value[row]) for name, value in values.items()}
        for row in range(count)
    ]
    rows = [list(evaluate(forms.function, state).values()) for state in states]
    expected = np.array(rows).T
    names = set()
    for target in forms.targets(values, count):
        found = components(target, program)
        names.add(target.name)
        if found is not None and target.programs == 1:
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert {"kernel", "reference", "numpy", "memcpy"} <= names


def test_the_c_library_leaves_arithmetic_as_it_is(tmp_path: Path) -> None:
    """Code linked with fast-math would round subnormal numbers to 0 in the process."""
    forms = Forms(PROGRAMS["pick"], tmp_path, compiled=False)
    if forms.library is None:
        pytest.skip(forms.missing["c"])
    assert np.float32(1e-40) * np.float32(1.0) > 0


def test_programs_differ_in_kind_and_score_something() -> None:
    """There are at least six programs, and each component varies with the state."""
    assert len(PROGRAMS) >= 6
    assert {"pick", "branches", "quaternions", "trig", "long", "forty"} <= set(PROGRAMS)
    pick = PROGRAMS["pick"]
    assert sum(TASK.parameters[name].size for name in pick.fields) == 19
    assert len(pick.names) == 4


def test_variants_are_different_programs() -> None:
    """The population's programs differ, so that none is shared whole."""
    texts = variants(PROGRAMS["trig"], 5)
    assert len(set(texts)) == 5
    assert all(typed(text).outputs == PROGRAMS["trig"].names for text in texts)


def test_a_target_that_computes_something_else_is_refused() -> None:
    """No time is taken of a target that disagrees."""
    pick = PROGRAMS["pick"]
    right = Target("kernel", "float32", lambda: dict.fromkeys(pick.names, 1.0))
    wrong = Target("numpy", "float32", lambda: dict.fromkeys(pick.names, 2.0))
    with pytest.raises(UsageError, match="numpy is 1 from the kernel on pick"):
        require_agreement(pick, [right, wrong], 1)


def test_text_that_is_no_program_is_explained() -> None:
    """A benchmark's text with an unknown name is refused with the parser's reason."""
    with pytest.raises(UsageError, match="Not a program of Bench/Arm-v0"):
        typed("def compute_reward(q):\n    return {'a': nothing}")


def test_a_measurement_has_a_row_a_target(tmp_path: Path) -> None:
    """Rows name program, size, type and target, and hold a positive time."""
    forms = Forms(PROGRAMS["pick"], tmp_path, compiled=False)
    rows = [row for count in TINY.sizes for row in measure(forms, count, TINY)]
    assert {"kernel", "reference", "numpy", "memcpy"} <= {row["target"] for row in rows}
    assert all(row["ns_per_state"] > 0 for row in rows)
    assert {row["n"] for row in rows} == set(TINY.sizes)
    assert json.loads(json.dumps(rows)) == rows
    lines = table(rows).splitlines()
    assert len(lines) == 2 + len(TINY.sizes)
    assert len({line.count("|") for line in lines}) == 1


def test_ratios_are_of_float32_times_of_one_size() -> None:
    """A ratio divides times of the same program and size, and skips what is missing."""
    row = {"program": "p", "n": 64, "dtype": "float32"}
    rows = [
        row | {"target": "numpy", "ns_per_state": 10.0},
        row | {"target": "kernel", "ns_per_state": 4.0},
        row | {"target": "kernel", "ns_per_state": 1.0, "dtype": "float64"},
        row | {"target": "kernel", "ns_per_state": 1.0, "n": 1},
        row | {"target": "numpy", "ns_per_state": 1.0, "program": "q"},
    ]
    assert ratio(rows, Goal(64, "numpy", "kernel")) == {"p": 2.5}
    assert "| 64 | numpy / kernel | 2.50 | >= 4 MISSED | p 2.50 |" in ratio_lines(rows)


@pytest.mark.parametrize(("kin", "most"), [("siblings", 2), ("retuned", 1000)])
def test_related_programs_keep_their_terms(kin: str, most: int) -> None:
    """Only constants with a point differ: two of each sibling, any of the retuned."""
    texts = related(PROGRAMS["long"], kin)
    assert len(set(texts)) == 16
    number = r"(\d+\.\d+)"
    parent = re.split(number, ast.unparse(ast.parse(PROGRAMS["long"].source).body[0]))
    for text in texts:
        parts = re.split(number, text.rstrip("\n"))
        assert parts[::2] == parent[::2]
        changed = sum(a != b for a, b in zip(parts[1::2], parent[1::2], strict=True))
        assert 0 < changed <= most


def test_one_pass_is_timed_beside_separate_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row for each kin, components and totals, whose ratio is of both times."""
    count = 4  # each is compiled by itself
    monkeypatch.setattr(kernel_population, "RELATED", count)
    monkeypatch.setattr(kernel_population, "related", partial(related, count=count))
    effort = Many(("pick",), 50, 1, ("float32",))
    rows = passes(effort)
    assert [(row["kin"], row["outputs"]) for row in rows] == [
        ("siblings", "components"),
        ("siblings", "totals"),
        ("retuned", "components"),
        ("retuned", "totals"),
    ]
    for row in rows:
        assert row["ratio"] == row["population_s"] / row["separate_s"]
        assert (row["programs"], row["n"]) == (count, 50)


@pytest.mark.parametrize("name", LONGEST)
def test_the_longest_program_is_at_the_limit(name: str) -> None:
    """Once more round its loop is too much."""
    body = longest(name).language
    (count,) = re.findall(r"range\((\d+)\)", body)
    assert admitted(body)
    assert not admitted(body.replace(f"range({count})", f"range({int(count) + 1})"))
