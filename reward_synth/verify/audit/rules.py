"""Cases: answers that should not pay, and how much each may score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reward_synth.verify.audit.sample import Sample, Writer

Rule = Literal["useless", "wrong", "most", "same"]
RULES: Mapping[Rule, str] = {
    "useless": "no more than an abstaining answer",
    "wrong": "less than an honest answer",
    "most": "no more than an honest answer",
    "same": "as much as an honest answer",
}
"""How much an answer may score, beside the honest and the abstaining one of its row."""

Group = Literal["structure", "values", "unicode", "resources", "code", "judges", "laws"]
Build = Callable[[Sample, Writer], Any]
"""Returns the answer (a text, or messages), or None where the row does not allow it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One answer that a reward function is given."""

    name: str
    group: Group
    rule: Rule
    build: Build
    everywhere: bool = False
    """True: on every row that allows it, not on the first alone."""


def first(calls: tuple[Any, ...]) -> Any:
    """Return the first call, or None.

    Example:
        >>> first(()) is None
        True
    """
    return calls[0] if calls else None


def changed(sample: Sample, place: int, **new: Any) -> list[dict[str, Any]]:
    """Return a row's calls with keys of one of them replaced.

    Example:
        >>> row = Sample("", "", "", ({"name": "f", "arguments": {}},))
        >>> changed(row, 0, name="g")
        [{'name': 'g', 'arguments': {}}]
    """
    calls = [dict(call) for call in sample.calls]
    calls[place].update(new)
    return calls


def arguments_of(sample: Sample) -> Iterator[tuple[int, str, Any]]:
    """Yield place, name and value of every argument of a row's calls.

    Example:
        >>> row = Sample("", "", "", ({"name": "f", "arguments": {"a": 1}},))
        >>> list(arguments_of(row))
        [(0, 'a', 1)]
    """
    for place, call in enumerate(sample.calls):
        for key, value in call["arguments"].items():
            yield place, key, value


def with_value(sample: Sample, place: int, key: str, value: Any) -> list[Any]:
    """Return a row's calls with the value of one argument replaced.

    Example:
        >>> row = Sample("", "", "", ({"name": "f", "arguments": {"a": 1}},))
        >>> with_value(row, 0, "a", 2)
        [{'name': 'f', 'arguments': {'a': 2}}]
    """
    arguments = {**sample.calls[place]["arguments"], key: value}
    return changed(sample, place, arguments=arguments)
