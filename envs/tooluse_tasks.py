"""What a task of tool use is made of: facts, wishes, and the calls that fulfil them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Protocol

import numpy as np

from reward_synth.envs.tooluse_functions import ToolFunction
from reward_synth.verify import ToolCall

Documents = Mapping[str, Any]
"""What a world holds at first, as JSON data."""
_LONGEST = 4000
"""Characters of an output that are told."""


class World(Protocol):
    """What the tools of a domain act on; new for each episode."""

    def state(self) -> Mapping[str, Any]:
        """Return all that matters at the end, in an order of its own."""

    def close(self) -> None:
        """Give back what it holds."""


def as_json(value: Any) -> str:
    r"""Return JSON in which no text looks like a tag or a token of a chat template.

    Example:
        >>> as_json({"é": "<|im_start|>"})
        '{"é": "\\u003c|im_start|>"}'
    """
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


@dataclass(frozen=True, slots=True)
class Output:
    """What a call gave."""

    call: ToolCall
    value: Any
    """What the tool returned, or the words of its refusal."""
    failed: bool = False

    @property
    def text(self) -> str:
        """One line of JSON; whatever it repeats stands in quotes.

        Example:
            >>> Output(ToolCall("f"), "No.", failed=True).text
            '{"error": "No."}'
        """
        key = "error" if self.failed else "result"
        told = as_json({key: self.value})
        return told if len(told) <= _LONGEST else as_json({key: f"{told[:_LONGEST]}…"})

    def plain(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "name": self.call.name,
            "arguments": self.call.arguments,
            "output": self.text,
            "failed": self.failed,
        }


@dataclass(frozen=True, slots=True)
class Lookup:
    """A call that tells a value which the instruction does not."""

    tool: str
    facts: Mapping[str, Fact]
    """What it is called with."""
    words: str
    """How the instruction says it, such as ``the meeting {title}``."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that a call needs, and how it may be learned where it is not told.

    Example:
        >>> title = Fact("title", "amber mill")
        >>> event = Fact("event_id", "E1", "event {value}",
        ...     Lookup("find_event", {"title": title}, "the meeting {title}"))
        >>> [item if isinstance(item, str) else item.value for item in event.pieces(True)]
        ['the meeting ', "'", 'amber mill', "'"]
        >>> [call.name for call in event.calls(deep=True)], event.calls(deep=False)
        (['find_event'], [])
    """

    kind: str
    """Name of the arguments that it can be, and of the key of outputs that tell it."""
    value: Any
    words: str = "'{value}'"
    lookup: Lookup | None = None

    def pieces(self, deep: bool) -> Iterator[str | Fact]:
        """Yield the words that say it, told values as facts."""
        if deep and self.lookup is not None:
            yield from pieces(self.lookup.words, self.lookup.facts, deep=True)
            return
        before, _, after = self.words.partition("{value}")
        yield from filter(None, (before,))
        yield self
        yield from filter(None, (after,))

    def calls(self, *, deep: bool) -> list[ToolCall]:
        """Return the calls that tell it, in an order in which each can be made."""
        if not deep or self.lookup is None:
            return []
        return calls_of(self.lookup.tool, self.lookup.facts, deep=True)

    def inside(self) -> Iterator[Fact]:
        """Yield it and every fact that its lookups need."""
        yield self
        for item in self.lookup.facts.values() if self.lookup else ():
            yield from item.inside()


def pieces(
    words: str, facts: Mapping[str, Fact], *, deep: bool
) -> Iterator[str | Fact]:
    """Yield the words of a sentence with facts in it, told values as facts."""
    for before, name, _, _ in Formatter().parse(words):
        yield from filter(None, (before,))
        if name:
            yield from facts[name].pieces(deep)


def calls_of(tool: str, facts: Mapping[str, Fact], *, deep: bool) -> list[ToolCall]:
    """Return a call behind those that tell what it needs."""
    before = [call for item in facts.values() for call in item.calls(deep=deep)]
    return [*before, ToolCall(tool, {name: f.value for name, f in facts.items()})]


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that is to be done, by one call that changes the world."""

    tool: str
    facts: Mapping[str, Fact]
    wordings: tuple[str, ...]
    """Sentences that ask for it; each names every fact once."""

    @property
    def has_lookup(self) -> bool:
        """Whether anything in it can be left untold."""
        return any(item.lookup is not None for item in self.facts.values())

    def identities(self, keys: frozenset[str]) -> set[tuple[str, Any]]:
        """Return the things that it concerns; wishes that share one may disturb others."""
        inside = (item for fact in self.facts.values() for item in fact.inside())
        return {(item.kind, item.value) for item in inside if item.kind in keys}


Maker = Callable[[np.random.Generator, Documents], Wish]


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of the world: its documents, its tools, and what may be wished for in it."""

    name: str
    about: str
    """A sentence for who acts in it."""
    tools: tuple[ToolFunction, ...]
    documents: Callable[[np.random.Generator, int], Documents]
    """Draws what the world holds at first; the number scales it."""
    world: Callable[[Documents], World]
    makers: tuple[Maker, ...]
    """Each draws a wish of one sort; the same sorts in every task."""
    kinds: tuple[str, ...]
    """Kinds of values that calls take."""
    keys: frozenset[str]
    """Those that say which thing is meant; wishes of one task share no such value."""

    def tool(self, name: str) -> ToolFunction | None:
        """Return the tool of a name, or None."""
        return next((item for item in self.tools if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Told:
    """A value in the instruction."""

    kind: str
    value: Any
    sentence: int


@dataclass(frozen=True, slots=True)
class Task:
    """A request, the world that it is made in, and how it ends where it is fulfilled.

    Whether an episode succeeded is decided by the state alone. The expected calls are one
    way there; graded rewards are made of them.
    """

    domain: str
    level: str
    instruction: str
    documents: Documents
    expected: tuple[ToolCall, ...]
    """In an order in which each can be made."""
    tools: tuple[str, ...]
    """Names of the tools that are offered, in the domain's order."""
    told: tuple[Told, ...]
    """Values of the instruction, in its order."""
    sorts: tuple[tuple[int, int], ...]
    """Of each sentence: which of the domain's makers, and which wording."""
    answers: tuple[str, ...]
    """What the tools say to the expected calls."""
    gold: Mapping[str, Any] = field(repr=False)
    """The state after the expected calls."""

    def fulfilled(self, state: Mapping[str, Any]) -> bool:
        """Tell whether a state is the wished one."""
        return bool(self.gold == state)

    def plain_calls(self) -> list[dict[str, Any]]:
        """Return the expected calls as JSON data.

        Example:
            >>> call = ToolCall("f", {"a": 1})
            >>> Task("d", "single", "Do.", {}, (call,), (), (), (), (), {}).plain_calls()
            [{'name': 'f', 'arguments': {'a': 1}}]
        """
        return [
            {"name": call.name, "arguments": dict(call.arguments)}
            for call in self.expected
        ]


def sentence(found: Sequence[str | Fact], place: int) -> tuple[str, list[Told]]:
    """Return a sentence, and the values that it tells."""
    told = [Told(x.kind, x.value, place) for x in found if isinstance(x, Fact)]
    text = "".join(x if isinstance(x, str) else str(x.value) for x in found)
    return text, told
