"""Small gridworlds with sparse goals, whose best policies are known exactly.

    import reward_synth.envs.gridworld_register  # the ids

    envs = gym.make_vec("GridKeyDoor-v0", num_envs=4096)
    envs.unwrapped.tables.optimal_values(0.99)

:class:`GridEnv` is one environment, :class:`VectorGrid` many, stepped as machine code.
Both have ``tables``, with which regret and distances of rewards are computed and not
estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from reward_synth.envs.gridworld_maps import map_of, space_of, tables_of
from reward_synth.envs.gridworld_step import compiled
from reward_synth.envs.gridworld_tables import MOVES, Layout, Tables, tables
from reward_synth.errors import UsageError

__all__ = ["GridEnv", "KeyDoorEnv", "Layout", "Tables", "VectorGrid", "tables"]
_DEFAULT = "GridFourRooms-v0"
_ENDLESS = 2**62


class GridEnv(gym.Env[npt.NDArray[np.float32], np.int64]):
    """A walker on a map.

    ## Observation Space

    | Num | Observation           | Unit |
    |-----|-----------------------|------|
    | 0   | row of the walker     | cell |
    | 1   | column of the walker  | cell |
    | 2   | row of the goal       | cell |
    | 3   | column of the goal    | cell |

    ## Action Space

    - 0: up
    - 1: right
    - 2: down
    - 3: left

    ## Arguments

    Args:
        task: One of the maps with ids; other maps are given as ``rows``.
        rows: A map, see :class:`Layout`.
        slip: Chance to move to a side instead; by default the task's.
        render_mode: ``ansi`` gives the map as text.

    Raises:
        UsageError: There is no such task, or the map cannot be used.

    Example:
        >>> env = GridEnv(rows=["S.G"])
        >>> obs, _ = env.reset(seed=0)
        >>> obs.tolist()
        [0.0, 0.0, 0.0, 2.0]
        >>> env.step(1)[1:3], env.step(1)[1:3]
        ((0.0, False), (1.0, True))
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 - Gymnasium's

    def __init__(
        self,
        task: str = _DEFAULT,
        rows: Sequence[str] | None = None,
        slip: float | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.layout = map_of(task, rows, slip)
        self.tables = tables_of(self.layout)
        self.render_mode = render_mode
        self.observation_space = space_of(self.layout, self.tables)
        self.action_space = gym.spaces.Discrete(len(MOVES))
        self.state = 0
        """Number of the state in ``tables``."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start at a drawn start, or at ``options["state"]``."""
        super().reset(seed=seed)
        asked = (options or {}).get("state")
        if asked is not None and not 0 <= asked < self.tables.states:
            raise UsageError(
                f"options['state'] must be 0 to {self.tables.states - 1}, received "
                f"{asked!r}."
            )
        drawn = self.np_random.choice(self.tables.states, p=self.tables.start)
        self.state = int(drawn if asked is None else asked)
        return self._seen(), {}

    def step(
        self, action: Any
    ) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Move up, right, down or left."""
        process, place = self.tables.process, (self.state, int(action))
        if not 0 <= place[1] < len(MOVES):
            raise UsageError(f"action must be 0 to 3, received {action!r}.")
        chance = process.probability[place]
        k = 0 if chance[0] >= 1 else int(self.np_random.choice(len(chance), p=chance))
        self.state = int(process.next[place][k])
        paid = float(self.tables.rewards[place][k])
        return self._seen(), paid, bool(self.tables.terminal[self.state]), False, {}

    def render(self) -> Any:
        """Return the map with the walker as ``@``."""
        if self.render_mode != "ansi":
            return None
        row, column = self.tables.observations[self.state][:2].astype(int)
        lines = [list(text) for text in self.layout.rows]
        lines[row][column] = "@"
        return "\n".join(map("".join, lines))

    def _seen(self) -> npt.NDArray[np.float32]:
        return np.array(self.tables.observations[self.state])


class KeyDoorEnv(GridEnv):
    """A walker on a map with a key and a door.

    ## Observation Space

    | Num | Observation           | Unit |
    |-----|-----------------------|------|
    | 0   | row of the walker     | cell |
    | 1   | column of the walker  | cell |
    | 2   | row of the goal       | cell |
    | 3   | column of the goal    | cell |
    | 4   | has the key           |      |
    | 5   | row of the key        | cell |
    | 6   | column of the key     | cell |
    | 7   | row of the door       | cell |
    | 8   | column of the door    | cell |

    ## Action Space

    - 0: up
    - 1: right
    - 2: down
    - 3: left
    """


class VectorGrid(gym.vector.VectorEnv[Any, Any, Any]):
    """Many walkers on one map.

    Args:
        num_envs: How many.
        task: As for :class:`GridEnv`.
        rows: Likewise.
        slip: Likewise.
        max_episode_steps: Steps after which an episode is truncated; None: never.
        autoreset_mode: When episodes that ended begin anew: ``NextStep`` (Gymnasium's
            default), ``SameStep`` or ``Disabled``.
        render_mode: Must be None.

    Raises:
        UsageError: As for :class:`GridEnv`, or an argument is out of range.

    Example:
        >>> envs = VectorGrid(2, rows=["S.G"])
        >>> _ = envs.reset(seed=0)
        >>> _ = envs.step(np.array([1, 0]))
        >>> envs.step(np.array([1, 1]))[1]
        array([1., 0.])
    """

    def __init__(
        self,
        num_envs: int = 1,
        task: str = _DEFAULT,
        rows: Sequence[str] | None = None,
        slip: float | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        if num_envs < 1 or render_mode is not None:
            raise UsageError(
                f"VectorGrid takes at least one environment and no render_mode; received "
                f"num_envs={num_envs!r}, render_mode={render_mode!r}."
            )
        self.layout = map_of(task, rows, slip)
        self.tables = tables_of(self.layout)
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": AutoresetMode(autoreset_mode)}
        self.single_observation_space = space_of(self.layout, self.tables)
        self.single_action_space = gym.spaces.Discrete(len(MOVES))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.states = np.zeros(num_envs, np.int64)
        """Numbers of the states in ``tables``."""
        self._elapsed = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, np.bool_)
        self._limit = _ENDLESS if max_episode_steps is None else max_episode_steps
        self._until = np.cumsum(self.tables.process.probability, 2)
        self._first = np.cumsum(self.tables.start)
        self._step, self._start = compiled()

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start all walkers, or those of ``options["reset_mask"]``.

        One generator drives all of them; of a list of seeds the first counts.
        """
        super().reset(seed=seed[0] if isinstance(seed, list) else seed)
        mask = (options or {}).get("reset_mask")
        chosen = np.ones(self.num_envs, np.bool_) if mask is None else np.asarray(mask)
        self._begin(chosen)
        self._ended = self._ended & ~chosen
        return self._seen(), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move every walker."""
        taken = np.asarray(actions)
        if (
            taken.shape != (self.num_envs,)
            or taken.min() < 0
            or taken.max() >= len(MOVES)
        ):
            raise UsageError(
                f"actions must be {self.num_envs} numbers from 0 to 3, received shape "
                f"{taken.shape}."
            )
        rewards = np.empty(self.num_envs)
        ended = np.empty((2, self.num_envs), np.bool_)
        process = self.tables.process
        self._step(
            self.states,
            self._elapsed,
            taken,
            process.next,
            self._until,
            self.tables.rewards,
            self.tables.terminal,
            self._limit,
            self.np_random,
            rewards,
            *ended,
        )
        infos = self._reset_again(rewards, ended)
        return self._seen(), rewards, ended[0], ended[1], infos

    def _reset_again(
        self, rewards: npt.NDArray[np.float64], ended: npt.NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Begin episodes anew where the mode says so; return ``infos``."""
        mode = self.metadata["autoreset_mode"]
        if mode is AutoresetMode.NEXT_STEP:
            if self._ended.any():  # this step only resets
                self._begin(self._ended)
                rewards[self._ended] = 0.0
                ended[:, self._ended] = False
            self._ended = np.asarray(ended.any(0))
            return {}
        over: npt.NDArray[np.bool_] = np.asarray(ended.any(0))
        if mode is AutoresetMode.DISABLED or not over.any():
            return {}
        last = np.empty(self.num_envs, object)
        final = self._seen()
        for lane in np.flatnonzero(over):
            last[lane] = final[lane]
        self._begin(over)
        return {
            "final_obs": last,
            "_final_obs": over,
            "final_info": {},
            "_final_info": over,
        }

    def _begin(self, chosen: npt.NDArray[np.bool_]) -> None:
        self._start(self.states, self._elapsed, chosen, self._first, self.np_random)

    def _seen(self) -> npt.NDArray[np.float32]:
        return self.tables.observations.take(self.states, 0)
