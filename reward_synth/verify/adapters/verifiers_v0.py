"""For verifiers, first stack: ``vf.Rubric(funcs=[ToolCallRewardV0()])``.

That stack logs an exception and scores 0, and one NaN spoils a whole group: so a verifier
that fails gives ``fallback`` here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reward_synth.verify.adapters.guarded import (
    Guarded,
    Verifier,
    find_gold,
    has_score,
)


class ToolCallRewardV0:
    """A reward function for one rollout.

    Args:
        gold: Where what is expected stands: ``answer``, or a key of ``info``.
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        low: Least reward.
        high: Largest reward.
        fallback: The reward where the verifier fails.
        name: What the rubric calls it.

    Example:
        >>> reward = ToolCallRewardV0()
        >>> reward([{"role": "assistant", "content": "f(a=1)"}],
        ...     '[{"name": "f", "arguments": {"a": 1}}]')
        1.0
    """

    def __init__(
        self,
        gold: str = "answer",
        verifier: Verifier | None = None,
        low: float = -1.0,
        high: float = 1.0,
        fallback: float = 0.0,
        name: str = "tool_calls",
    ) -> None:
        self.gold = gold
        self.fallback = fallback
        self.__name__ = name
        self._guarded = Guarded(verifier, low, high)

    def __call__(
        self,
        completion: Any,
        answer: Any = None,
        info: Mapping[str, Any] | None = None,
    ) -> float:
        """Return the reward of a completion, a text or messages."""
        given = {"answer": None if isinstance(answer, str) and not answer else answer}
        result = self._guarded(completion, find_gold(self.gold, given, info))
        return float(result.score) if has_score(result) else self.fallback


class ToolCallGroupReward:
    """The same for a group of rollouts: the stack calls it once for all of them.

    Args:
        gold: Where what is expected stands: ``answers``' own, or a key of ``infos``.
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        low: Least reward.
        high: Largest reward.
        fallback: The reward where the verifier fails.
        name: What the rubric calls it.

    Example:
        >>> ToolCallGroupReward()(completions=["No.", "f()"], answers=["[]", "[]"])
        [1.0, -0.5]
    """

    def __init__(
        self,
        gold: str = "answer",
        verifier: Verifier | None = None,
        low: float = -1.0,
        high: float = 1.0,
        fallback: float = 0.0,
        name: str = "tool_calls",
    ) -> None:
        self.__name__ = name
        self._one = ToolCallRewardV0(gold, verifier, low, high, fallback, name)

    def __call__(
        self,
        completions: Sequence[Any],
        answers: Sequence[Any] | None = None,
        infos: Sequence[Mapping[str, Any] | None] | None = None,
    ) -> list[float]:
        """Return a reward for each completion of the group."""
        count = len(completions)
        gold = answers if answers is not None else [None] * count
        more = infos if infos is not None else [None] * count
        return [
            self._one(completion, answer, info)
            for completion, answer, info in zip(completions, gold, more, strict=True)
        ]
