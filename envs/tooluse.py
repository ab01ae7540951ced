"""Agents that call tools, as a Gymnasium environment of texts.

    import reward_synth.envs.tooluse_register  # the ids

    env = gym.make("ToolUseShop-v0", level="chain")
    obs, info = env.reset(seed=0)  # info["messages"], info["tools"]: as OpenAI has them

Whether an episode succeeded is decided by the state of the world at its end, never by what
was said. :class:`~reward_synth.envs.tooluse_choice.ToolChoiceEnv` has the same tasks for
learners of numbers.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from reward_synth.envs.tooluse_episode import Episode, Turn, schemas
from reward_synth.envs.tooluse_generate import DOMAINS, TaskConfig, make_task
from reward_synth.envs.tooluse_text import UnicodeText
from reward_synth.envs.tooluse_transcript import Transcript
from reward_synth.errors import UsageError
from reward_synth.verify import Limits, Policy, ToolCall
from reward_synth.verify.limits import UnreadableError
from reward_synth.verify.reading import CallReader

_SEEDS = 2**31
LONGEST_ACTION = 16_384
"""Characters."""
_LONGEST_OBSERVATION = 200_000
_MOST_CALLS = 16
"""Of one turn."""
_HOW = (
    "Do what the user asks for by calling tools, several at once if none needs another. An "
    "answer without a call ends the work."
)
_SPEAKS = ("role_token", "impersonation")


class ToolUseEnv(gym.Env[str, str]):
    r"""An agent that reads a request, calls tools, and says when it is done.

    ## Observation Space

    What the environment says now: the request, then one line of JSON for each call. It
    never holds a word of the agent outside of quotes.

    ## Action Space

    A text with calls in any form that :func:`reward_synth.verify.verify` reads, several at
    once if they are independent; one without a call is the final answer and ends the
    episode. What cannot be read, and what speaks for a tool, is a turn with an error.

    ## Reward

    1 where the episode ends in the wished state, else 0. See ``DenseToolReward``.

    ## Info

    ``messages`` (OpenAI's form) with ``said_by``, which says of each message whether the
    environment or the agent said it; ``tools`` (their schemas); ``calls``: what was
    executed; ``turn``: what the last turn was; ``is_success``; ``turns_left``; and
    ``expected`` for graders: an agent must not see it.

    Args:
        domain: ``calendar``, ``shop`` or ``files``.
        level: ``single``, ``parallel``, ``chain`` or ``parallel_chain``.
        size: Scales what the world holds.
        goals: Things asked for at once on the parallel levels.
        distractors: Tools that are not needed; None: all of the domain.
        max_turns: Turns after which the episode is truncated.
        max_length: Most characters of an action.
        render_mode: ``ansi`` gives the messages as text.

    Raises:
        UsageError: An argument is unknown or out of range.

    Example:
        >>> env = ToolUseEnv("shop")
        >>> env.reset(options={"task": 3})[0]
        "Number 'P684': 58 came in."
        >>> env.step('restock(sku="P684", quantity=58)')[0]
        '{"result": "in the store of P684: 89"}'
        >>> env.step("They are in the store.")[1:3]
        (1.0, True)
        >>> env.close()
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's

    def __init__(
        self,
        domain: str = "shop",
        level: str = "single",
        size: int = 8,
        goals: int = 2,
        distractors: int | None = None,
        max_turns: int = 12,
        max_length: int = LONGEST_ACTION,
        render_mode: str | None = None,
    ) -> None:
        if max_turns < 1:
            raise UsageError(f"max_turns must be at least 1, received {max_turns}.")
        self.config = TaskConfig(domain, level, size, goals, distractors)
        self.max_turns = max_turns
        self.max_length = max_length
        self.render_mode = render_mode
        self.action_space = UnicodeText(max_length)
        self.observation_space = UnicodeText(_LONGEST_OBSERVATION)
        positions = {tool.name: tool.required for tool in DOMAINS[domain].tools}
        limits = Limits(max_chars=max_length, max_calls=_MOST_CALLS)
        self._reader = CallReader(Policy(limits=limits), positions)
        self._episode: Episode | None = None
        self._said = Transcript("", "")
        self._turns = 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Draw a task, or begin that of ``options["task"]``, a whole number from 0."""
        super().reset(seed=seed)
        self.close()
        drawn = int(self.np_random.integers(_SEEDS))
        task = make_task(self.config, asked_task(options, drawn))
        self._episode = Episode(task)
        self._turns, self._over = 0, False
        about = f"{DOMAINS[task.domain].about} {_HOW}"
        self._said = Transcript(about, task.instruction)
        return task.instruction, self._info(self._episode, Turn(), success=False)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Execute the calls of a text, or end the episode with it.

        Raises:
            ResetNeeded: There is no episode, or it has ended.
        """
        episode = self._episode
        if episode is None or self._over:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        self._turns += 1
        calls, turn = self._read(action)
        if turn.error_type:
            obs = self._said.refused(self._harmless(action, turn), turn.error_type)
        elif calls:
            obs = self._said.called([episode.call(call) for call in calls])
        else:
            obs = ""
            self._said.answered(action)
        terminated = not calls and not turn.error_type
        truncated = not terminated and self._turns >= self.max_turns
        success = terminated and episode.fulfilled
        self._over = terminated or truncated
        info = self._info(episode, turn, success=success)
        return obs, float(success), terminated, truncated, info

    def render(self) -> Any:
        """Return the messages, each with who said it."""
        if self.render_mode != "ansi":
            return None
        return self._said.lines()

    def close(self) -> None:
        """End the world of the episode."""
        if self._episode is not None:
            self._episode.close()
            self._episode = None

    def _read(self, action: Any) -> tuple[list[ToolCall], Turn]:
        """Return the calls of an action, and what the turn is."""
        if not isinstance(action, str):
            return [], Turn(error_type="not_text")
        if len(action) > self.max_length:
            return [], Turn(error_type="too_long")
        try:
            calls = self._reader.read(action)
        except UnreadableError as trouble:
            return [], Turn(error_type=trouble.error_type)
        return calls, Turn(len(calls), "" if calls else action)

    def _harmless(self, action: Any, turn: Turn) -> str:
        """Return what is kept of a text that cannot be read.

        What speaks for others is not: a chat template might let it speak.
        """
        kept = action in self.action_space and turn.error_type not in _SPEAKS
        return action if kept else ""

    def _info(self, episode: Episode, turn: Turn, *, success: bool) -> dict[str, Any]:
        return {
            **episode.info(turn, success=success),
            "messages": list(self._said.messages),
            "said_by": tuple(self._said.said_by),
            "tools": schemas(episode.task),
            "turns_left": self.max_turns - self._turns,
        }


def asked_task(options: dict[str, Any] | None, drawn: int) -> int:
    """Return the number of the task that is asked for, else the drawn one.

    Raises:
        UsageError: It is no whole number from 0.

    Example:
        >>> asked_task({"task": 3}, 8), asked_task(None, 8)
        (3, 8)
    """
    asked = (options or {}).get("task", drawn)
    if type(asked) is not int or asked < 0:
        raise UsageError(
            f"options['task'] must be a whole number from 0, received {asked!r}."
        )
    return asked
