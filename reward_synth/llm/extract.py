"""Finding the program in a model's answer; nothing is run, imported or parsed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from reward_synth.llm.blocks import Block, find_blocks, find_json_code, find_raw_code

LONGEST_ANSWER = 1_000_000
TRUNCATED = "truncated"

_THINK_OPEN = re.compile(r"<(think(?:ing)?|reasoning)>", re.IGNORECASE)
_THINK_CLOSE = re.compile(r"</(?:think(?:ing)?|reasoning)>", re.IGNORECASE)
_INVISIBLE = str.maketrans({"\ufeff": None, "\u200b": None, "\u00a0": " "})
_ENTRY = {
    name: re.compile(rf"^[ \t]*def[ \t]+{name}[ \t]*\(", re.MULTILINE)
    for name in ("compute_reward", "compute_potential")
}
_DEF = re.compile(r"^[ \t]*def[ \t]+(\w{1,80})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The program of an answer, or why there is none."""

    code: str | None
    """Python source, ends with a newline; None if the answer holds none."""
    reason: str
    """Empty for a whole program, ``truncated`` for one whose end is missing, else a
    sentence that tells the model what to do."""


def extract_code(text: str) -> Extracted:
    r"""Return the program that an answer holds.

    Of several code blocks the last one that defines ``compute_reward`` counts, else
    the last that defines ``compute_potential``; whole blocks before broken ones.

    Example:
        >>> extract_code("Here it is:\n```python\ndef compute_reward(x):\n"
        ...              "    return {'x': x}\n```\nGood luck!").code
        "def compute_reward(x):\n    return {'x': x}\n"
        >>> extract_code("I cannot do that.").reason
        'The answer holds no code. Answer with one ```python block.'
    """
    if len(text) > LONGEST_ANSWER:
        return Extracted(
            None,
            f"The answer has {len(text)} characters; at most {LONGEST_ANSWER} are "
            "read. Answer with one short ```python block.",
        )
    cleaned = _without_thoughts(_normalize(text))
    if not cleaned.strip():
        return Extracted(None, _reason_for_nothing(text))
    return _pick(_candidates(cleaned))


def _candidates(text: str) -> list[Block]:
    """Return the blocks of the most explicit form that holds an entry point."""
    fenced = find_blocks(text)
    found = [inner for block in fenced for inner in _unpack(block)]
    if _any_entry(found):
        return found
    unpacked = _unpack(Block(text, closed=True))
    if unpacked and unpacked[0].code != text and _any_entry(unpacked):
        return unpacked
    # Fences around something else, as an explanation or a call, hide no raw program.
    raw = find_raw_code(text)
    return raw if _any_entry(raw) else found or raw


def _unpack(block: Block) -> list[Block]:
    """Return the program in a JSON object of the block, else the block itself."""
    code = find_json_code(block.code)
    if code is None:
        return [block]
    code = _normalize(code)
    return find_blocks(code) or [Block(code, closed=True)]


def _any_entry(blocks: Sequence[Block]) -> bool:
    return any(entry.search(b.code) for b in blocks for entry in _ENTRY.values())


def _pick(blocks: Sequence[Block]) -> Extracted:
    for entry in _ENTRY.values():
        for closed in (True, False):
            fitting = [
                block
                for block in blocks
                if block.closed is closed and entry.search(block.code)
            ]
            if fitting:
                return Extracted(_tidy(fitting[-1].code), "" if closed else TRUNCATED)
    return Extracted(None, _reason_for_none(blocks))


def _reason_for_none(blocks: Sequence[Block]) -> str:
    names = [name for block in blocks for name in _DEF.findall(block.code)]
    if names:
        shown = ", ".join(dict.fromkeys(names[:5]))
        return (
            f"The answer defines {shown}, but neither compute_reward nor "
            "compute_potential. Define compute_reward at the top level."
        )
    if any(not block.closed for block in blocks):
        return (
            "The answer ends before compute_reward begins. "
            "Answer with the code block first and little else."
        )
    return "The answer holds no code. Answer with one ```python block."


def _reason_for_nothing(text: str) -> str:
    if not text.strip():
        return "The answer is empty. Answer with one ```python block."
    return (
        "The answer ends within its thoughts and holds no program. "
        "Think less and answer with one ```python block."
    )


def _normalize(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)


def _without_thoughts(text: str) -> str:
    """Cut thinking parts, also one that never ends or whose begin is missing."""
    first = _THINK_CLOSE.search(text)
    start = _THINK_OPEN.search(text)
    if first and (start is None or start.start() > first.start()):
        # Chat templates often open the thinking part in the prompt already.
        text = text[first.end() :]
    kept: list[str] = []
    place = 0
    while opened := _THINK_OPEN.search(text, place):
        kept.append(text[place : opened.start()])
        closed = _THINK_CLOSE.search(text, opened.end())
        if closed is None:
            return "".join(kept)
        place = closed.end()
    return "".join([*kept, text[place:]])


def _tidy(code: str) -> str:
    lines = textwrap.dedent(code).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
