"""Returns at the end of an episode only: the setting in which credit must be assigned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from reward_synth.task import PUBLISHED, as_array, as_number
from reward_synth.wrappers.vector import _autoreset, like
from reward_synth.wrappers.words import STEP_REWARD

_TELLING = "reward"
"""Keys of ``info`` whose names hold this may tell what a single step paid."""
_FINAL = ("final_info", "_final_info")


class EpisodicReturn(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Pays the sum of an episode's rewards with its last step, and 0 before.

    Episodes that the task ended and episodes that the clock ended are treated alike.
    Keys of ``info`` whose names contain "reward" are left out, since they may tell what
    the single step paid; fields that :class:`PublishFields` publishes stay.

    Args:
        env: The environment; a time limit must be inside of it.
        tell: Keep the step's own reward as ``info["step_reward"]``, and the other keys.

    Example:
        >>> env = EpisodicReturn(gym.make("CartPole-v1", max_episode_steps=3))
        >>> _ = env.reset(seed=0)
        >>> [env.step(0)[1] for _ in range(3)]
        [0.0, 0.0, 3.0]
    """

    def __init__(self, env: gym.Env[Any, Any], tell: bool = False) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, tell=tell)
        gym.Wrapper.__init__(self, env)
        self.tell = tell
        self._sum = 0.0
        self._playing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and begin a sum."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._sum, self._playing = 0.0, True
        return obs, info if self.tell else without_rewards(info)

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment; pay the sum if the episode ended."""
        if not self._playing:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        obs, paid, terminated, truncated, info = self.env.step(action)
        number = as_number(paid)
        self._sum += number
        told = {**info, STEP_REWARD: number} if self.tell else without_rewards(info)
        ended = bool(terminated or truncated)
        self._playing = not ended
        reward = self._sum if ended else 0.0
        return obs, reward, bool(terminated), bool(truncated), told


class VectorEpisodicReturn(
    gym.vector.VectorWrapper,
    gym.utils.RecordConstructorArgs,
):
    """Pays each environment of a vector as :class:`EpisodicReturn` does.

    All three autoreset modes are understood: the step that only resets pays nothing and
    counts to no sum.

    Args:
        env: The vector environment.
        tell: As of :class:`EpisodicReturn`.

    Example:
        >>> envs = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync",
        ...                     max_episode_steps=2)
        >>> envs = VectorEpisodicReturn(envs)
        >>> _ = envs.reset(seed=0)
        >>> [envs.step(np.zeros(2, np.int64))[1].tolist() for _ in range(2)]
        [[0.0, 0.0], [2.0, 2.0]]
    """

    def __init__(
        self, env: gym.vector.VectorEnv[Any, Any, Any], tell: bool = False
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, tell=tell)
        gym.vector.VectorWrapper.__init__(self, env)
        self.tell = tell
        self._skips = _autoreset(env) is AutoresetMode.NEXT_STEP
        self._sums = np.zeros(env.num_envs)
        self._resets = np.zeros(env.num_envs, np.bool_)

    def reset(
        self,
        *,
        seed: int | list[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all environments, or those of ``options["reset_mask"]``."""
        mask = (options or {}).get("reset_mask")
        chosen = np.ones(self.num_envs, np.bool_)
        if mask is not None:
            chosen = np.array(as_array(mask), np.bool_)
        env: Any = self.env  # its own type knows no list of seeds
        obs, infos = env.reset(seed=seed, options=options)
        self._sums[chosen] = 0.0
        self._resets[chosen] = False
        return obs, infos if self.tell else without_rewards(infos)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step all environments; pay the sums of those whose episode ended."""
        obs, paid, terminated, truncated, infos = self.env.step(actions)
        numbers = np.where(self._resets, 0.0, np.asarray(as_array(paid), np.float64))
        self._sums += numbers
        over = np.asarray(as_array(terminated), np.bool_) | np.asarray(
            as_array(truncated), np.bool_
        )
        ended = over & ~self._resets
        rewards = np.where(ended, self._sums, 0.0)
        self._sums[ended] = 0.0
        self._resets = ended if self._skips else np.zeros_like(ended)
        told = {**infos, STEP_REWARD: numbers} if self.tell else without_rewards(infos)
        return obs, like(rewards, paid), terminated, truncated, told


def without_rewards(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``info`` holds beside keys that may tell rewards of single steps.

    Example:
        >>> without_rewards({"reward_dist": -0.1, "is_success": False,
        ...                  "final_info": {"env_reward": 1.0, "x": 2.0}})
        {'is_success': False, 'final_info': {'x': 2.0}}
    """
    return {
        key: without_rewards(value)
        if key in _FINAL and isinstance(value, Mapping)
        else value
        for key, value in info.items()
        if _TELLING not in key.lower() or key.removeprefix("_") == PUBLISHED
    }
