"""Success rules: a key of info, or a condition on fields and the sparse reward."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reward_synth.errors import TaskSpecError
from reward_synth.language.success import SuccessTest
from tests.programs import TASK

AFTER = {
    "height": np.array([0.3]),
    "tcp_pos": np.array([[0.0, 0.0, 0.0]]),
    "cube_pos": np.array([[0.0, 0.3, 0.4]]),
    "is_grasped": np.array([True]),
}

RULES = {
    "height >= 0.3": True,
    "height > 0.3": False,
    "height > 0.2 and not is_grasped": False,
    "np.linalg.norm(tcp_pos - cube_pos) <= 0.5": True,  # 3-4-5 triangle
    "np.linalg.norm(tcp_pos - cube_pos) < 0.49": False,
    "cube_pos[2] > 0.35 and sparse_reward >= 1": True,
    "sparse_reward > 1": False,
    "0.2 < height < 0.4": True,
    "  is_grasped ": True,
}


@pytest.mark.parametrize(("rule", "holds"), RULES.items())
def test_a_condition_is_judged_on_fields_and_sparse_reward(
    rule: str, holds: bool
) -> None:
    """A rule holds exactly where its comparison does; the sparse reward here is 1."""
    test = SuccessTest(TASK.with_success(rule))
    assert test(AFTER, {}, 1.0) is holds


def test_a_rule_tells_which_fields_it_reads() -> None:
    """names lists the fields of the rule, without sparse_reward, sorted."""
    rule = "sparse_reward > 0 and is_grasped and height > 0.1 and height < 1"
    assert SuccessTest(TASK.with_success(rule)).names == ("height", "is_grasped")
    assert SuccessTest(TASK.with_success("info.success")).names == ()


@pytest.mark.parametrize(
    ("value", "holds"),
    [(True, True), (0.0, False), (np.array([True]), True), (np.array([1, 0]), False)],
)
def test_a_key_of_info_counts_as_truth(value: Any, holds: bool) -> None:
    """Numbers and arrays count as truth; of an array all entries must hold."""
    test = SuccessTest(TASK.with_success("info.success"))
    assert test({}, {"success": value}, 0.0) is holds


def test_keys_of_info_may_be_nested() -> None:
    """info.<a>.<b> walks down dictionaries."""
    test = SuccessTest(TASK.with_success("info.final.success"))
    assert test({}, {"final": {"success": True}}, 0.0)


@pytest.mark.parametrize("info", [{}, {"final": {}}, {"final": 1.0}])
def test_a_missing_key_is_named(info: dict[str, Any]) -> None:
    """A key that info lacks is an error: silence would count as failure for ever."""
    test = SuccessTest(TASK.with_success("info.final.success"))
    with pytest.raises(
        TaskSpecError, match=r"needs the key '(final|success)', but info"
    ):
        test({}, info, 0.0)


MALFORMED = (
    "",
    "height",
    "height + 1",
    "hieght > 1",
    "height >",
    "cube_pos > 0.1",
    "cube_pos[7] > 0.1",
    "height = 3",
    "__import__('os').system('true')",
    "open('x') == 1",
    "height.real > 0",
    "prev_height > 0",
    "action[0] > 0",
    "info.",
    "info.a b",
    "[height > 1 for x in y]",
)


@pytest.mark.parametrize("rule", MALFORMED)
def test_a_malformed_rule_is_refused_with_the_fields(rule: str) -> None:
    """What is no condition is refused at once, and the fields are listed."""
    with pytest.raises(TaskSpecError, match=r"tcp_pos, cube_pos.*info\.<key>"):
        SuccessTest(TASK.with_success(rule))


def test_a_task_without_a_rule_says_how_to_give_one() -> None:
    """Without a rule there is nothing to test: the error shows the option."""
    with pytest.raises(TaskSpecError, match="--success"):
        SuccessTest(replace(TASK, success=None))
