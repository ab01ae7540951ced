"""One episode of tool use: a world, the calls that were made in it, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reward_synth.envs.tooluse_functions import ToolError
from reward_synth.envs.tooluse_generate import DOMAINS
from reward_synth.envs.tooluse_tasks import Output, Task
from reward_synth.envs.tooluse_text import has_surrogate
from reward_synth.verify import ToolCall, Tools

EXPECTED = "expected"
"""Key of ``info``: the calls that would fulfil the request; for graders, not for agents."""
CALLS = "calls"
"""Key of ``info``: the calls that were executed, with what the tools said."""
TURN = "turn"
"""Key of ``info``: what the last turn was."""
IS_SUCCESS = "is_success"
ANSWERS = "answers"
"""Key of ``info``: what the tools say to the expected calls; for graders."""
_LONGEST = 2000
"""Characters of what is wrong with a call's arguments."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What an agent did in one turn."""

    calls: int = 0
    """Calls that it asked for."""
    said: str = ""
    """The final answer, where it made no call."""
    error_type: str = ""
    """Why nothing of it could be read or executed; empty if something could."""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"calls": self.calls, "said": self.said, "error_type": self.error_type}


class Episode:
    """Executes the calls of one episode; whatever a call holds, a tool's failure is data.

    Args:
        task: What is asked for.

    Example:
        >>> from reward_synth.envs.tooluse_generate import TaskConfig, make_task
        >>> episode = Episode(make_task(TaskConfig("shop"), seed=0))
        >>> episode.call(ToolCall("rm")).text, episode.fulfilled
        ('{"error": "There is no tool of this name."}', False)
        >>> [episode.call(call).failed for call in episode.task.expected]
        [False]
        >>> episode.fulfilled
        True
        >>> episode.close()
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.outputs: list[Output] = []
        self._domain = DOMAINS[task.domain]
        self._world = self._domain.world(task.documents)
        self._checks = checks(task.domain)
        self._plain: list[dict[str, Any]] = []
        self._expected = task.plain_calls()

    def call(self, call: ToolCall) -> Output:
        """Execute a call, and keep it with what it gave."""
        found = self._executed(call)
        self.outputs.append(found)
        self._plain.append(found.plain())
        return found

    @property
    def fulfilled(self) -> bool:
        """Whether the state is the wished one."""
        return self.task.fulfilled(self._world.state())

    def info(self, turn: Turn, *, success: bool) -> dict[str, Any]:
        """Return what both environments tell beside the observation."""
        return {
            EXPECTED: self._expected,
            ANSWERS: self.task.answers,
            CALLS: tuple(self._plain),
            TURN: turn.plain(),
            IS_SUCCESS: success,
        }

    def close(self) -> None:
        """End the world."""
        self._world.close()

    def _executed(self, call: ToolCall) -> Output:
        tool = self._domain.tool(call.name)
        if tool is None or call.name not in self.task.tools:
            return Output(call, "There is no tool of this name.", failed=True)
        if any(map(has_surrogate, texts_in(call.arguments))):
            return Output(call, "An argument holds half a character.", failed=True)
        troubles = self._checks.troubles(call.name, call.arguments)
        if troubles:
            return Output(call, "; ".join(troubles)[:_LONGEST], failed=True)
        try:
            return Output(call, tool.function(self._world, **call.arguments))
        except ToolError as refusal:
            return Output(call, str(refusal), failed=True)
        except Exception as cause:  # a tool's failure is data, as a program's is
            return Output(
                call, f"The tool failed: {type(cause).__name__}.", failed=True
            )


@lru_cache(maxsize=16)
def checks(domain: str) -> Tools:
    """Return the checks of a domain's calls, made once a process."""
    return Tools([tool.schema for tool in DOMAINS[domain].tools])


def schemas(task: Task) -> tuple[Mapping[str, Any], ...]:
    """Return the offered tools as OpenAI's chat completions take them."""
    tools = DOMAINS[task.domain].tools
    return tuple(tool.schema for tool in tools if tool.name in task.tools)


def texts_in(value: Any) -> Sequence[str]:
    """Return all texts within JSON data, keys included, without recursion.

    Example:
        >>> sorted(texts_in({"a": ["b", {"c": 1}]}))
        ['a', 'b', 'c']
    """
    found, left = [], [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, Mapping):
            left.extend((*item.keys(), *item.values()))
        elif isinstance(item, list | tuple):
            left.extend(item)
    return found
