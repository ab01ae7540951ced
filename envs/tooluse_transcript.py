"""What was said in an episode, and by whom; in the form of OpenAI's chat completions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reward_synth.envs.tooluse_tasks import Output, as_json
from reward_synth.verify import ToolCall

ENVIRONMENT, AGENT = "environment", "agent"
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64
"""What OpenAI takes as a tool's name."""


class Transcript:
    """Messages, each with who said it.

    Example:
        >>> said = Transcript("You run a shop.", "Ship it.")
        >>> said.called([Output(ToolCall("ship"), "shipped")])
        '{"result": "shipped"}'
        >>> said.said_by
        ['environment', 'environment', 'agent', 'environment']
    """

    def __init__(self, about: str, request: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.said_by: list[str] = []
        self._calls = 0
        self._say(ENVIRONMENT, role="system", content=about)
        self._say(ENVIRONMENT, role="user", content=request)

    def answered(self, text: str) -> None:
        """Keep a final answer."""
        self._say(AGENT, role="assistant", content=text)

    def refused(self, text: str, error_type: str) -> str:
        """Keep what cannot be read, and return what is said to it."""
        self._say(AGENT, role="assistant", content=text)
        told = as_json({"error": f"This cannot be read: {error_type}."})
        self._say(ENVIRONMENT, role="user", content=told)
        return told

    def called(self, outputs: Sequence[Output]) -> str:
        """Keep a turn's calls with what they gave, and return the latter."""
        ids = [f"call_{self._calls + i}" for i in range(len(outputs))]
        self._calls += len(outputs)
        made = [_written(n, out.call) for n, out in zip(ids, outputs, strict=True)]
        # Calls stand in one place only, or readers of messages would see them twice.
        self._say(AGENT, role="assistant", content="", tool_calls=made)
        for name, output in zip(ids, outputs, strict=True):
            self._say(ENVIRONMENT, role="tool", tool_call_id=name, content=output.text)
        return "\n".join(output.text for output in outputs)

    def lines(self) -> str:
        """Return everything as text, for people."""
        pairs = zip(self.said_by, self.messages, strict=True)
        return "\n".join(f"[{who}] {as_json(message)}" for who, message in pairs)

    def _say(self, who: str, **message: Any) -> None:
        self.messages.append(message)
        self.said_by.append(who)


def _written(name: str, call: ToolCall) -> dict[str, Any]:
    plain = _NO_NAME.sub("_", call.name)[:_LONGEST_NAME]  # it may be anything
    function = {"name": plain, "arguments": as_json(dict(call.arguments))}
    return {"id": name, "type": "function", "function": function}
