"""Calls a reward function as its trainer would."""

from __future__ import annotations

import asyncio
import copy
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from reward_synth.verify.audit.loading import Form
from reward_synth.verify.audit.sample import Sample


@dataclass(frozen=True, slots=True)
class Answered:
    """What a function gave in one call, or in one call an answer."""

    scores: list[Any]
    spoilt: bool
    """It changed what it was given."""
    seconds: float
    """Of the function alone."""


class Target:
    """A reward function that can be asked for the scores of answers.

    Example:
        >>> target = Target(lambda answer, gold: float(answer == gold), "plain", "gold")
        >>> row = Sample("2 + 2?", "4", "No.", columns={"gold": "4"})
        >>> target([(row, "4"), (row, "5")]).scores
        [1.0, 0.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        form: Form,
        gold: str = "",
        *,
        messages: bool = False,
    ) -> None:
        self.function = function
        self.form = form
        self.gold = gold
        self.messages = messages or form in ("verifiers", "verifiers_group")
        """Whether answers are given as messages."""

    @property
    def takes_messages(self) -> bool:
        """Whether the form can pass messages at all."""
        return self.form not in ("verl", "verl_batch")

    @property
    def batched(self) -> bool:
        """Whether one call is given many answers."""
        return self.form in ("trl", "verl_batch", "verifiers_group")

    def __call__(self, asked: Sequence[tuple[Sample, Any]]) -> Answered:
        """Return what the function gives for each answer."""
        if self.batched:
            found, spoilt, seconds = self._once(self._prepared(asked))
            return Answered(list(found), spoilt, seconds)
        every = [self._once(self._prepared(item)) for item in asked]
        return Answered(
            [found for found, *_ in every],
            any(spoilt for _, spoilt, _ in every),
            sum(seconds for *_, seconds in every),
        )

    def _prepared(self, asked: Any) -> dict[str, Any]:
        prepare = getattr(self, f"_{self.form}")
        found: dict[str, Any] = prepare(asked) if self.batched else prepare(*asked)
        return found

    def _once(self, arguments: dict[str, Any]) -> tuple[Any, bool, float]:
        """Return the function's value, whether it changed its arguments, and seconds."""
        before = copy.deepcopy({k: v for k, v in arguments.items() if _small(k)})
        began = time.perf_counter()
        found = self._run(**arguments)
        seconds = time.perf_counter() - began
        return found, before != {k: arguments[k] for k in before}, seconds

    def _run(self, **arguments: Any) -> Any:
        positional = arguments.pop("_positional", ())
        given = _accepted(self.function, arguments)
        found = self.function(*positional, **given)
        return asyncio.run(_awaited(found)) if inspect.isawaitable(found) else found

    def expected(self, sample: Sample) -> Any:
        """Return the column with what is expected."""
        return sample.columns.get(self.gold, "")

    def _said(self, answer: Any) -> Any:
        if self.messages and isinstance(answer, str):
            return [{"role": "assistant", "content": answer}]
        return answer

    def _asked(self, sample: Sample) -> Any:
        if self.messages and isinstance(sample.prompt, str):
            return [{"role": "user", "content": sample.prompt}]
        return sample.prompt

    def _trl(self, asked: Sequence[tuple[Sample, Any]]) -> dict[str, Any]:
        columns = asked[0][0].columns
        return {
            **{name: [s.columns.get(name) for s, _ in asked] for name in columns},
            "prompts": [self._asked(sample) for sample, _ in asked],
            "completions": [self._said(answer) for _, answer in asked],
            "completion_ids": [[0] for _ in asked],
            "trainer_state": None,
            "log_extra": _ignored,
            "log_metric": _ignored,
        }

    def _verl(self, sample: Sample, answer: Any) -> dict[str, Any]:
        return {
            "data_source": sample.columns.get("data_source", "audit"),
            "solution_str": answer,
            "ground_truth": copy.deepcopy(self.expected(sample)),
            "extra_info": dict(sample.columns.get("extra_info") or {}),
        }

    def _verl_batch(self, asked: Sequence[tuple[Sample, Any]]) -> dict[str, Any]:
        rows = [self._verl(sample, answer) for sample, answer in asked]
        names = ("data_source", "solution_str", "ground_truth", "extra_info")
        return {f"{name}s": [row[name] for row in rows] for name in names}

    def _verifiers(self, sample: Sample, answer: Any) -> dict[str, Any]:
        columns = copy.deepcopy(dict(sample.columns))
        return {
            **columns,
            "prompt": self._asked(sample),
            "completion": self._said(answer),
            "answer": columns.get("answer", columns.get(self.gold, "")),
            "info": columns,
            "state": {"prompt": self._asked(sample), "completion": self._said(answer)},
            "task": "audit",
            "parser": None,
        }

    def _verifiers_group(self, asked: Sequence[tuple[Sample, Any]]) -> dict[str, Any]:
        rows = [self._verifiers(sample, answer) for sample, answer in asked]
        names = ("prompt", "completion", "answer", "state", "info", "task")
        return {f"{name}s": [row[name] for row in rows] for name in names}

    def _verifiers_v1(self, sample: Sample, answer: Any) -> dict[str, Any]:
        given = _as_messages(answer)
        own = [_message(item) for item in given if item.get("role") == "assistant"]
        trace = SimpleNamespace(
            assistant_messages=own,
            tool_messages=[
                _message(item) for item in given if item.get("role") == "tool"
            ],
            last_reply=own[-1].content if own else "",
            record_metric=_ignored,
        )
        columns = copy.deepcopy(dict(sample.columns))
        task = SimpleNamespace(**{"prompt": sample.prompt, **columns})
        return {"task": task, "trace": trace, "runtime": None}

    def _plain(self, sample: Sample, answer: Any) -> dict[str, Any]:
        return {
            "_positional": (self._said(answer), copy.deepcopy(self.expected(sample)))
        }


async def _awaited(found: Any) -> Any:
    return await found


def _ignored(*values: Any) -> None:
    """Take what a function logs."""


def _as_messages(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, str):
        return [{"role": "assistant", "content": answer}]
    return list(answer)


def _message(item: Mapping[str, Any]) -> SimpleNamespace:
    """Return a message with attributes, its calls flat, as verifiers v1 has them."""
    calls = [call.get("function", call) for call in item.get("tool_calls", ())]
    return SimpleNamespace(
        role=item.get("role"),
        content=item.get("content", ""),
        tool_calls=[SimpleNamespace(id=str(i), **call) for i, call in enumerate(calls)],
    )


def _small(name: str) -> bool:
    """Return whether an argument is compared with a copy.

    Answers, which may be deep, and what is made anew for each call are not.
    """
    return name not in (
        "completions",
        "completion",
        "solution_str",
        "solution_strs",
        "trace",
        "task",
        "state",
        "states",
        "prompts",
        "trainer_state",
        "log_extra",
        "log_metric",
        "_positional",
    )


def _accepted(
    function: Callable[..., Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that a function names; all, if it takes ``**kwargs``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return dict(arguments)
    if any(item.kind is item.VAR_KEYWORD for item in parameters):
        return dict(arguments)
    names = {item.name for item in parameters}
    return {name: value for name, value in arguments.items() if name in names}
