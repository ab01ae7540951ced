"""The three forms in which answers hold code: fenced, in JSON, and bare.

Every function reads the text in a bounded number of passes, so that no answer,
however odd, takes more than linear time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_KEYS = (
    "code",
    "program",
    "reward",
    "reward_code",
    "reward_function",
    "compute_reward",
    "source",
    "python",
)
_MOST_OBJECTS = 8
_DEEPEST = 3

_STARTS = re.compile(r"import[ \t]+\w|from[ \t]+[\w.]{1,80}[ \t]+import\b|def[ \t]+\w")
_CODE_LINE = re.compile(
    r"[ \t#@)\]}]"  # indented, comment, decorator, end of a bracket
    r"|$"
    r"|[A-Za-z_]\w{0,80}[ \t]*(?::[^=]{1,80})?=[^=]"  # assignment
)
_QUOTES = re.compile(r"\"\"\"|'''")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an answer that may be a program."""

    code: str
    closed: bool
    """False if the answer ended before the block did."""


@dataclass(frozen=True, slots=True)
class _Fence:
    """A run of backquotes or tildes that opens or closes a block."""

    mark: str
    before: str
    info: str


def find_blocks(text: str) -> list[Block]:
    r"""Return the fenced code blocks, the last one perhaps unclosed.

    Example:
        >>> find_blocks("```py\na = 1\n```\nand\n```\nb = 2")
        [Block(code='a = 1', closed=True), Block(code='b = 2', closed=False)]
    """
    blocks: list[Block] = []
    mark = ""
    inside: list[str] = []
    for line in text.split("\n"):
        fence = _fence(line)
        if not mark:
            if fence and _opens(fence):
                mark, inside = fence.mark, []
        elif fence and _closes(fence, mark):
            inside.append(fence.before)
            blocks.append(_block(inside, closed=True))
            mark = ""
        else:
            inside.append(line)
    if mark:
        blocks.append(_block(inside, closed=False))
    return blocks


def find_json_code(text: str) -> str | None:
    """Return the program in a JSON object of ``text``, None if there is none.

    Example:
        >>> find_json_code('{"plan": "reach", "code": "def compute_reward(x): ..."}')
        'def compute_reward(x): ...'
    """
    decoder = json.JSONDecoder(strict=False)  # line breaks within strings happen
    place = -1
    for _ in range(_MOST_OBJECTS):
        place = text.find("{", place + 1)
        if place < 0:
            return None
        try:
            found, _end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        code = _dig(found, _DEEPEST)
        if code is not None:
            return code
    return None


def find_raw_code(text: str) -> list[Block]:
    r"""Return the stretches of unfenced code between lines of prose.

    Example:
        >>> find_raw_code("Sure!\ndef f(x):\n    return x\nHope this helps.")
        [Block(code='def f(x):\n    return x', closed=True)]
    """
    blocks: list[Block] = []
    inside: list[str] = []
    quote = ""
    for line in text.split("\n"):
        starts = _STARTS.match(line) is not None
        if quote or starts or (inside and _CODE_LINE.match(line)):
            inside.append(line)
            quote = _quote_after(line, quote)
        elif inside:
            blocks.append(_block(inside, closed=True))
            inside = []
    if inside:
        blocks.append(_block(inside, closed=not quote))
    return blocks


def _block(lines: list[str], *, closed: bool) -> Block:
    return Block("\n".join(lines).rstrip(), closed)


def _fence(line: str) -> _Fence | None:
    place = line.find("```")
    if place < 0:
        place = line.find("~~~") if line.lstrip().startswith("~~~") else -1
    if place < 0:
        return None
    rest = line[place:]
    info = rest.lstrip(rest[0])
    return _Fence(rest[: len(rest) - len(info)], line[:place], info.strip())


def _opens(fence: _Fence) -> bool:
    # "Here: ```python" opens a block, "use ```x``` for it" does not.
    at_start = not fence.before.strip()
    return "`" not in fence.info and (at_start or fence.info.isalnum())


def _closes(fence: _Fence, mark: str) -> bool:
    # Some models close right behind the last line of code.
    return fence.mark.startswith(mark) and not fence.info


def _dig(value: Any, depth: int) -> str | None:
    """Return the first string that holds a definition, known keys first."""
    if isinstance(value, str):
        return value if "def " in value else None
    if depth == 0:
        return None
    for child in _children(value):
        code = _dig(child, depth - 1)
        if code is not None:
            return code
    return None


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[key] for key in _KEYS if key in value)
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _quote_after(line: str, quote: str) -> str:
    """Return the triple quote that is still open after ``line``."""
    for mark in _QUOTES.findall(line):
        if not quote:
            quote = mark
        elif quote == mark:
            quote = ""
    return quote
