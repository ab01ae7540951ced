"""For OpenEnv: a rubric, called with an action and an observation.

It works as it is, and as the first base of a class that is a ``Rubric`` as well::

    class Mine(ToolCallRubric, Rubric): ...
"""

from __future__ import annotations

from typing import Any

from reward_synth.verify.adapters.guarded import (
    Guarded,
    Verifier,
    find_gold,
    has_score,
)
from reward_synth.verify.calls import ToolCall
from reward_synth.verify.plain_calls import look_up
from reward_synth.verify.result import VerifyResult


class ToolCallRubric:
    """Scores the calls of an action against what the observation expects.

    Args:
        gold: Where what is expected stands: a field of the observation, or a key of its
            ``metadata``.
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        low: Least score.
        high: Largest score.
        fallback: The score where the verifier fails; ``last_result`` says why.

    Example:
        >>> rubric = ToolCallRubric()
        >>> rubric({"tool_name": "f", "arguments": {"a": 1}}, {"metadata": {"expected":
        ...     [{"name": "f", "arguments": {"a": 1}}]}})
        1.0
    """

    def __init__(
        self,
        gold: str = "expected",
        verifier: Verifier | None = None,
        low: float = 0.0,
        high: float = 1.0,
        fallback: float = 0.0,
    ) -> None:
        super().__init__()
        self.gold = gold
        self.fallback = fallback
        self.last_score: float | None = None
        self.last_result: VerifyResult | None = None
        self._guarded = Guarded(verifier, low, high)

    def __call__(self, action: Any, observation: Any) -> float:
        """Return the score; a ``Rubric`` among the bases calls its hooks as well."""
        inherited = getattr(super(), "__call__", None)  # noqa: B004 - itself is needed
        if inherited is not None:
            return float(inherited(action, observation))
        self.last_score = self.forward(action, observation)
        return self.last_score

    def forward(self, action: Any, observation: Any) -> float:
        """Return the score of an action."""
        metadata = look_up(observation, "metadata")
        gold = find_gold(self.gold, observation, metadata)
        result = self._guarded(_calls(action), gold)
        self.last_result = result
        return float(result.score) if has_score(result) else self.fallback

    def reset(self) -> None:
        """Forget the last score."""
        self.last_score = self.last_result = None


def _calls(action: Any) -> Any:
    """Return the calls of an action: a text, messages, or MCP's call of one tool."""
    name = look_up(action, "tool_name")
    if isinstance(name, str):
        return [ToolCall(name, look_up(action, "arguments") or {})]
    if look_up(action, "type") == "list_tools":
        return []
    for key in ("message", "text", "content"):
        inner = look_up(action, key)
        if isinstance(inner, str):
            return inner
    return action
