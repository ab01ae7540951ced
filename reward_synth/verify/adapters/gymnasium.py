"""For Gymnasium: an environment whose actions are texts, with graded rewards.

It wraps by delegation and imports nothing of Gymnasium.
"""

from __future__ import annotations

from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.adapters.guarded import (
    Guarded,
    Verifier,
    columns,
    find_gold,
    has_score,
)


class GradedToolCalls:
    """Adds a graded reward to an environment's own, or puts it in its place.

    What is expected of an action is read from the ``info`` that came before it. The
    result stands in ``info["tool_calls"]``, with the same keys on every step; where the
    verifier fails nothing is added.

    Args:
        env: Anything with Gymnasium's ``reset`` and ``step``.
        gold: The key of ``info`` with what is expected.
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        weight: Factor of the graded reward.
        replace: True: the environment's own reward is left out.

    Example:
        >>> class Ask:
        ...     def reset(self, **options):
        ...         return "Add 1 and 2.", {"expected": [{"name": "add"}]}
        ...     def step(self, action):
        ...         return "", 0.0, True, False, {}
        >>> env = GradedToolCalls(Ask())
        >>> _ = env.reset()
        >>> env.step("add()")[1]
        1.0
    """

    def __init__(
        self,
        env: Any,
        gold: str = "expected",
        verifier: Verifier | None = None,
        weight: float = 1.0,
        *,
        replace: bool = False,
    ) -> None:
        if not 0 < abs(weight) < float("inf"):
            raise UsageError(f"weight must be finite and not 0, received {weight}.")
        self.env = env
        self.gold = gold
        self.weight = weight
        self.replace = replace
        self._guarded = Guarded(verifier)
        self._info: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        """Return what the environment itself has."""
        if name == "env":  # not there yet while a copy is being made
            raise AttributeError(name)
        return getattr(self.env, name)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment."""
        observation, info = self.env.reset(**options)
        self._info = info
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act, and grade the action."""
        result = self._guarded(action, find_gold(self.gold, self._info))
        observation, own, terminated, truncated, info = self.env.step(action)
        graded = self.weight * result.score if has_score(result) else 0.0
        # What is not told anew still holds: a task may take several steps.
        self._info = {**self._info, **info}
        info = {**info, "tool_calls": columns(result), "sparse_reward": own}
        reward = graded if self.replace else float(own) + graded
        return observation, reward, terminated, truncated, info
