"""A small environment whose episodes end at different times, for tests of batches."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.task import Field, TaskSpec

_FAR = 2.0


class Walk(gym.Env[Any, Any]):
    """A point that walks; it ends beyond 2 or after ``limit`` steps.

    Args:
        limit: Steps of an episode.
        keys: True for a Dict observation.
    """

    def __init__(self, limit: int = 6, *, keys: bool = False) -> None:
        box = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.keys = keys
        self.observation_space = gym.spaces.Dict(where=box) if keys else box
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)
        self.limit = limit
        self.wind = 0.0

    def _obs(self) -> Any:
        place = np.array([self.x, self.speed])
        return {"where": place} if self.keys else place

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.x, self.speed = self.np_random.uniform(-1.0, 1.0), 0.0
        self.wind, self.count = float(self.np_random.uniform()), 0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.speed = float(action[0]) + 0.3 * self.wind
        self.x += self.speed
        self.wind = float(self.np_random.uniform())
        self.count += 1
        ended = abs(self.x) > _FAR
        cut = self.count >= self.limit and not ended
        return self._obs(), float(ended), ended, cut, {"pace": abs(self.speed)}


def task(*, keys: bool = False) -> TaskSpec:
    """Return the task of :class:`Walk`; ``wind`` is in the simulator alone, ``pace`` in
    what steps tell."""
    place = "obs.where" if keys else "obs"
    return TaskSpec(
        "Walk",
        "walk far",
        (
            Field("x", source=f"{place}[0]"),
            Field("speed", source=f"{place}[1]"),
            Field("wind", source="sim.wind"),
            Field("pace", source="info.pace", at_reset=False),
        ),
        Field("action", (1,)),
    )
