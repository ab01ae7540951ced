"""Cases that are laws: what must leave the score as it is, or never raise it.

They are tried on every row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reward_synth.verify.audit.rules import Case, Rule
from reward_synth.verify.audit.sample import Call, Sample, Writer


def law_cases() -> Iterator[Case]:
    """Yield the cases of this module.

    Example:
        >>> all(case.everywhere for case in law_cases())
        True
    """
    for name, rule, make in _OF_CALLS:
        yield Case(name, "laws", rule, _calls(make), everywhere=True)
    for name, dump in _OF_JSON:
        yield Case(name, "laws", "same", _json(dump), everywhere=True)
    for name, before, after in _AROUND:
        yield Case(name, "laws", "same", _around(before, after), everywhere=True)


def _calls(make: Callable[[Sequence[Call]], Sequence[Call] | None]) -> Any:
    def build(sample: Sample, writer: Writer) -> str | None:
        made = make(sample.calls) if sample.calls else None
        return None if made is None else writer(made)

    return build


def _json(dump: Callable[[Call], str]) -> Any:
    def build(sample: Sample, writer: Writer) -> str | None:
        if not sample.calls or not writer.tagged:
            return None
        calls = [json.loads(writer.written([call])) for call in sample.calls]
        return writer.block("\n".join(dump(call) for call in calls))

    return build


def _around(before: str, after: str) -> Any:
    def build(sample: Sample, writer: Writer) -> str | None:
        return before + writer(sample.calls) + after if sample.calls else None

    return build


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed_keys(value[key]) for key in reversed(value)}
    return value


def _wrong(call: Call) -> Call:
    return {
        "name": call["name"],
        "arguments": dict.fromkeys(call["arguments"], "wrong"),
    }


def _permuted(calls: Sequence[Call]) -> Sequence[Call] | None:
    return list(reversed(calls)) if len(calls) > 1 else None


_OF_CALLS: tuple[
    tuple[str, Rule, Callable[[Sequence[Call]], Sequence[Call] | None]], ...
] = (
    ("calls in reverse order", "most", _permuted),
    (
        "a right call more",
        "wrong",
        lambda calls: [*calls, calls[-1]],
    ),
    (
        "a call of an unknown tool more",
        "wrong",
        lambda calls: [*calls, {"name": "unknown_tool", "arguments": {"a": 1}}],
    ),
    (
        "a wrong call of a right tool more",
        "wrong",
        lambda calls: [*calls, _wrong(calls[0])],
    ),
    (
        "a right call less",
        "wrong",
        lambda calls: calls[:-1] if len(calls) > 1 else None,
    ),
    ("nothing but a wrong call of an unknown tool", "useless", lambda calls: [_odd()]),
)


def _odd() -> Call:
    return {"name": "unknown_tool", "arguments": {}}


_OF_JSON: tuple[tuple[str, Callable[[Call], str]], ...] = (
    ("keys in reverse order", lambda call: json.dumps(_reversed_keys(call))),
    ("no white space in JSON", lambda call: json.dumps(call, separators=(",", ":"))),
    ("much white space in JSON", lambda call: json.dumps(call, indent=4)),
    ("letters written out", lambda call: json.dumps(call, ensure_ascii=False)),
)

_AROUND = (
    ("a line feed after", "", "\n"),
    ("a space before", " ", ""),
)
