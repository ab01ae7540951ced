"""ToolRL's whole reward: format, correctness and length, with its schedules.

Source: as for :mod:`reward_synth.verify.compat.toolrl`. Kept as it is there: where no
call is expected, calls cost nothing; only the first block of calls is read, also if it
stands among the thoughts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from reward_synth.errors import UsageError
from reward_synth.verify.compat.toolrl import Variant, toolrl_correctness

Schedule = Literal["constant", "two_stage", "smooth"]
_STAGE, _SMOOTH, _LENGTH_STEPS = 30, 150, 105
_WORDS = 512
_THINK = r"^<think>.*?</think>"
_CALL = r"\n<tool_call>\n.*?\n</tool_call>"
_RESPONSE = r"\n<response>.*?</response>"


@dataclass(frozen=True, slots=True)
class ToolRLScore:
    """The parts of ToolRL's reward, and their sum."""

    score: float
    format: float
    correctness: float
    length: float


@dataclass(frozen=True, slots=True)
class ToolRL:
    r"""ToolRL's reward of a response text.

    Args:
        variant: How calls are compared; see :func:`toolrl_correctness`.
        schedule: ``constant``; ``two_stage``: correctness is a third before step 30 and
            format half after it; ``smooth``: format falls and correctness grows over 150
            steps.
        bound: Correctness lies in ``[-bound, bound]``: 3, or 1 as in its ablation.
        length: Also reward long thoughts, up to 512 words.
        growing_length: The length asked for grows from 384 to 640 words.

    Example:
        >>> gold = "<think>t</think>\n<response>Hi</response>"
        >>> ToolRL()(gold, gold)
        ToolRLScore(score=1.0, format=1.0, correctness=0.0, length=0.0)
    """

    variant: Variant = "default"
    schedule: Schedule = "constant"
    bound: float = 3.0
    length: bool = False
    growing_length: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown schedules."""
        if self.schedule not in ("constant", "two_stage", "smooth"):
            raise UsageError(
                "schedule must be constant, two_stage or smooth, "
                f"received {self.schedule!r}."
            )

    def __call__(self, response: str, gold: str, step: int = 0) -> ToolRLScore:
        """Return the reward of ``response``.

        Args:
            response: What the model wrote, without the prompt.
            gold: The expected response in ToolRL's format.
            step: Training step, for the schedules.

        Raises:
            UsageError: The expected calls are no JSON.
        """
        form = self._format(response, gold, step)
        right = self._correctness(response, gold, step)
        words = self._length(response, step) if self.length else 0.0
        return ToolRLScore(form + right + words, form, right, words)

    def _format(self, response: str, gold: str, step: int) -> float:
        low, high = self._format_bounds(step)
        return high if _well_formed(response, gold) else low

    def _format_bounds(self, step: int) -> tuple[float, float]:
        if self.schedule == "two_stage":
            return 0.0, 0.5 if step >= _STAGE else 1.0
        if self.schedule == "smooth":
            return 0.0, max(1.0, 2.0 - step / _SMOOTH)
        return 0.0, 1.0

    def _correctness(self, response: str, gold: str, step: int) -> float:
        if "<tool_call>" not in gold:
            return 0.0
        low, high = self._correctness_bounds(step)
        expected = _expected(gold)
        try:
            found = _calls(response)
            return toolrl_correctness(expected, found, self.variant, low, high)
        except (ValueError, IndexError, UsageError, RecursionError, TypeError):
            return low  # its code catches every exception here

    def _correctness_bounds(self, step: int) -> tuple[float, float]:
        high = self.bound
        if self.schedule == "two_stage" and step < _STAGE:
            high = self.bound / 3
        if self.schedule == "smooth":
            high = min(self.bound, (self.bound - 2) * step / _SMOOTH + 2)
        return -high, high

    def _length(self, response: str, step: int) -> float:
        most = 256 * step / _LENGTH_STEPS + 384 if self.growing_length else _WORDS
        if "<think>" not in response or "</think>" not in response:
            return 0.0
        thoughts = (
            response.rsplit("<think>", maxsplit=1)[-1]
            .split("</think>", maxsplit=1)[0]
            .strip()
        )
        return min(1.0, round(len(thoughts.split()) / most, 2))


def _well_formed(response: str, gold: str) -> bool:
    asked = [tag for tag in ("tool_call", "response") if f"<{tag}>" in gold]
    parts = {"tool_call": _CALL, "response": _RESPONSE}
    pattern = _THINK + "".join(parts[tag] for tag in asked) + "$"
    once = all(
        response.count(f"<{tag}>") == response.count(f"</{tag}>") == 1 for tag in asked
    )
    return once and bool(re.search(pattern, response, re.DOTALL))


def _calls(text: str) -> list[Any]:
    block = text.split("<tool_call>")[1].split("</tool_call>", maxsplit=1)[0]
    return [json.loads(line) for line in block.strip().split("\n")]


def _expected(gold: str) -> list[Any]:
    try:
        return _calls(gold)
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"The expected response holds calls that are no JSON ({error}): "
            f"{gold[:100]!r}. Write one object a line between the tags."
        ) from None
