"""FTRL's four rewards of a step, after its published code.

Source: Ye et al., 2025, "Feedback-Driven Tool-Use Improvements in Large Language Models via
Automated Build Environments", arXiv:2508.08791; behaviour of its repository's ``tool.py``.
Kept as it is there:

* a call solves an answer if the answer's pieces stand anywhere in its output, error
  messages included: ``f(x42=0)`` solves 42, because the error repeats the name;
* an empty answer is solved by anything;
* with every answer solved, any text earns 0.5.

The repaired twin is :func:`reward_synth.verify.rewards.executed_calls`. Unlike there, the
sets of answers that are given are not changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from reward_synth.errors import UsageError

FTRLVariant = Literal["f1", "pr", "precision", "rate"]
_VARIANTS = ("f1", "pr", "precision", "rate")
_MALFORMED = ("<tool_call>", "</tool_call>", "<tool_parsed_response>")


def ftrl_solves(output: Any, answer: str) -> bool:
    """Return whether an output holds every piece of an answer.

    Example:
        >>> ftrl_solves("15 people", "5")
        True
    """
    text = _plain(_written(output))
    return all(_plain(piece) in text for piece in answer.split(", "))


def ftrl_step(
    calls: Sequence[tuple[str, Any]],
    unsolved: Mapping[str, Sequence[str]],
    *,
    content: str = "",
    answer: str | None = None,
    solve_rate: float = 0.0,
    variant: FTRLVariant = "f1",
) -> float:
    """Return FTRL's reward of one step.

    Args:
        calls: Name and output of each executed call, in order.
        unsolved: Answers that each tool still has to give.
        content: What the model wrote, read where it made no call.
        answer: The final answer.
        solve_rate: Share of answers solved so far.
        variant: With q of n calls that solve something: ``f1`` 2q/(n+1), ``pr`` q²/n,
            ``precision`` q/n, ``rate`` q.

    Raises:
        UsageError: The variant is unknown.

    Example:
        >>> ftrl_step([("pop", "2,100,000")], {"pop": ["2100000"]})
        1.0
    """
    if variant not in _VARIANTS:
        raise UsageError(f"variant must be one of {_VARIANTS}, received {variant!r}.")
    if not calls:
        return _words(content, unsolved, answer, solve_rate)
    solved, count = _solved(calls, unsolved), len(calls)
    scores = {
        "f1": 2 * solved / (count + 1),
        "pr": solved * solved / count,
        "precision": solved / count,
        "rate": float(solved),
    }
    return scores[variant]


def _solved(
    calls: Sequence[tuple[str, Any]], unsolved: Mapping[str, Sequence[str]]
) -> int:
    left = {name: list(answers) for name, answers in unsolved.items()}
    solved = 0
    for name, output in calls:
        answers = left.get(name, [])
        found = next((a for a in answers if ftrl_solves(output, a)), None)
        if found is not None:
            answers.remove(found)
            solved += 1
    return solved


def _words(
    content: str,
    unsolved: Mapping[str, Sequence[str]],
    answer: str | None,
    solve_rate: float,
) -> float:
    if not content:
        return -0.5
    if any(mark in content for mark in _MALFORMED):
        return -0.3
    if answer is not None and _plain(answer) in _plain(content):
        return 1 / (1 + sum(len(answers) for answers in unsolved.values()))
    return 0.5 if solve_rate == 1.0 else 0.0


def _written(output: Any) -> str:
    if isinstance(output, dict | list):
        return json.dumps(output, ensure_ascii=False)
    return str(output)


def _plain(text: str) -> str:
    return text.lower().replace(",", "").strip()
