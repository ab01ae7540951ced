"""Reads the calls of an answer, in whatever form a trainer or an endpoint gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reward_synth.verify.calls import ToolCall
from reward_synth.verify.limits import UnreadableError
from reward_synth.verify.plain_calls import calls_in, look_up
from reward_synth.verify.policy import Policy
from reward_synth.verify.python_calls import looks_like_python, parse_python
from reward_synth.verify.strict_json import StrictJSON
from reward_synth.verify.tagged import has_tags, spoken, tagged_calls, unfenced

_USES = ("tool_use", "tool_call", "function_call")
"""Types of content blocks that are calls: Anthropic's, and two of its relatives."""


class CallReader:
    """Reads calls under one policy; holds no state between answers.

    Args:
        policy: Syntax and limits.
        positions: Names of each tool's arguments in order, for Python calls.

    Example:
        >>> reader = CallReader(Policy())
        >>> reader.read([{"role": "assistant", "content": "f(a=1)"}])
        [ToolCall(name='f', arguments={'a': 1})]
    """

    def __init__(
        self, policy: Policy, positions: Mapping[str, tuple[str, ...]] = {}
    ) -> None:
        self.policy = policy
        self.positions = positions
        self._json = StrictJSON(policy.limits)

    def read(self, output: Any) -> list[ToolCall]:
        """Return the calls of a text, a message, a list of messages or of calls.

        Raises:
            UnreadableError: It cannot be read, or is beyond a limit.
        """
        cap = self.policy.limits.max_calls
        if type(output) is str:
            found = self.read_text(output)
            if len(found) <= cap:
                return found
        found = []
        for call in self._calls(output):
            found.append(call)
            if len(found) > cap:
                raise UnreadableError("too_many_calls", f"more than {cap} calls")
        return found

    def _calls(self, output: Any) -> Iterator[ToolCall]:
        if isinstance(output, str):
            yield from self.read_text(output)
        elif isinstance(output, bytes | bytearray):
            yield from self.read_text(_decoded(output))
        elif isinstance(output, list | tuple):
            self._check_total(output)
            for item in output:
                yield from self._calls_of_item(item)
        elif output is None:
            return
        else:
            yield from self._calls_of_item(output)

    def _check_total(self, items: Any) -> None:
        """Bound what many messages hold together; a call's own size is checked later."""
        limits = self.policy.limits
        if len(items) > limits.max_values:
            raise UnreadableError("too_long", f"{len(items)} messages or calls")
        contents = (look_up(item, "content") for item in items)
        total = sum(len(text) for text in contents if isinstance(text, str))
        if total > limits.max_chars:
            raise UnreadableError("too_long", f"messages of {total} characters")

    def _calls_of_item(self, item: Any) -> Iterator[ToolCall]:
        role = look_up(item, "role")
        if role is None:
            yield from calls_in([item], self._json)
        elif role == "assistant":
            yield from self._message(item)

    def _message(self, message: Any) -> Iterator[ToolCall]:
        content = look_up(message, "content")
        if isinstance(content, str):
            yield from self.read_text(content)
        elif isinstance(content, list | tuple):
            for block in content:
                yield from self._block(block)
        made = look_up(message, "tool_calls")
        if made:
            yield from calls_in(made, self._json)

    def _block(self, block: Any) -> Iterator[ToolCall]:
        kind = look_up(block, "type")
        if kind in _USES:
            yield from calls_in([block], self._json)
        elif isinstance(text := look_up(block, "text"), str):
            yield from self.read_text(text)

    def read_text(self, text: str) -> list[ToolCall]:
        """Return the calls of one completion.

        Raises:
            UnreadableError: It cannot be read, or is beyond a limit.
        """
        limits = self.policy.limits
        if len(text) > limits.max_chars:
            raise UnreadableError("too_long", f"a text of {len(text)} characters")
        _check_characters(text)
        said = spoken(text)
        syntax = self.policy.syntax
        if syntax == "tags":
            return tagged_calls(said, self._json)
        if syntax == "auto" and has_tags(said):
            whole = self._whole(unfenced(said).strip())
            return tagged_calls(said, self._json) if whole is None else whole
        said = unfenced(said).strip()
        if syntax == "python" or (syntax == "auto" and looks_like_python(said)):
            return self._python(said, strict=syntax == "python")
        if syntax == "json" or (syntax == "auto" and said[:1] in ("{", "[")):
            return self._from_json(said, strict=syntax == "json")
        return []

    def _whole(self, said: str) -> list[ToolCall] | None:
        """Return the calls of a text that is one Python or JSON value, else None.

        Its tags then stand in its texts: whoever runs the call would not see them.
        """
        try:
            if looks_like_python(said):
                return parse_python(said, self.policy.limits, self.positions)
            if said[:1] in ("{", "["):
                value = self._json.read(said)
                return list(calls_in(value, self._json)) if _may_be_calls(value) else []
        except UnreadableError as error:
            if error.error_type != "malformed":
                raise
        return None

    def _python(self, said: str, *, strict: bool) -> list[ToolCall]:
        if strict and not looks_like_python(said):
            return []
        try:
            return parse_python(said, self.policy.limits, self.positions)
        except UnreadableError as error:
            if not strict and error.error_type == "malformed" and "\n" in said:
                return []  # prose that begins like a call
            raise

    def _from_json(self, said: str, *, strict: bool) -> list[ToolCall]:
        if strict and said[:1] not in ("{", "["):
            return []
        try:
            value = self._json.read(said)
        except UnreadableError as error:
            if not strict and error.error_type == "malformed" and '"name"' not in said:
                return []  # an answer that is no JSON at all, such as "[sic] ..."
            raise
        if not strict and not _may_be_calls(value):
            return []  # an answer in JSON
        return list(calls_in(value, self._json))


def _may_be_calls(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(
        isinstance(item, Mapping)
        and (
            any(key in item for key in ("name", "function", "tool_calls"))
            or (bool(item) and all(isinstance(x, Mapping) for x in item.values()))
        )
        for item in items
    )


def _decoded(output: bytes | bytearray) -> str:
    try:
        return bytes(output).decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("not_text", "bytes that are not UTF-8") from None


def _check_characters(text: str) -> None:
    """Refuse lone surrogates: they crash whoever writes the text down later."""
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UnreadableError("not_text", "a lone surrogate") from None
