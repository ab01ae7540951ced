"""Dense rewards for Gymnasium's vector environments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from reward_synth.combine import Combiner
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import Components, RewardFunction, Step
from reward_synth.task import PUBLISHED, TaskSpec, as_array
from reward_synth.wrappers.guard import Guard
from reward_synth.wrappers.lanes import LaneRewards
from reward_synth.wrappers.words import COMPONENTS, EPISODE, SPARSE_REWARD

Mask = npt.NDArray[np.bool_]
_FINAL = ("final_obs", "final_observation")
"""Gymnasium's key, and the one of ManiSkill's vector environment."""
CHOSEN = "env_idx"
"""ManiSkill's key of reset's options: the numbers of the environments to reset."""


class VectorDenseReward(
    gym.vector.VectorWrapper,
    gym.utils.RecordConstructorArgs,
):
    """Gives every environment of a vector a dense reward.

    ``infos`` holds what :class:`DenseReward` tells, as arrays over the environments:
    ``sparse_reward``, ``reward_components`` and, where an episode ended,
    ``reward_synth``. All three autoreset modes are understood: the step that only resets
    (NEXT_STEP) earns nothing, and the step that ended an episode is scored on its final
    observation (SAME_STEP), so no reward leaks from one episode into the next.

    :func:`reward_synth.wrap` fills in ``task``.

    Args:
        env: The vector environment. What the reward needs beside the observation is
            taken from ``infos["reward_fields"]``, see :class:`PublishFields`.
        reward: As for :class:`DenseReward`.
        task: The task of each environment, or its JSON data.
        combine: As for :class:`DenseReward`.
        gamma: The agent's discount, for ``potential``; the task's by default.
        weight: Factor of the dense part under ``add`` and ``potential``.
        guard: What is done about rewards that no learner survives; see
            :class:`Guard`.

    Raises:
        ProgramError: The program cannot be used, or lacks the function it needs.
        UsageError: An argument is out of range.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("angle", source="obs[2]"),),
        ...                 Field("action", dtype="int"))
        >>> envs = gym.make_vec("CartPole-v1", 3, vectorization_mode="sync")
        >>> envs = VectorDenseReward(envs, lambda t: {"upright": 2.0}, task)
        >>> _ = envs.reset(seed=0)
        >>> _, reward, _, _, infos = envs.step(np.zeros(3, np.int64))
        >>> reward, infos["reward_components"]["upright"]
        (array([3., 3., 3.]), array([2., 2., 2.]))
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        reward: RewardProgram | RewardFunction | str | Path,
        task: TaskSpec | Mapping[str, Any],
        combine: str | Combiner = "add",
        gamma: float | None = None,
        weight: float = 1.0,
        guard: Guard | None = None,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, combine=combine, gamma=gamma, weight=weight
        )
        gym.vector.VectorWrapper.__init__(self, env)
        self.rewards = LaneRewards(
            reward, task, combine, gamma, weight, env.num_envs, guard
        )
        self._mode = _autoreset(env)
        self._resets = np.zeros(env.num_envs, np.bool_)
        self._always = np.ones(env.num_envs, np.bool_)

    def reset(
        self,
        *,
        seed: int | list[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all environments, or those of ``options["reset_mask"]``.

        ManiSkill's vector environment takes their numbers: ``options["env_idx"]``.
        """
        chosen = self._chosen(options or {})  # the environment takes it out
        env: Any = self.env  # its own type knows no list of seeds
        obs, infos = env.reset(seed=seed, options=options)
        self.rewards.begin(obs, infos, chosen)
        if chosen is None:
            self._resets = ~self._always
        else:
            self.rewards.finish(chosen)
            self._resets = self._resets & ~chosen
        return obs, infos

    def _chosen(self, options: Mapping[str, Any]) -> Mask | None:
        if options.get("reset_mask") is not None:
            return np.array(as_array(options["reset_mask"]), np.bool_)
        numbers = options.get(CHOSEN)
        return None if numbers is None else numbered(numbers, self.num_envs)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step all environments and score their steps."""
        given = np.array(as_array(actions))
        obs, paid, terminations, truncations, infos = self.env.step(actions)
        terminated = as_array(terminations).astype(np.bool_)
        truncated = as_array(truncations).astype(np.bool_)
        ended = terminated | truncated
        step = Step(
            {},
            given,
            {},
            self.rewards.finite(as_array(paid)),
            terminated,
            truncated,
            ~self._resets,
        )
        same_step = self._mode is AutoresetMode.SAME_STEP and bool(ended.any())
        last = _final(obs, infos, ended) if same_step else (obs, infos)
        reward, components = self.rewards.score(*last, step)
        self.rewards.keep(obs, infos)
        if same_step:
            self.rewards.begin(obs, infos, ended)
        if self._mode is AutoresetMode.NEXT_STEP:
            self._resets = ended
        self._tell(infos, step.sparse, components, ended)
        return obs, like(reward, paid), terminations, truncations, infos

    def _tell(
        self,
        infos: dict[str, Any],
        sparse: npt.NDArray[np.float64],
        components: Components,
        ended: Mask,
    ) -> None:
        """Put arrays and their masks into ``infos``, as Gymnasium does."""
        always = self._always
        infos[SPARSE_REWARD], infos[f"_{SPARSE_REWARD}"] = sparse, always
        infos[COMPONENTS], infos[f"_{COMPONENTS}"] = _masked(components, always), always
        if ended.any():
            summary = self.rewards.finish(ended)
            summary["components"] = _masked(summary["components"], ended)
            infos[EPISODE], infos[f"_{EPISODE}"] = _masked(summary, ended), ended


def _masked(values: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    return {**values, **{f"_{name}": mask for name in values}}


def _autoreset(env: gym.vector.VectorEnv[Any, Any, Any]) -> AutoresetMode:
    if getattr(env, "auto_reset", True) is False:  # ManiSkill declares SAME_STEP anyway
        return AutoresetMode.DISABLED
    mode = (env.metadata or {}).get("autoreset_mode", AutoresetMode.NEXT_STEP)
    try:
        return mode if isinstance(mode, AutoresetMode) else AutoresetMode(mode)
    except ValueError:
        raise UsageError(
            f"The vector environment declares autoreset_mode {mode!r}; expected one of "
            f"{', '.join(item.value for item in AutoresetMode)}."
        ) from None


def _final(
    obs: Any, infos: Mapping[str, Any], ended: Mask
) -> tuple[Any, dict[str, Any]]:
    """Return observations and infos before the reset of the environments that ended.

    Raises:
        UsageError: The environment does not tell its final observations.
    """
    key = next((name for name in _FINAL if name in infos), None)
    if key is None:
        raise UsageError(
            "The vector environment resets in the same step, but infos hold no "
            f"{_FINAL[0]!r}, so the last step of an episode cannot be scored."
        )
    last = _patched(obs, infos[key], ended)
    told = infos.get("final_info", {}).get(PUBLISHED, {})
    fields = {name: value for name, value in told.items() if name[0] != "_"}
    # a reset need not deliver every field
    old = {name: infos.get(PUBLISHED, {}).get(name, fields[name]) for name in fields}
    return last, {**infos, PUBLISHED: _patched(old, fields, ended)}


class _PerLane(dict[int, Any]):
    """Final observations by the number of the environment."""


def _patched(values: Any, final: Any, ended: Mask) -> Any:
    """Return ``values`` with the entries of ``final`` where an episode ended."""
    if isinstance(values, Mapping):
        return {
            name: _patched(value, _entry(final, name, ended), ended)
            for name, value in values.items()
        }
    result = np.array(as_array(values))
    chosen = as_array(final) if hasattr(final, "detach") else final
    result[ended] = np.stack([as_array(chosen[i]) for i in np.flatnonzero(ended)])
    return result


def _entry(final: Any, name: str, ended: Mask) -> Any:
    """Return a key of final observations: of a batch, or of one dict a lane."""
    if isinstance(final, Mapping) and not isinstance(final, _PerLane):
        return final[name]
    return _PerLane({int(i): final[i][name] for i in np.flatnonzero(ended)})


def numbered(numbers: Any, lanes: int) -> Mask:
    """Return the mask of the environments with these numbers.

    Example:
        >>> numbered([0, 2], 3)
        array([ True, False,  True])
    """
    mask = np.zeros(lanes, np.bool_)
    mask[as_array(numbers)] = True
    return mask


def like(reward: npt.NDArray[np.float64], paid: Any) -> Any:
    """Return the reward as the environment returns its own: NumPy or torch.

    A success flag that stands for a reward becomes a number: of torch's default type.

    Example:
        >>> like(np.ones(2), np.zeros(2))
        array([1., 1.])
    """
    if hasattr(paid, "new_tensor"):
        kind = paid.dtype if paid.is_floating_point() else None
        return paid.new_tensor(reward, dtype=kind or paid.float().dtype)
    return reward
