"""Calls in ``<tool_call>`` tags, the form of Hermes, Qwen and ToolRL.

What a text cannot be allowed to do is refused rather than mended: to open a turn of its
own, to pretend that a tool has answered, or to hide a tag from one of two readers.
"""

from __future__ import annotations

import re
import unicodedata

from reward_synth.verify.calls import ToolCall
from reward_synth.verify.limits import UnreadableError
from reward_synth.verify.plain_calls import calls_in, usual_call
from reward_synth.verify.strict_json import StrictJSON, skip_space

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_THINK, _THOUGHT = "<think>", "</think>"
_ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>")
_TURNS = re.compile(
    r"<\|(?:im_start|im_end|start_header_id|end_header_id|eot_id|system|user|assistant)\|>",
    re.IGNORECASE,
)
_ANSWERS = re.compile(
    r"</?(?:tool_response|tool_result|tool_output|tool_parsed_response|information|"
    r"observation|function_results?)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<\s*/?\s*(?:tool_calls?|think)\b", re.IGNORECASE)
_HIDDEN = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
_FENCE = re.compile(r"\A```[a-z]*\s*\n(.*?)\n?```\s*\Z", re.DOTALL)


def has_tags(text: str) -> bool:
    """Return whether a text holds a tag of a call, however it is spelt.

    Example:
        >>> has_tags("<tool_call>{}</tool_call>"), has_tags("2 < 3")
        (True, False)
    """
    return "<" in text and bool(_TAG.search(_unhidden(text)))


def spoken(text: str) -> str:
    r"""Return a completion without the thoughts before it and its end token.

    Raises:
        UnreadableError: It opens a turn, speaks for a tool, or never ends a thought.

    Example:
        >>> spoken("<think>\nhm\n</think>\nDone.<|im_end|>")
        'Done.'
    """
    text = _cut_end(text.strip())
    if "<" not in text:
        return text
    if found := _TURNS.search(text):
        raise UnreadableError("role_token", f"the text holds {found.group()}")
    text = _after_thoughts(text)
    if found := _ANSWERS.search(_unhidden(text)):
        raise UnreadableError(
            "impersonation", f"the text speaks for a tool: {found.group()}"
        )
    if _THINK in text or _THOUGHT in text:
        raise UnreadableError("malformed", "a thought that is not at the beginning")
    return text


def tagged_calls(text: str, reader: StrictJSON) -> list[ToolCall]:
    r"""Return the calls of every block of a text.

    A block holds one JSON value, or one a line; it ends at the tag after its JSON, so a
    closing tag within a JSON string is just text.

    Raises:
        UnreadableError: A block is not whole, or a tag is misspelt or hidden.

    Example:
        >>> from reward_synth.verify.limits import Limits
        >>> text = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'
        >>> tagged_calls(text, StrictJSON(Limits()))
        [ToolCall(name='f', arguments={})]
    """
    found: list[ToolCall] = []
    at, outside = 0, []
    while (start := text.find(_OPEN, at)) >= 0:
        outside.append(text[at:start])
        at = _block(text, start + len(_OPEN), reader, found)
    outside.append(text[at:])
    stray = _TAG.search(_unhidden(" ".join(outside)))
    if stray:
        raise UnreadableError(
            "malformed", f"a stray or misspelt tag: {stray.group()!r}"
        )
    return found


def _block(text: str, at: int, reader: StrictJSON, found: list[ToolCall]) -> int:
    """Read one block's values into ``found``; return where the text goes on."""
    before = len(found)
    # A short text cannot hold too many values: sizes need no second look.
    small = len(text) <= reader.limits.max_values
    while True:
        at = skip_space(text, at)
        if text.startswith(_CLOSE, at):
            break
        if at >= len(text):
            raise UnreadableError("malformed", "a block without </tool_call>")
        value, at = reader.read_at(text, at)
        call = usual_call(value) if small else None
        if call is not None:
            found.append(call)
        else:
            found.extend(calls_in(value, reader))
        if len(found) > reader.limits.max_calls:
            cap = reader.limits.max_calls
            raise UnreadableError("too_many_calls", f"more than {cap} calls")
    if len(found) == before:
        raise UnreadableError("malformed", "a block without a call")
    return at + len(_CLOSE)


def _cut_end(text: str) -> str:
    if text.endswith(_ENDS):
        end = next(end for end in _ENDS if text.endswith(end))
        return text[: -len(end)].rstrip()
    return text


def _after_thoughts(text: str) -> str:
    if not text.startswith(_THINK):
        return text
    end = text.find(_THOUGHT)
    if end < 0:
        raise UnreadableError("malformed", "<think> without </think>")
    return text[end + len(_THOUGHT) :].strip()


def _unhidden(text: str) -> str:
    """Return the text as a lenient reader may see it."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _HIDDEN.sub("", text))


def unfenced(text: str) -> str:
    """Return what a Markdown fence around the whole text holds, else the text."""
    found = _FENCE.match(text.strip()) if text.lstrip().startswith("```") else None
    return found.group(1) if found else text
