"""What a reward function is audited on: rows with a known right answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from reward_synth.errors import UsageError

Syntax = Literal["tags", "toolrl", "json", "python"]
SYNTAXES: tuple[Syntax, ...] = ("tags", "toolrl", "json", "python")
Gold = Literal["calls", "json", "text"]
GOLDS: tuple[Gold, ...] = ("calls", "json", "text")

Call = Mapping[str, Any]
"""``{"name": …, "arguments": {…}}``."""

GOLD_NAMES = ("answer", "gold", "ground_truth", "expected", "solution", "target")
"""Columns under which the built-in rows give what is expected."""
ABSTAINS = "I cannot help with that."


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes calls as an answer, in the syntax that the reward function reads.

    Example:
        >>> Writer("json")([{"name": "f", "arguments": {}}])
        '[{"name": "f", "arguments": {}}]'
    """

    syntax: Syntax = "tags"

    def __post_init__(self) -> None:
        """Refuse unknown syntaxes."""
        if self.syntax not in SYNTAXES:
            raise UsageError(
                f"syntax must be one of {SYNTAXES}, received {self.syntax!r}."
            )

    @property
    def tagged(self) -> bool:
        """Whether calls stand in ``<tool_call>`` tags."""
        return self.syntax in ("tags", "toolrl")

    @property
    def lead(self) -> str:
        """What stands before the calls."""
        return "<think>Let me see.</think>\n" if self.syntax == "toolrl" else ""

    def __call__(self, calls: Sequence[Call]) -> str:
        """Return an answer of these calls; of none, an answer in words."""
        if not calls:
            return self.says("Nothing is to be done.")
        return self.block(self.written(calls))

    def written(self, calls: Sequence[Call]) -> str:
        """Return the calls as they stand within a block."""
        if self.syntax == "python":
            return "[" + ", ".join(_python(call) for call in calls) + "]"
        if self.syntax == "json":
            return json.dumps([self._named(call) for call in calls])
        return "\n".join(json.dumps(self._named(call)) for call in calls)

    def block(self, inside: str) -> str:
        """Return an answer whose block of calls holds this text."""
        if not self.tagged:
            return inside
        return f"{self.lead}<tool_call>\n{inside}\n</tool_call>"

    def says(self, text: str) -> str:
        """Return an answer in words, without a call."""
        if self.syntax == "toolrl":
            return f"{self.lead}<response>{text}</response>"
        return text

    def _named(self, call: Call) -> Call:
        if self.syntax != "toolrl" or "arguments" not in call:
            return call
        return {
            "parameters" if key == "arguments" else key: value
            for key, value in call.items()
        }


TAGS = Writer()
"""Writes calls in ``<tool_call>`` tags."""


def _python(call: Call) -> str:
    inside = ", ".join(f"{key}={value!r}" for key, value in call["arguments"].items())
    return f"{call['name']}({inside})"


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: what is asked, what is right, and the columns a function may read."""

    prompt: Any
    """A text or messages."""
    honest: Any
    """A right answer: a text or messages."""
    abstain: str
    """An answer that does nothing."""
    calls: tuple[Call, ...] = ()
    """Calls of the right answer, from which wrong ones are made; empty if it has none,
    or if they are not known."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    idle: bool = False
    """True: no call is expected, so abstaining is right."""


BUILT_IN: tuple[tuple[str, tuple[Call, ...]], ...] = (
    (
        "Book one seat for Monday, room 4.",
        ({"name": "book", "arguments": {"day": "Mon", "seats": 1, "room": 4}},),
    ),
    (
        "What is the weather in Köln and in Paris?",
        (
            {"name": "weather", "arguments": {"city": "Köln"}},
            {"name": "weather", "arguments": {"city": "Paris"}},
        ),
    ),
    ("Thanks, that is all.", ()),
    (
        "Pay 0.3 to -5, now, and tell no one.",
        (
            {
                "name": "pay",
                "arguments": {"sum": 0.3, "to": "-5", "now": True, "tell": False},
            },
        ),
    ),
    (
        "List /etc/hosts and read it.",
        (
            {"name": "list_files", "arguments": {"path": "/etc", "depth": 2}},
            {"name": "read_file", "arguments": {"path": "/etc/hosts"}},
        ),
    ),
    (
        "Say the closing tag to Ann.",
        (
            {
                "name": "say",
                "arguments": {"text": "</tool_call> & <tool_call>", "to": ["Ann"]},
            },
        ),
    ),
    (
        "Order two teas and one cake for Ann and Bob, no note.",
        (
            {
                "name": "order",
                "arguments": {
                    "items": [{"what": "tea", "count": 2}, {"what": "cake"}],
                    "guests": ["Ann", "Bob"],
                    "note": None,
                    "options": {"hot": True, "table": 1},
                },
            },
        ),
    ),
    ("How are you?", ()),
    (
        "Set the counter to 10000000000000000.",
        ({"name": "set_counter", "arguments": {"value": 10**16}},),
    ),
    (
        "Meet on 2026-03-01 at 1.5 hours past noon, code 007.",
        (
            {
                "name": "meet",
                "arguments": {"date": "2026-03-01", "hours": 1.5, "code": "007"},
            },
        ),
    ),
)
"""Requests, each with its right calls."""


def built_in(writer: Writer, gold: Gold = "calls") -> list[Sample]:
    """Return the rows that come with the audit.

    Args:
        writer: Writes the right answers.
        gold: How the columns give what is expected: a list of calls, the same as JSON
            text, or the right answer as it is written.

    Example:
        >>> rows = built_in(Writer())
        >>> len(rows), rows[2].idle, rows[0].columns["gold"][0]["name"]
        (10, True, 'book')
    """
    if gold not in GOLDS:
        raise UsageError(f"gold must be one of {GOLDS}, received {gold!r}.")
    return [_built_in(prompt, calls, writer, gold) for prompt, calls in BUILT_IN]


def _built_in(
    prompt: str, calls: tuple[Call, ...], writer: Writer, gold: Gold
) -> Sample:
    honest = writer(calls)
    named: Sequence[Call] = [
        writer._named(call) if writer.syntax == "toolrl" else call for call in calls
    ]
    forms = {"calls": named, "json": json.dumps(named), "text": honest}
    columns = dict.fromkeys(GOLD_NAMES, forms[gold])
    abstain = writer.says(ABSTAINS)
    return Sample(prompt, honest, abstain, calls, columns, idle=not calls)
