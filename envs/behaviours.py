"""Motions of Gymnasium's Hopper and Ant that no reward of theirs asks for.

Six are Text2Reward's novel behaviours (Xie et al., 2024); its code tells no rule for them,
so the rules here are ours. The others are targets of Language to Rewards for a quadruped
(Yu et al., 2023), asked of the Ant. Needs MuJoCo; :mod:`behaviours_tasks` does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.envs.mujoco.ant_v5 import AntEnv

Stepped = tuple[npt.NDArray[np.float64], np.float64, bool, bool, dict[str, Any]]
_FEET = ("left_ankle", "right_ankle", "third_ankle", "fourth_ankle")
"""Front left, front right, back left, back right."""
_LIFTED, _STANDING = 0.2, 0.15
"""Metres above the ground; the tip of a foot that rests is at 0.08."""
_ASIDE = 0.2
"""Radians of the hip from its middle to count as a side; its range is 0.52 to each."""
_HIP = 7
"""Place of the front left hip in the simulator's positions."""


class MovingAnt(AntEnv):
    """The Ant, which also tells where its feet are and how often it has waved."""

    _side = 0
    _swings = 0

    def reset_model(self) -> npt.NDArray[np.float64]:
        """Reset, with no swing counted."""
        self._side = self._swings = 0
        obs: npt.NDArray[np.float64] = super().reset_model()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
        return obs

    def step(self, action: npt.NDArray[np.float32]) -> Stepped:
        """Make a step and look whether the front left leg has swung to its other side."""
        found: Stepped = super().step(action)  # type: ignore[no-untyped-call]  # Gymnasium's has no types
        self._look()
        return found

    def get_foot_heights(self) -> npt.NDArray[np.float64]:
        """Return the heights of the feet's tips, in metres, shape ``(4,)``.

        Front left, front right, back left, back right.
        """
        return np.array([self._tip(f"{name}_geom")[2] for name in _FEET])

    def get_swings(self) -> int:
        """Return how often the lifted leg has swung while the other feet stood."""
        return self._swings

    def _look(self) -> None:
        hip = float(self.data.qpos[_HIP])
        heights = self.get_foot_heights()
        standing = bool((heights[1:] <= _STANDING).all())
        if heights[0] < _LIFTED or not standing or abs(hip) < _ASIDE:
            return
        side = 1 if hip > 0 else -1
        self._swings += self._side == -side
        self._side = side

    def _tip(self, name: str) -> npt.NDArray[np.float64]:
        """Return the end of a capsule that is farther from the torso."""
        geom = self.data.geom(name)
        axis = np.asarray(geom.xmat).reshape(3, 3)[:, 2]
        reach = self.model.geom(name).size[1] * axis
        torso = self.data.body("torso").xpos
        ends = geom.xpos + reach, geom.xpos - reach
        tip: npt.NDArray[np.float64] = max(
            ends, key=lambda end: float(np.linalg.norm(end - torso))
        )
        return tip


MovingAnt.__doc__ = AntEnv.__doc__  # fields of the observation are read from it
