"""Cases on size: what makes a careless reader slow, or overflows its stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from reward_synth.verify.audit.rules import Case
from reward_synth.verify.audit.sample import Sample, Writer

MILLION = 1_000_000
_FIRST = "book"


def resource_cases() -> Iterator[Case]:
    """Yield the cases of this module.

    Example:
        >>> all(case.group == "resources" for case in resource_cases())
        True
    """
    for name, text in _TEXTS:
        yield Case(name, "resources", "most", _bare(text))
    for name, inside in _BLOCKS:
        yield Case(name, "resources", "most", _inside(inside))
    for name, talk in _MESSAGES:
        yield Case(name, "resources", "most", _talk(talk))


def _bare(text: Callable[[], str]) -> Any:
    return lambda sample, writer: text() if sample.calls else None


def _inside(inside: Callable[[str], str]) -> Any:
    def build(sample: Sample, writer: Writer) -> str | None:
        if not sample.calls:
            return None
        return writer.block(inside(sample.calls[0]["name"]))

    return build


def _talk(talk: Callable[[str], list[dict[str, Any]]]) -> Any:
    def build(sample: Sample, writer: Writer) -> list[dict[str, Any]] | None:
        return talk(writer(sample.calls)) if sample.calls else None

    return build


def _call(name: str, arguments: str) -> str:
    return f'{{"name": "{name}", "arguments": {arguments}}}'


_TEXTS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("ten million characters", lambda: "x" * 10 * MILLION),
    ("ten million spaces", lambda: " " * 10 * MILLION),
    ("a million lines", lambda: "\n" * MILLION),
    ("ten million letters beyond ASCII", lambda: "\N{SNOWMAN}" * 10 * MILLION),
    ("18,000 opening tags", lambda: "<tool_call>" * 18_000),
    ("18,000 tags of thoughts", lambda: "<think>" * 18_000),
    ("a long thought without an end", lambda: "<think>\n" + "a\n" * 28_000),
    ("100,000 angle brackets", lambda: "< " * 100_000),
    ("10,000 blocks", lambda: "<tool_call>\n{}\n</tool_call>" * 10_000),
    ("100,000 fences", lambda: "```" * 100_000),
    ("19,000 signs as Python", lambda: "f(" + "-" * 19_000 + "1)"),
    ("9,000 parentheses", lambda: "f(" + "(" * 9_000),
    ("a sum of 9,000", lambda: "f(a=" + "1+" * 9_000 + "1)"),
    ("a tower of powers", lambda: "f(a=9**9**9**9)"),
    ("a large product of a text", lambda: "f(a='x'*10**12)"),
    ("spaces before a dot, 50,000", lambda: "a" + " " * 50_000 + "."),
)

_BLOCKS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("100,000 lists within each other", lambda n: "[" * 100_000 + "]" * 100_000),
    ("100,000 lists that stay open", lambda n: "[" * 100_000),
    (
        "an argument 100,000 deep",
        lambda n: _call(n, '{"a":' * 100_000 + "1" + "}" * 100_000),
    ),
    ("an argument 900 deep", lambda n: _call(n, '{"a":' * 900 + "1" + "}" * 900)),
    (
        "100,000 calls",
        lambda n: "\n".join([_call(n, "{}")] * 100_000),
    ),
    (
        "2,000 different calls",
        lambda n: "\n".join(_call(n, f'{{"a": {i}}}') for i in range(2_000)),
    ),
    (
        "100,000 arguments",
        lambda n: _call(n, json.dumps({str(i): i for i in range(100_000)})),
    ),
    (
        "an argument of ten million characters",
        lambda n: _call(n, json.dumps({"a": "x" * 10 * MILLION})),
    ),
    (
        "a name of a million characters",
        lambda n: _call(n * (MILLION // max(1, len(n))), "{}"),
    ),
    ("a number of 100,000 digits", lambda n: _call(n, f'{{"a": {"9" * 100_000}}}')),
    ("90,000 escaped quotes", lambda n: '"' + '\\"' * 90_000),
    ("90,000 quotes", lambda n: '"' * 90_000),
    ("100,000 empty lines", lambda n: "\n" * 100_000 + _call(n, "{}")),
    ("100,000 commas", lambda n: "[" + "," * 100_000 + "]"),
)

_MESSAGES: tuple[tuple[str, Callable[[str], list[dict[str, Any]]]], ...] = (
    (
        "100,000 messages",
        lambda good: [{"role": "assistant", "content": "x"}] * 100_000,
    ),
    (
        "100,000 calls in one message",
        lambda good: [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {"type": "function", "function": {"name": "f", "arguments": "{}"}}
                ]
                * 100_000,
            }
        ],
    ),
    (
        "ten million characters of a tool",
        lambda good: [
            {"role": "tool", "content": "x" * 10 * MILLION},
            {"role": "assistant", "content": "No."},
        ],
    ),
)
