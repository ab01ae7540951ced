"""Digests tell functions apart by what they compute, and by nothing else."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import HealthCheck, given, settings

from reward_synth.kernels.identity import function_digest
from reward_synth.language import FunctionIR, parse
from reward_synth.task import Field, TaskSpec
from tests.programs import TASK, programs


def reward_of(source: str, task: TaskSpec = TASK) -> FunctionIR:
    parsed = parse(source, task)
    assert parsed.ir is not None, [str(item) for item in parsed.findings]
    assert parsed.ir.reward is not None
    return parsed.ir.reward


def returning(expression: str) -> str:
    return f"def compute_reward(height, cube_pos):\n    return {{'a': {expression}}}"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=programs())
def test_a_text_has_one_digest_wherever_it_is_read(source: str) -> None:
    """Read again, or sent to another process: objects differ, the digest does not."""
    function = reward_of(source)
    expected = function_digest(function)
    assert function_digest(reward_of(source)) == expected
    assert function_digest(pickle.loads(pickle.dumps(function))) == expected
    assert function_digest(reward_of(f"# moved\n\n{source}")) == expected


APART = [
    ("height - cube_pos[0]", "cube_pos[0] - height"),
    ("cube_pos[0]", "cube_pos[1]"),
    ("height * 2.0", "height * 2.0000000000000004"),
    ("height * 0.0", "height * -0.0"),
    ("abs(height)", "-height"),
    ("1.0 if height > 0 else 2.0", "1.0 if height >= 0 else 2.0"),
    ("1.0 if height > 0 else 2.0", "2.0 if height > 0 else 1.0"),
    ("height + height + cube_pos[0]", "height + (height + cube_pos[0])"),
]


@pytest.mark.parametrize(("left", "right"), APART, ids=[left for left, _ in APART])
def test_what_differs_has_another_digest(left: str, right: str) -> None:
    """Each pair of expressions gives different numbers for some state."""
    one, other = (function_digest(reward_of(returning(item))) for item in (left, right))
    assert one != other


def test_branches_and_statements_are_told_apart() -> None:
    """The same assignments in another place are another function."""
    head = "def compute_reward(height):\n    x = 1.0\n    if height > 0:\n        x = 2.0\n"
    inside = head + "        x = x + 1.0\n    return {'a': x * height}"
    after = head + "    x = x + 1.0\n    return {'a': x * height}"
    assert function_digest(reward_of(inside)) != function_digest(reward_of(after))


def test_shapes_and_kinds_of_parameters_count() -> None:
    """``np.sum(x)`` of two numbers, of three, and of truth values are three kernels."""
    text = "import numpy as np\n\ndef compute_reward(x):\n    return {'a': np.sum(x)}"
    fields = Field("x", (2,)), Field("x", (3,)), Field("x", (3,), "bool")
    tasks = [TaskSpec("T", "go", (item,), Field("action")) for item in fields]
    assert len({function_digest(reward_of(text, task)) for task in tasks}) == 3
