"""A language model that plays :class:`~reward_synth.envs.tooluse.ToolUseEnv`.

It works with any server that speaks OpenAI's chat completions, through the one client of
:mod:`reward_synth.llm`: its budget, its way of repeating requests and its journal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym

from reward_synth.errors import UsageError
from reward_synth.llm import ChatModel, ChatRequest, Completion, Usage

Syntax = Literal["native", "text"]
_SYNTAXES = ("native", "text")
_TROUBLES = frozenset(
    {
        "bad_response",
        "server_error",
        "rate_limited",
        "timeout",
        "connection",
        "rejected",
    }
)
"""Of the server: they say nothing about what the model can do."""
_HOW = (
    "Write each call as one line\n"
    '<tool_call>{"name": "...", "arguments": {...}}</tool_call>\nThese are the tools:\n'
)


@dataclass(frozen=True, slots=True)
class ToolPlayer:
    """Asks a model what to do next; one request a turn, never more than one sample.

    Example:
        >>> from reward_synth.llm import Completion
        >>> class Scripted:
        ...     def complete(self, request):
        ...         return Completion("Done.", "ok")
        >>> messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
        >>> player = ToolPlayer(Scripted(), "tiny")
        >>> player.ask({"messages": messages, "tools": []}).text
        'Done.'
    """

    chat: ChatModel
    """Answers requests; its budget and policy are the caller's."""
    model: str
    """The model's name, as the server spells it."""
    syntax: Syntax = "native"
    """``native``: the server's own tool calling; ``text``: tools are described in the
    first message and calls are read from the text, for servers without it."""
    temperature: float = 0.0
    max_tokens: int = 1024
    """Of one answer."""
    seed: int | None = None
    """Sent with each request if given."""

    def __post_init__(self) -> None:
        """Refuse ways to call that there are not."""
        if self.syntax not in _SYNTAXES:
            raise UsageError(f"syntax must be one of {_SYNTAXES}: {self.syntax!r}.")

    def ask(self, info: Mapping[str, Any]) -> Completion:
        """Return what the model answers to an episode so far.

        Args:
            info: As the environment gave it; only ``messages`` and ``tools`` are read, so
                nothing that is meant for graders reaches the model.
        """
        return self.chat.complete(self.request(info["messages"], info["tools"]))

    def request(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> ChatRequest:
        """Return the request of a turn."""
        native = self.syntax == "native"
        said = list(messages) if native else [_as_text(item) for item in messages]
        first, later = said[:2], said[2:]
        pairs = [(item["role"], item["content"]) for item in first]
        if not native:
            role, content = pairs[0]
            listed = "\n".join(json.dumps(tool["function"]) for tool in tools)
            pairs[0] = (role, f"{content} {_HOW}{listed}")
        return ChatRequest(
            self.model,
            tuple(pairs),
            self.temperature,
            self.max_tokens,
            self.seed,
            purpose="tool use",
            tools=json.dumps(list(tools)) if native and tools else "",
            turns=json.dumps(later) if later else "",
        )


@dataclass(frozen=True, slots=True)
class Played:
    """One episode that a model played."""

    success: bool | None
    """None: the server broke it off, which says nothing about the model."""
    turns: int
    calls: int
    """Calls that were executed."""
    refused: int
    """Of these, those that a tool refused."""
    unreadable: int
    """Turns that could not be read."""
    truncated: bool
    error: str
    """The server's trouble; empty if there was none."""
    usage: Usage
    messages: tuple[Mapping[str, Any], ...]
    """All that was said, in OpenAI's form."""


def play(
    env: gym.Env[Any, Any],
    player: ToolPlayer,
    *,
    seed: int | None = None,
    options: dict[str, Any] | None = None,
) -> Played:
    """Let a model play one episode.

    Args:
        env: A :class:`~reward_synth.envs.tooluse.ToolUseEnv`, wrapped or not.
        player: The model.
        seed: Of the reset.
        options: Of the reset, such as ``{"task": 3}``.

    Returns:
        What happened. A server's trouble is told, and is no failure of the model; a
        refusal or an empty answer of the model is its final answer.

    Raises:
        BudgetReachedError: The client's budget does not allow the first request of a turn.
        EndpointError: The server refuses the key, the model or the address for good.
    """
    _, info = env.reset(seed=seed, options=options)
    asked: list[Completion] = []
    unreadable = 0
    over = truncated = False
    while not over:
        asked.append(player.ask(info))
        if asked[-1].status in _TROUBLES:
            return _played(info, asked, unreadable, error=_trouble(asked[-1]))
        _, _, terminated, truncated, info = env.step(action_of(asked[-1]))
        unreadable += bool(info["turn"]["error_type"])
        over = terminated or truncated
    return _played(info, asked, unreadable, truncated=truncated)


def action_of(completion: Completion) -> str:
    """Return the action that an answer means: its calls, else its text.

    Example:
        >>> action_of(Completion("I look.", "ok", calls='[{"name": "f"}]'))
        '[{"name": "f"}]'
        >>> action_of(Completion("Done.", "ok"))
        'Done.'
    """
    return completion.calls or completion.text


def _played(
    info: Mapping[str, Any],
    asked: Sequence[Completion],
    unreadable: int,
    *,
    truncated: bool = False,
    error: str = "",
) -> Played:
    calls = info["calls"]
    return Played(
        None if error else bool(info["is_success"]),
        len(asked) - bool(error),
        len(calls),
        sum(call["failed"] for call in calls),
        unreadable,
        truncated,
        error,
        Usage.total(asked),
        tuple(info["messages"]),
    )


def _trouble(completion: Completion) -> str:
    return f"{completion.status}: {completion.error}"


def _as_text(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message for servers that know no tools: calls and outputs as texts."""
    role, content = message["role"], message["content"]
    if role == "tool":
        return {"role": "user", "content": content}
    made = [item["function"] for item in message.get("tool_calls", ())]
    calls = [
        f'{{"name": {json.dumps(f["name"])}, "arguments": {f["arguments"]}}}'
        for f in made
    ]
    lines = [f"<tool_call>{call}</tool_call>" for call in calls]
    return {"role": role, "content": "\n".join(lines) or content}
