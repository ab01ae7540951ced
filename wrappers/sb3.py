"""Dense rewards for the vector environments of Stable-Baselines3; the one door to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from reward_synth.combine import Combiner
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction, Step
from reward_synth.task import PUBLISHED, TaskSpec
from reward_synth.wrappers.guard import Guard
from reward_synth.wrappers.lanes import LaneRewards
from reward_synth.wrappers.words import COMPONENTS, EPISODE, SPARSE_REWARD

_FINAL = "terminal_observation"
_TIME_LIMIT = "TimeLimit.truncated"


class VecDenseReward(VecEnvWrapper):
    """Gives every environment of a ``VecEnv`` a dense reward.

    Each ``info`` holds ``sparse_reward``, ``reward_components`` and, at the end of an
    episode, ``reward_synth``. A ``VecEnv`` resets at once, so the last step of an episode
    is scored on its ``terminal_observation``, and the first of the next one starts from
    the observation after the reset.

    :func:`reward_synth.wrap` fills in ``task``.

    Args:
        venv: The vector environment. What the reward needs beside the observation is
            taken from ``info["reward_fields"]``, see :class:`PublishFields`.
        reward: As for :class:`DenseReward`.
        task: The task of each environment, or its JSON data.
        combine: As for :class:`DenseReward`.
        gamma: The agent's discount, for ``potential``; the task's by default.
        weight: Factor of the dense part under ``add`` and ``potential``.
        guard: What is done about rewards that no learner survives; see
            :class:`Guard`.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3.common.vec_env import DummyVecEnv
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("angle", source="obs[2]"),),
        ...                 Field("action", dtype="int"))
        >>> venv = DummyVecEnv([lambda: gym.make("CartPole-v1")] * 2)
        >>> venv = VecDenseReward(venv, lambda t: {"upright": 2.0}, task)
        >>> _ = venv.reset()
        >>> venv.step(np.zeros(2, np.int64))[1]
        array([3., 3.], dtype=float32)
    """

    def __init__(
        self,
        venv: VecEnv,
        reward: RewardProgram | RewardFunction | str | Path,
        task: TaskSpec | Mapping[str, Any],
        combine: str | Combiner = "add",
        gamma: float | None = None,
        weight: float = 1.0,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(venv)
        self.rewards = LaneRewards(
            reward, task, combine, gamma, weight, venv.num_envs, guard
        )
        self._given: Any = None

    def reset(self) -> Any:
        """Reset all environments."""
        obs = self.venv.reset()
        self.rewards.begin(obs, _published(self.venv.reset_infos))
        return obs

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Send the actions, and keep them as they were given."""
        self._given = np.array(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Take the steps, and score them."""
        obs, paid, dones, infos = self.venv.step_wait()
        cut = np.array([bool(info.get(_TIME_LIMIT, False)) for info in infos])
        step = Step(
            {},
            self._given,
            {},
            self.rewards.finite(paid),
            dones & ~cut,
            dones & cut,
            np.ones(len(infos), np.bool_),
        )
        last = _final(obs, infos, dones) if dones.any() else obs
        told = _published(infos)
        reward, components = self.rewards.score(last, told, step)
        starts = self._started(infos, dones)
        self.rewards.keep(obs, starts)
        if dones.any():
            self.rewards.begin(obs, starts, dones)
        self._tell(infos, step.sparse, components, dones)
        return obs, reward.astype(np.float32), dones, infos

    def _started(
        self, infos: Sequence[Mapping[str, Any]], dones: npt.NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Return what is known before the next step: after a reset where one was."""
        resets = self.venv.reset_infos
        return _published(
            [resets[i] if done else infos[i] for i, done in enumerate(dones)]
        )

    def _tell(
        self,
        infos: list[dict[str, Any]],
        sparse: npt.NDArray[np.float64],
        components: Mapping[str, npt.NDArray[np.float64]],
        dones: npt.NDArray[np.bool_],
    ) -> None:
        for number, info in enumerate(infos):
            info[SPARSE_REWARD] = float(sparse[number])
            info[COMPONENTS] = {
                name: float(v[number]) for name, v in components.items()
            }
        if not dones.any():
            return
        summary = self.rewards.finish(dones)
        for lane in np.flatnonzero(dones):
            infos[lane][EPISODE] = _lane(summary, int(lane))


def _lane(summary: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        name: _lane(value, number) if isinstance(value, dict) else value[number].item()
        for name, value in summary.items()
    }


def _published(infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the published fields of all environments as arrays."""
    told = [info.get(PUBLISHED) for info in infos]
    if not told or any(item is None for item in told):
        return {}
    names = set.intersection(*(set(item) for item in told if item is not None))
    return {
        PUBLISHED: {
            name: np.stack(
                [np.asarray(item[name]) for item in told if item is not None]
            )
            for name in names
        }
    }


def _final(
    obs: Any, infos: Sequence[Mapping[str, Any]], dones: npt.NDArray[np.bool_]
) -> Any:
    """Return the observations before the reset of the environments that ended."""
    ended = np.flatnonzero(dones)
    if isinstance(obs, Mapping):
        return {name: _put(value, ended, infos, name) for name, value in obs.items()}
    return _put(obs, ended, infos, None)


def _put(
    values: npt.NDArray[Any],
    ended: npt.NDArray[np.intp],
    infos: Sequence[Mapping[str, Any]],
    name: str | None,
) -> npt.NDArray[Any]:
    result = np.array(values)
    for number in ended:
        final = infos[number][_FINAL]
        result[number] = final if name is None else final[name]
    return result
