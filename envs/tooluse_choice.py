"""The tasks of :mod:`~reward_synth.envs.tooluse` for learners of numbers.

The agent does not write, it chooses: a tool, and for each argument a *place* that holds a
value from the request or from a tool's output. What it sees is how the sentences of the
request are worded, what kinds of values lie in the places, and what came of its calls;
which tool a sentence needs, which value goes where and what must be looked up first, it has
to learn.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.envs.tooluse import asked_task
from reward_synth.envs.tooluse_board import FINISH, Board, Floats, Place
from reward_synth.envs.tooluse_episode import Episode, Turn
from reward_synth.envs.tooluse_generate import TaskConfig, make_task
from reward_synth.errors import UsageError

Integers = npt.NDArray[np.integer[Any]]
_SEEDS = 2**31


class ToolChoiceEnv(gym.Env[Floats, Integers]):
    """An agent that chooses tools and values, one call a step.

    ## Description

    Do what a request asks for: choose a tool and the values that it takes, look up what
    the request does not tell, and end the episode once everything is done.

    ## Observation Space

    Numbers from 0 to 1: for each sentence its wording, one of the domain's; for each place
    the kind of its value, its sentence, whether it holds one, whether a tool found it,
    whether a call has used it; which tools are offered; how often each was called; the last
    tool, and whether it refused; turns that are left.

    ## Action Space

    ``[tool, place, place, ...]``: tool 0 ends the episode, tool ``i`` is the domain's
    ``i``-th; the places give its required arguments in order, further ones are passed
    over. :meth:`action_masks` tells which numbers mean something now, in the form that
    sb3-contrib's ``MaskablePPO`` takes.

    ## Reward

    1 where the episode ends in the wished state, else 0.

    ## Info

    ``calls``, ``turn``, ``is_success`` and ``expected`` as in
    :class:`~reward_synth.envs.tooluse.ToolUseEnv`.

    Args:
        domain: As there.
        level: As there.
        size: As there.
        goals: As there.
        distractors: As there.
        max_turns: As there.
        render_mode: ``ansi`` gives the request and the calls as text.

    Raises:
        UsageError: An argument is unknown or out of range.

    Example:
        >>> env = ToolChoiceEnv("shop")
        >>> obs, info = env.reset(options={"task": 3})
        >>> [(place.kind, place.value) for place in env.places]
        [('sku', 'P684'), ('quantity', 58)]
        >>> info["expected"][0]["name"], env.tool_names[9]
        ('restock', 'restock')
        >>> env.step([9, 0, 1, 0])[1:3], env.step([0, 0, 0, 0])[1:3]
        ((0.0, False), (1.0, True))
        >>> env.close()
    """

    action_space: gym.spaces.MultiDiscrete
    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's

    def __init__(
        self,
        domain: str = "shop",
        level: str = "single",
        size: int = 8,
        goals: int = 2,
        distractors: int | None = None,
        max_turns: int = 12,
        render_mode: str | None = None,
    ) -> None:
        if max_turns < 1:
            raise UsageError(f"max_turns must be at least 1, received {max_turns}.")
        self.config = TaskConfig(domain, level, size, goals, distractors)
        self.max_turns = max_turns
        self.render_mode = render_mode
        self._board = Board(self.config)
        places = [self._board.capacity] * self._board.widest
        self.action_space = gym.spaces.MultiDiscrete([self._board.tools, *places])
        shape = self._board.numbers(1.0).shape
        self.observation_space = gym.spaces.Box(0.0, 1.0, shape, np.float32)
        self._episode: Episode | None = None
        self._turns = 0
        self._over = True

    @property
    def places(self) -> list[Place]:
        """Values that arguments can take now, those of the request first."""
        return self._board.places

    @property
    def tool_names(self) -> tuple[str, ...]:
        """What the first number of an action means."""
        return ("", *(tool.name for tool in self._board.domain.tools))

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return for every number of every part of an action whether it means something.

        Shape ``(sum of the action space's sizes,)``. Whether a value suits an argument is
        for the agent to learn.
        """
        return self._board.masks()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Draw a task, or begin that of ``options["task"]``, a whole number from 0."""
        super().reset(seed=seed)
        self.close()
        drawn = int(self.np_random.integers(_SEEDS))
        self._episode = Episode(make_task(self.config, asked_task(options, drawn)))
        self._board.begin(self._episode.task)
        self._turns, self._over = 0, False
        return self._board.numbers(1.0), self._episode.info(Turn(), success=False)

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Make a call, or end the episode.

        Raises:
            ResetNeeded: There is no episode, or it has ended.
            UsageError: The action is not of the action space.
        """
        episode = self._episode
        if episode is None or self._over:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        tool, *chosen = self._checked(action)
        self._turns += 1
        terminated = tool == FINISH
        turn = Turn(said="Done.") if terminated else self._call(episode, tool, chosen)
        truncated = not terminated and self._turns >= self.max_turns
        success = terminated and episode.fulfilled
        self._over = terminated or truncated
        seen = self._board.numbers(1 - self._turns / self.max_turns)
        info = episode.info(turn, success=success)
        return seen, float(success), terminated, truncated, info

    def render(self) -> Any:
        """Return the request, and the calls with what they gave."""
        if self.render_mode != "ansi" or self._episode is None:
            return None
        outputs = self._episode.outputs
        calls = [
            f"{o.call.name}({dict(o.call.arguments)}) -> {o.text}" for o in outputs
        ]
        return "\n".join([self._episode.task.instruction, *calls])

    def close(self) -> None:
        """End the world of the episode."""
        if self._episode is not None:
            self._episode.close()
            self._episode = None

    def _checked(self, action: Any) -> list[int]:
        numbers = np.asarray(action)
        if numbers.dtype.kind not in "iu" or not self.action_space.contains(
            numbers.astype(np.int64)
        ):
            raise UsageError(f"{action!r} is no action of {self.action_space}.")
        found: list[int] = numbers.tolist()
        return found

    def _call(self, episode: Episode, tool: int, chosen: list[int]) -> Turn:
        call = self._board.call(tool, chosen)
        output = None if call is None else episode.call(call)
        self._board.note(tool, chosen, output)
        return Turn(1, error_type="empty_place" if output is None else "")
