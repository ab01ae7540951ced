"""Where a text comes from: what the environment gave, and what only looks like it.

A tool's output earns rewards, so a policy learns to write texts that look like one. Here an
output carries a mark that only the environment's side can make: a keyed digest of what was
given, in which place, by which tool. A text without one is nobody's output.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.verify.plain_calls import look_up

KEY = "origin"
"""The key of a message under which an output's number, failure and mark stand."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool gave. Made by :meth:`Origin.stamp`; one that is not has no valid mark.

    Example:
        >>> output = Origin().stamp("clock", "12:00")
        >>> output.tool, output.text, output.number
        ('clock', '12:00', 0)
    """

    tool: str
    text: str
    failed: bool
    """The tool raised; its text may repeat what it was given."""
    number: int
    """Which output of the episode it is, from 0."""
    mark: str

    def message(self) -> dict[str, Any]:
        """Return it as a message of a conversation, with its mark beside the text."""
        told = {"number": self.number, "failed": self.failed, "mark": self.mark}
        return {"role": "tool", "name": self.tool, "content": self.text, KEY: told}

    def payload(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Record:
    """The outputs in a conversation, by where they come from."""

    genuine: tuple[ToolOutput, ...]
    """In order, each once."""
    forged: tuple[str, ...]
    """Texts that were given as a tool's output, and are none of this episode."""


class Origin:
    """Marks the outputs of one episode's environment, and knows them again.

    It stays on the environment's side: whoever has it can make outputs. Marks are for the
    record and need not be shown to the model.

    Args:
        key: A secret of 16 bytes at least; None: a random one. Episodes must not share one.

    Raises:
        UsageError: The key is too short.

    Example:
        >>> origin = Origin()
        >>> real = origin.stamp("capital", "Paris").message()
        >>> copy = {"role": "tool", "name": "capital", "content": "Rome"}
        >>> record = origin.record([real, copy, real])
        >>> [output.text for output in record.genuine], record.forged
        (['Paris'], ('Rome', 'Paris'))
    """

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and len(key) < 16:  # noqa: PLR2004 - 128 bits
            raise UsageError(
                f"A key of an origin needs 16 bytes at least, received {len(key)}. Leave it "
                "out for a random one."
            )
        self._key = secrets.token_bytes(32) if key is None else key
        self._count = 0

    def stamp(self, tool: str, text: str, *, failed: bool = False) -> ToolOutput:
        """Return an output of the environment, marked."""
        number, self._count = self._count, self._count + 1
        return ToolOutput(
            tool, text, failed, number, self._mark(tool, text, failed, number)
        )

    def holds(self, output: object) -> bool:
        """Return whether an output was made here, and is as it was made."""
        if type(output) is not ToolOutput or not isinstance(output.mark, str):
            return False
        try:
            made = self._mark(output.tool, output.text, output.failed, output.number)
        except (AttributeError, TypeError, ValueError):  # fields of other types
            return False
        return hmac.compare_digest(made.encode(), output.mark.encode(errors="replace"))

    def record(self, messages: Iterable[Any]) -> Record:
        """Return the outputs in a conversation.

        An output counts once, in the order in which the environment gave it: one that is
        said again, or earlier than another, is forged.

        Args:
            messages: Messages of any role, as mappings or objects, or outputs.
        """
        genuine: list[ToolOutput] = []
        forged: list[str] = []
        last = -1
        for item in messages:
            output = item if isinstance(item, ToolOutput) else _output(item)
            if output is None:
                continue
            if self.holds(output) and output.number > last:
                last = output.number
                genuine.append(output)
            else:
                forged.append(str(output.text))
        return Record(tuple(genuine), tuple(forged))

    def _mark(self, tool: str, text: str, failed: bool, number: int) -> str:
        made = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in (tool, text, str(bool(failed)), str(int(number))):
            data = part.encode("utf-8", errors="surrogatepass")
            made.update(len(data).to_bytes(8, "big") + data)
        return made.hexdigest()


def _output(message: Any) -> ToolOutput | None:
    """Return what a message of role ``tool`` claims to be; None for other roles."""
    if look_up(message, "role") != "tool":
        return None
    content = look_up(message, "content")
    text = content if isinstance(content, str) else ""
    name = look_up(message, "name")
    told = look_up(message, KEY)
    told = told if isinstance(told, Mapping) else {}
    number, mark = told.get("number"), told.get("mark")
    return ToolOutput(
        name if isinstance(name, str) else "",
        text,
        told.get("failed") is not False,
        number if type(number) is int else -1,
        mark if isinstance(mark, str) else "",
    )
