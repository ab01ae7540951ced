"""Environments as users write them, each with one peculiarity."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

Obs = Any
Stepped = tuple[Obs, float, bool, bool, dict[str, Any]]


class ReusedBuffer(gym.Env[Any, Any]):
    """Walks along a line, and hands out one and the same array every time.

    ## Description
    Walk to the right end. See [the map](http://example.org/map).

    ## Observation Space
    +-----+--------------------------+---------------+
    | Num | Observation              | Unit          |
    +=====+==========================+===============+
    | 0   | position of the walker   | position (m)  |
    |     | along the x-axis         |               |
    +-----+--------------------------+---------------+
    | 1   | number of steps          | unitless      |
    +-----+--------------------------+---------------+

    ## Action Space
    - 0: step left
    - 1: step right
    """

    def __init__(self, length: float = 3.0) -> None:
        self.length = length
        self.observation_space = spaces.Box(-10.0, 100.0, (2,), np.float64)
        self.action_space = spaces.Discrete(2)
        self.buffer = np.zeros(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Obs, dict[str, Any]]:
        super().reset(seed=seed)
        self.buffer[:] = 0.0
        return self.buffer, {"lamp": True}

    def step(self, action: Any) -> Stepped:
        self.buffer += (2.0 * int(action) - 1.0, 1.0)
        done = bool(self.buffer[0] >= self.length)
        info = {"is_success": done, "lamp": False, "wind": [0.5, 1.5], "who": "me"}
        return self.buffer, -1.0 + done, done, False, info


class Goal(gym.Env[Any, Any]):
    """Moves a point to a goal; its observation is a nested Dict."""

    def __init__(self) -> None:
        place = spaces.Box(-1.0, 1.0, (2,))
        self.observation_space = spaces.Dict(
            observation=spaces.Dict(
                arm=spaces.Box(-np.inf, np.inf, (3,)),
                touch=spaces.MultiBinary(2),
                mode=spaces.Discrete(3, start=1),
            ),
            achieved_goal=place,
            desired_goal=place,
            camera=spaces.Box(0, 255, (8, 8, 3), np.uint8),
            words=spaces.Text(5),
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,))

    def _obs(self) -> dict[str, Any]:
        return {
            "observation": {
                "arm": np.zeros(3, np.float32),
                "touch": np.array([0, 1], np.int8),
                "mode": np.int64(2),
            },
            "achieved_goal": self.place.astype(np.float32),
            "desired_goal": np.full(2, 0.5, np.float32),
            "camera": np.zeros((8, 8, 3), np.uint8),
            "words": "go",
        }

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Obs, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = np.zeros(2)
        return self._obs(), {}

    def step(self, action: Any) -> Stepped:
        self.place = np.clip(self.place + 0.3 * np.asarray(action), -1, 1)
        near = bool(np.linalg.norm(self.place - 0.5) < 0.2)
        return self._obs(), float(near), False, False, {}


class Words(gym.Env[Any, Any]):
    """Speaks: nothing in its observation is a number."""

    def __init__(self) -> None:
        self.observation_space = spaces.Text(5)
        self.action_space = spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Obs, dict[str, Any]]:
        super().reset(seed=seed)
        return "go", {}

    def step(self, action: Any) -> Stepped:
        return "go", 0.0, False, False, {}


class LyingTable(ReusedBuffer):
    """Documents three entries, but has two.

    ## Observation Space
    | Num | Observation | Unit |
    |-----|-------------|------|
    | 0   | left        | m    |
    | 1   | right       | m    |
    | 2   | up          | m    |
    """


class LateSuccess(ReusedBuffer):
    """Reports success only on the step that reaches the goal."""

    def step(self, action: Any) -> Stepped:
        obs, reward, terminated, truncated, info = super().step(action)
        done = {"is_success": True} if info["is_success"] else {}
        return obs, reward, terminated, truncated, done


for _name in ("ReusedBuffer", "Goal", "Words", "LyingTable", "LateSuccess"):
    gym.register(f"Own{_name}-v0", f"{__name__}:{_name}", max_episode_steps=20)
gym.register("OwnWords-v1", f"{__name__}:Words", max_episode_steps=20)
