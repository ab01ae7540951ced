"""Rewards of frames, where they reach agents: many frames are encoded at once.

For reward_synth's PPO, give ``rewards=frame_rewards(model)``, ``captioner=FRAME`` and
``sight=KeySight(space, "state")``: the network does not see the frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from stable_baselines3.common.buffers import DictRolloutBuffer, RolloutBuffer
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from reward_synth.agents.ppo_sight import FlatSight
from reward_synth.errors import UsageError
from reward_synth.intrinsic import Captioner
from reward_synth.intrinsic.models import FrameModel
from reward_synth.wrappers.sb3 import _final

FRAME = Captioner(lambda _: "frame")
"""What each step is called where a frame pays and no caption."""


class KeySight:
    """Sees one entry of Dict observations, such as the state beside the frames.

    Args:
        space: Of one environment's observations.
        key: The entry.

    Raises:
        UsageError: There is none of that name.

    Example:
        >>> space = gym.spaces.Dict({"state": gym.spaces.Box(0, 1, (2,))})
        >>> KeySight(space, "state")({"state": np.ones((1, 2))}).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, space: gym.Space[Any], key: str) -> None:
        self.key = key
        self._flat = FlatSight(_parts(space, key)[key])
        self.width = self._flat.width

    def __call__(self, obs: Any, /) -> npt.NDArray[np.float32]:
        """Return a row for each environment."""
        return self._flat(obs[self.key])


class VecFrames(VecEnvWrapper):
    """Keeps the frames of a rollout apart from what the policy sees.

    The frame of the step that ended an episode is the episode's, not the next one's.

    Args:
        venv: The environments, whose Dict observations hold frames.
        model: Scores frames in ``FramedRolloutBuffer``.

    Raises:
        UsageError: The observations hold no frames under the model's key, or nothing else.
    """

    def __init__(self, venv: VecEnv, model: FrameModel) -> None:
        super().__init__(venv)
        self.model = model
        parts = dict(_parts(venv.observation_space, model.key))
        parts.pop(model.key)
        if not parts:
            raise UsageError(
                "The observations hold frames alone, which the policy does not see. Take "
                "AddRenderObservation(env, render_only=False)."
            )
        self._only = next(iter(parts)) if len(parts) == 1 else ""
        self.observation_space = (
            parts[self._only] if self._only else gym.spaces.Dict(parts)
        )
        self.frames: list[npt.NDArray[np.uint8]] = []
        """Since the last rollout began, one array a step."""

    def reset(self) -> Any:
        """Reset all environments."""
        return self._bare(self.venv.reset())

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Take the steps, and keep the frames that they led to."""
        obs, paid, dones, infos = self.venv.step_wait()
        led = _final(obs, infos, dones) if dones.any() else obs
        self.frames.append(np.array(self.model.frames(led)))
        for info in infos:
            if "terminal_observation" in info:
                info["terminal_observation"] = self._bare(info["terminal_observation"])
        return self._bare(obs), paid, dones, infos

    def _bare(self, obs: Any) -> Any:
        kept = {name: part for name, part in obs.items() if name != self.model.key}
        return kept[self._only] if self._only else kept


class _FramedRollout(RolloutBuffer):
    """Pays for frames before advantages are computed."""

    def __init__(
        self, *given: Any, source: VecFrames, weight: float = 1.0, **settings: Any
    ) -> None:
        self.source = source
        self.weight = weight
        self.intrinsic: npt.NDArray[np.float64] = np.zeros(0)
        super().__init__(*given, **settings)

    def reset(self) -> None:
        """Begin a rollout."""
        super().reset()
        self.source.frames.clear()

    def compute_returns_and_advantage(self, last_values: Any, dones: Any) -> None:
        """Add what the rollout's frames pay; then compute."""
        found = self.source.model.score(np.concatenate(self.source.frames))
        self.intrinsic = found.reshape(self.rewards.shape)
        self.rewards += self.weight * self.intrinsic
        super().compute_returns_and_advantage(last_values, dones)


class FramedRolloutBuffer(_FramedRollout):
    """For PPO and A2C: ``PPO(..., rollout_buffer_class=FramedRolloutBuffer,
    rollout_buffer_kwargs={"source": venv, "weight": 1.0})``.

    Args:
        given: What the agent gives.
        source: The environments that the agent trains in.
        weight: Factor of what frames pay.
        settings: What the agent gives.
    """  # noqa: D205 - the first sentence holds the code


class FramedDictRolloutBuffer(_FramedRollout, DictRolloutBuffer):
    """The same for observations that are a Dict beside the frames."""


def _parts(space: gym.Space[Any], key: str) -> Mapping[str, gym.Space[Any]]:
    if not isinstance(space, gym.spaces.Dict) or key not in space.spaces:
        known = ", ".join(space) if isinstance(space, gym.spaces.Dict) else f"{space}"
        raise UsageError(f"The observations have no {key!r}; they have {known}.")
    return space.spaces
