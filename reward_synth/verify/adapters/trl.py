"""For TRL: ``GRPOTrainer(reward_funcs=[ToolCallReward()], ...)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.adapters.guarded import Guarded, Verifier, has_score, numbers
from reward_synth.verify.result import VerifyResult


class ToolCallReward:
    """A reward function of TRL, also for its asynchronous trainer.

    An instance can be sent to other processes and called from threads. Where the verifier
    fails the reward is None, which TRL leaves out; it is never NaN.

    Args:
        gold: The column of the data set with what is expected: a list of calls, or the
            same as JSON text.
        verifier: Grades answers; by default a :class:`ToolCallVerifier`.
        low: Least reward.
        high: Largest reward.
        name: What TRL calls the reward in its logs.

    Example:
        >>> reward = ToolCallReward(gold="calls")
        >>> reward(completions=["f(a=1)", "No."], calls=['[{"name": "f", "arguments": '
        ...     '{"a": 1}}]'] * 2)
        [1.0, 0.0]
    """

    def __init__(
        self,
        gold: str = "answer",
        verifier: Verifier | None = None,
        low: float = -1.0,
        high: float = 1.0,
        name: str = "tool_calls",
    ) -> None:
        self.gold = gold
        self.__name__ = name
        self._guarded = Guarded(verifier, low, high)

    def __call__(
        self,
        completions: Sequence[Any],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Return a reward for each completion.

        Args:
            completions: Texts or lists of messages.
            log_metric: TRL's own; means of the components are given to it.
            columns: Columns of the data set, a list each.

        Raises:
            UsageError: The column with what is expected is missing, or too short.
            GoldError: What is expected cannot be right.
        """
        gold = self._column(columns, len(completions))
        results = [
            self._guarded(output, expected)
            for output, expected in zip(completions, gold, strict=True)
        ]
        if log_metric is not None and results:
            self._log(results, log_metric)
        return [float(item.score) if has_score(item) else None for item in results]

    def _column(self, columns: dict[str, Any], count: int) -> Sequence[Any]:
        found = columns.get(self.gold)
        if found is None or len(found) != count:
            held = "missing" if found is None else f"of length {len(found)}"
            raise UsageError(
                f"The column {self.gold!r} is {held}, for {count} completions; there are "
                f"{sorted(columns)}. Name another one with gold=."
            )
        return found  # type: ignore[no-any-return]  # a column is a sequence

    def _log(
        self, results: Sequence[VerifyResult], log_metric: Callable[[str, float], None]
    ) -> None:
        rows = [numbers(item) for item in results]
        for key in rows[0]:
            log_metric(f"{self.__name__}/{key}", sum(r[key] for r in rows) / len(rows))
        missing = sum(not has_score(item) for item in results)
        log_metric(f"{self.__name__}/no_score", missing / len(results))


tool_call_reward = ToolCallReward()
"""With every setting at its default: gold in the column ``answer``."""


async def tool_call_reward_async(
    completions: Sequence[Any], **columns: Any
) -> list[float | None]:
    """Return what :data:`tool_call_reward` does; for trainers that await rewards.

    Example:
        >>> import asyncio
        >>> asyncio.run(tool_call_reward_async(["No."], answer=["[]"]))
        [1.0]
    """
    return tool_call_reward(completions, **columns)
