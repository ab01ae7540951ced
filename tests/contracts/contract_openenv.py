"""OpenEnv's own rubrics take ours among their children."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from openenv.core.rubrics import Gate, Rubric, WeightedSum

from reward_synth.verify.adapters import ToolCallRubric

GOLD = [{"name": "f", "arguments": {"a": 1}}]
SEEN = SimpleNamespace(metadata={"expected": GOLD})


class Ours(ToolCallRubric, Rubric):
    """The verifier as a rubric of OpenEnv's."""


class Half(Rubric):
    """A rubric that says one half."""

    def forward(self, action: Any, observation: Any) -> float:
        return 0.5


def test_it_is_a_child_with_hooks() -> None:
    """A weighted sum registers it, calls it, and its hooks are told."""
    ours, told = Ours(), []
    ours.register_forward_hook(lambda rubric, action, seen, score: told.append(score))
    both = WeightedSum([ours, Half()], [0.5, 0.5])
    assert both("f(a=1)", SEEN) == 0.75
    assert told == [ours.last_score] == [1.0]
    assert ours in list(both.children())


def test_a_gate_stops_what_is_not_right() -> None:
    """Below its threshold a gate gives 0."""
    gate = Gate(Ours(), threshold=1.0)
    assert gate("f(a=2)", SEEN) == 0.0
    assert gate("f(a=1)", SEEN) == 1.0


def test_mcp_s_actions_are_read() -> None:
    """OpenEnv's own action of calling a tool is graded."""
    from openenv.core.env_server.mcp_types import CallToolAction

    action = CallToolAction(tool_name="f", arguments={"a": 1})
    assert Ours()(action, SEEN) == 1.0
