"""A maze that pays behind its wall alone, many at once in NumPy."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

WALLS = ((0.5, 0.0, 0.6),)
"""Of each: its height, and from where to where it reaches."""
GOAL = np.array([0.1, 0.6])
START = np.array([0.1, 0.1])
STEP = 0.05


class Maze(gym.vector.VectorEnv[Any, Any, Any]):
    """A point in a square; straight ahead is a wall, which it must go round and back.

    It pays 1 within ``near`` of the goal, and ends there; the clock ends it after 80 steps.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 - Gymnasium's

    def __init__(self, num_envs: int, near: float = 0.1, dim: int = 2) -> None:
        self.num_envs = num_envs
        self.near, self.dim = near, dim
        self.single_observation_space = gym.spaces.Box(0.0, 1.0, (dim,), np.float64)
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float64)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.place = np.tile(START, (num_envs, 1))
        self.time = 0

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        self.place, self.time = np.tile(START, (self.num_envs, 1)), 0
        return self._see(), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        moved = np.clip(self.place + STEP * np.clip(actions, -1, 1), 0.0, 1.0)
        blocked = np.zeros(self.num_envs, np.bool_)
        for height, left, right in WALLS:
            crosses = (self.place[:, 1] < height) != (moved[:, 1] < height)
            blocked |= crosses & (moved[:, 0] >= left) & (moved[:, 0] <= right)
        self.place = np.where(blocked[:, None], self.place, moved)
        self.time += 1
        there = np.linalg.norm(self.place - GOAL, axis=1) < self.near
        late = np.full(self.num_envs, self.time >= 80)
        return self._see(), there.astype(float), there, late & ~there, {}

    def _see(self) -> Any:
        """Return the place, in more numbers than two if so asked."""
        turns = np.linspace(0.0, np.pi, self.dim, endpoint=False)
        if self.dim == 2:
            return self.place.copy()
        x, y = self.place[:, :1], self.place[:, 1:]
        return 0.5 + 0.5 * np.sin(2 * (x * np.cos(turns) + y * np.sin(turns)))
