"""NetHack and MiniHack as environments that keep Gymnasium's rules.

The family's door. Importing it does not load NLE.

NLE 1.3 and MiniHack 1.0.2 reuse the arrays of observations, ignore ``reset(seed=)``,
call a time limit a termination, replace the last observation of an episode by that of the
finished game, and fail on ``reset(options={})``; :class:`Game` mends all five.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding

from reward_synth.envs.describe import describe_env
from reward_synth.envs.nethack_tasks import notes
from reward_synth.envs.rollouts import Env
from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.reward import Rollout
from reward_synth.task import TaskSpec

_REGISTER = "reward_synth.envs.nethack_register"
_NEVER = 2**62
_SEED = 2**31
_LARGE = "screen_descriptions"
_NOTHING = np.zeros(0, np.uint8)
Observation = dict[str, np.ndarray[Any, Any]]


class Game(
    gym.Wrapper[Observation, Any, Observation, Any],
    gym.utils.RecordConstructorArgs,
):
    """A NetHack or MiniHack environment that keeps Gymnasium's rules.

    * Observations are copies, so that those kept from earlier steps stay as they were.
    * ``reset(seed=)`` decides the game, and all games of later resets without a seed;
      ``info["nethack_seeds"]`` names what NetHack got.
    * At the time limit ``truncated`` is True and ``terminated`` is not, and nothing is
      paid for it, also not MiniHack's ``reward_lose``.
    * The last observation of an episode is the game's, not that of its end: NLE quits the
      game before it returns, and its arrays are then empty.
    * ``info["success"]`` is there for tasks that can be solved.

    Args:
        env: An environment of NLE or MiniHack, unwrapped.
        max_episode_steps: Steps until the time limit; None: the environment's own.

    Raises:
        UsageError: The limit is below 1.
    """

    def __init__(self, env: Any, max_episode_steps: int | None = None) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, max_episode_steps=max_episode_steps
        )
        gym.Wrapper.__init__(self, env)
        self.game: Any = env.unwrapped
        limit = max_episode_steps or self.game._max_episode_steps
        if limit < 1:
            raise UsageError(f"max_episode_steps must be at least 1, received {limit}.")
        self.max_episode_steps = int(limit)
        self.game._max_episode_steps = _NEVER  # ours counts
        self._quit = self.game._quit_game
        self.game._quit_game = self._leave
        self._solvable = hasattr(self.game.StepStatus, "TASK_SUCCESSFUL")
        self._unread = _unread(self.game)
        self._last: Observation | None = None
        self._seeds: tuple[int, int] = (0, 0)
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin a new game."""
        if seed is not None:
            self.game.np_random, self.game._np_random_seed = seeding.np_random(seed)
        self._steps = 0
        self._last = None
        obs, info = self.game.reset(**self._prepared(options or {}))
        info["nethack_seeds"] = self._seeds
        return _copied(obs), info

    def step(
        self, action: Any
    ) -> tuple[Observation, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the game."""
        if self._unread is not None:  # NLE copies it first, and never looks at it
            kept = self.game.last_observation
            place = self._unread
            self.game.last_observation = (*kept[:place], _NOTHING, *kept[place + 1 :])
        obs, reward, terminated, _, info = self.game.step(action)
        self._steps += 1
        last, self._last = self._last, None
        if self._solvable:
            info["success"] = int(info["end_status"]) == 2  # noqa: PLR2004 - NLE's number
        truncated = not terminated and self._steps >= self.max_episode_steps
        return last or _copied(obs), reward, bool(terminated), truncated, info

    def _leave(self, observation: Any, done: bool) -> Any:
        """Keep the last observation before the game's arrays are emptied."""
        self._last = _copied(self.game._get_observation(observation))
        return self._quit(observation, done)

    def _prepared(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Seed the next game, and return what the environment's reset takes."""
        rng = self.game.np_random
        core, disp = (int(number) for number in rng.integers(_SEED, size=2))
        levels = getattr(self.game, "_level_seeds", None)
        if levels is not None:
            core = disp = int(levels[int(rng.integers(len(levels)))])
        grid = getattr(self.game, "minigrid_env", None)
        if grid is not None:  # draws the rooms of MultiRoom
            grid.reset(seed=core)
        self._seeds = core, disp
        self.game.nethack.set_initial_seeds(core, disp, False, None)
        taken: dict[str, Any] = {} if levels is None else {"sample_seed": False}
        if "wizkit_items" in options:
            taken["options"] = dict(options)
        return taken


def make_oni(kind: str, max_episode_steps: int | None = None, **kwargs: Any) -> Game:
    """Make one of ONI's tasks; ``kind`` is a class of :mod:`nethack_oni`."""
    module = import_module("reward_synth.envs.nethack_oni")
    settings = {"fix_moon_phase": True, "render_mode": None, **kwargs}
    return Game(getattr(module, kind)(**settings), max_episode_steps)


@dataclass(frozen=True, slots=True)
class NetHack:
    """Makes and describes the environments of NLE and MiniHack."""

    def make(
        self, task: str, *, max_episode_steps: int | None = None, **kwargs: Any
    ) -> Env:
        """Make the environment of a task, such as ``MiniHack-KeyRoom-S5-v0``.

        Raises:
            NotAvailableError: MultiRoom's package is missing.
        """
        waiting = _ready.get(_key(task, max_episode_steps, kwargs))
        if waiting:
            return waiting.pop()
        import_module(_REGISTER)
        settings = {"fix_moon_phase": True, "render_mode": None, **kwargs}
        try:
            env = gym.make(task, disable_env_checker=True, **settings)
        except ModuleNotFoundError as cause:
            raise NotAvailableError(
                f"{task} draws its rooms with a package that is not installed: {cause}"
            ) from cause
        game = env if isinstance(env, Game) else Game(env.unwrapped, max_episode_steps)
        if max_episode_steps is not None:
            game.max_episode_steps = max_episode_steps
        return game

    def prepare(
        self,
        task: str,
        count: int,
        *,
        max_episode_steps: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Make environments that later calls of :meth:`make` return.

        Games link files and start a compiler when they are made, and neither is allowed
        to a process once it has confined itself.
        """
        made = [
            self.make(task, max_episode_steps=max_episode_steps, **kwargs)
            for _ in range(count)
        ]
        _ready.setdefault(_key(task, max_episode_steps, kwargs), []).extend(made)

    def describe(self, env: Env, **options: Any) -> TaskSpec:
        """Describe an environment: the bottom line's numbers by name."""
        task = env.spec.id if env.spec else ""
        given = {"notes": notes(task), "simulator": False, **options}
        described = describe_env(env, **given)
        return replace(described, horizon=_limit(env) or described.horizon)

    def expert(self, task: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return None: no task has a dense reward beside its own."""
        return None

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:  # noqa: ARG002
        """Return none: there are no scripted solutions."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included.

        Example:
            >>> print(NetHack().code("NetHackScore-v0", {}))
            from reward_synth.envs import resolve
            env = resolve('NetHackScore-v0').make()
        """
        given = ", ".join(f"{name}={value!r}" for name, value in kwargs.items())
        return (
            "from reward_synth.envs import resolve\n"
            f"env = resolve({task!r}).make({given})"
        )


_ready: dict[str, list[Env]] = {}
"""Environments that were made before they are asked for."""


def _key(task: str, limit: int | None, kwargs: Mapping[str, Any]) -> str:
    return json.dumps([task, limit, dict(kwargs)], sort_keys=True, default=str)


def _copied(obs: Mapping[str, Any]) -> Observation:
    return {name: value.copy() for name, value in obs.items()}


def _unread(game: Any) -> int | None:
    """Return the place of the one large array that NLE's tasks never read.

    MiniHack's read it from the last observation, so theirs stays.
    """
    keys = game._observation_keys
    if hasattr(game, "_minihack_obs_keys") or _LARGE not in keys:
        return None
    return int(keys.index(_LARGE))


def _limit(env: Any) -> int | None:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, Game):
            return env.max_episode_steps
        env = env.env
    return None


FAMILY = NetHack()
"""What :mod:`reward_synth.envs.families` looks for."""
