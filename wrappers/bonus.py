"""Exploration bonuses for environments, one or many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, SupportsFloat, TypeAlias, get_args

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from reward_synth.errors import UsageError
from reward_synth.intrinsic.bonuses.protocol import Bonus, Mask, Values
from reward_synth.task import as_array, as_number
from reward_synth.wrappers.guard import Guard, Quarantine
from reward_synth.wrappers.vector import _autoreset, _final, like
from reward_synth.wrappers.words import SPARSE_REWARD

BONUS = "bonus"
"""Key of ``info``: what the bonus pays."""
Pays: TypeAlias = Literal["add", "replace", "tell"]
_ONE: Mask = np.ones(1, np.bool_)


class BonusReward(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Pays an exploration bonus on top of the environment's reward.

    ``info["bonus"]`` tells it, ``info["sparse_reward"]`` what the environment paid.
    Observations that a bonus compares are copied, so environments may reuse theirs.

    A bonus that is not finite, is too large or raises pays nothing, and is counted in
    ``faults``.

    Args:
        env: The environment.
        bonus: A bonus of one lane.
        pays: ``add`` the bonus, ``replace`` the reward with it, or only ``tell`` it, for
            agents that learn the two apart.
        guard: What to do about a bonus that no learner survives.

    Raises:
        UsageError: There is no such choice of ``pays``.
        RewardFaultError: While stepping, if the bonus failed more often than the guard
            allows.

    Example:
        >>> from reward_synth.intrinsic.bonuses import EpisodicCount
        >>> env = BonusReward(gym.make("FrozenLake-v1"), EpisodicCount(1))
        >>> _ = env.reset(seed=0)
        >>> info = env.step(1)[4]
        >>> info["sparse_reward"], info["bonus"] in (0.0, 1.0)
        (0.0, True)
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        bonus: Bonus,
        pays: Pays = "add",
        guard: Guard | None = None,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, bonus=bonus, pays=pays, guard=guard
        )
        gym.Wrapper.__init__(self, env)
        self.bonus = bonus
        self.faults = Quarantine(guard or Guard())
        self.pays = _checked(pays)
        self.training = True
        """False in evaluation: what lasts beyond an episode stays as it is."""
        self._obs: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and begin an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._obs = _batch(obs)
        self.bonus.begin(self._obs, _ONE)
        return obs, info

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment and score the step."""
        if self._obs is None:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        given = np.array(as_array(action))[None]
        obs, paid, terminated, truncated, info = self.env.step(action)
        after = _batch(obs)
        steps = (self._obs, given, after, _ONE)
        extra = float(_scored(self.bonus, steps, self.training, self.faults)[0])
        self._obs = after
        sparse = as_number(paid)
        info[SPARSE_REWARD], info[BONUS] = sparse, extra
        return obs, _reward(self.pays, sparse, extra), terminated, truncated, info


class VectorBonusReward(
    gym.vector.VectorWrapper,
    gym.utils.RecordConstructorArgs,
):
    """Pays every environment of a vector an exploration bonus.

    All three autoreset modes are understood: a step that only resets earns nothing, the
    step that ended an episode is scored on its own last observation, and the memory of an
    episode begins anew in its lane alone.

    Args:
        env: The vector environment.
        bonus: A bonus with as many lanes.
        pays: As for :class:`BonusReward`.
        guard: Likewise.

    Raises:
        UsageError: There is no such choice of ``pays``.
        RewardFaultError: As for :class:`BonusReward`.

    Example:
        >>> from reward_synth.intrinsic.bonuses import GlobalCount
        >>> envs = gym.make_vec("FrozenLake-v1", 2, vectorization_mode="sync")
        >>> envs = VectorBonusReward(envs, GlobalCount(2))
        >>> _ = envs.reset(seed=0)
        >>> envs.step(np.array([0, 0]))[4]["bonus"].shape
        (2,)
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        bonus: Bonus,
        pays: Pays = "add",
        guard: Guard | None = None,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, bonus=bonus, pays=pays, guard=guard
        )
        gym.vector.VectorWrapper.__init__(self, env)
        self.bonus = bonus
        self.faults = Quarantine(guard or Guard())
        self.pays = _checked(pays)
        self.training = True
        """False in evaluation: what lasts beyond an episode stays as it is."""
        self._mode = _autoreset(env)
        self._always = np.ones(env.num_envs, np.bool_)
        self._resets = ~self._always
        self._obs: Any = None

    def reset(
        self,
        *,
        seed: int | list[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all environments, or those of ``options["reset_mask"]``."""
        chosen = (options or {}).get("reset_mask")
        lanes = self._always if chosen is None else np.array(chosen, np.bool_)
        env: Any = self.env  # its own type knows no list of seeds
        obs, infos = env.reset(seed=seed, options=options)
        self._obs = _copied(obs)
        self.bonus.begin(self._obs, lanes)
        self._resets = self._resets & ~lanes
        return obs, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step all environments and score their steps."""
        if self._obs is None:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        given = np.array(as_array(actions))
        obs, paid, terminations, truncations, infos = self.env.step(actions)
        ended = as_array(terminations).astype(np.bool_) | as_array(truncations)
        fresh = _copied(obs)
        same_step = self._mode is AutoresetMode.SAME_STEP and bool(ended.any())
        last = _final(fresh, infos, ended)[0] if same_step else fresh
        steps = (self._obs, given, last, ~self._resets)
        extra = _scored(self.bonus, steps, self.training, self.faults)
        begun = ended if same_step else self._resets
        if begun.any():
            self.bonus.begin(fresh, begun)
        if self._mode is AutoresetMode.NEXT_STEP:
            self._resets = ended
        self._obs = fresh
        sparse = as_array(paid).astype(np.float64)
        for name, values in ((SPARSE_REWARD, sparse), (BONUS, extra)):
            infos[name], infos[f"_{name}"] = values, self._always
        reward = like(_reward(self.pays, sparse, extra), paid)
        return obs, reward, terminations, truncations, infos


def _scored(
    bonus: Bonus, steps: tuple[Any, Any, Any, Mask], learning: bool, faults: Quarantine
) -> Values:
    """Return what a bonus pays, with 0 for what no learner survives."""
    try:
        paid = np.asarray(bonus.score(*steps, learning=learning), np.float64)
    except Exception as cause:
        faults.add("bonus", math.nan, cause, len(steps[-1]))
        return np.zeros(len(steps[-1]))
    bad = ~(np.abs(paid) <= faults.guard.limit)  # also NaN
    if bad.any():
        faults.add("bonus", float(paid[bad][0]), times=int(bad.sum()))
        paid = np.where(bad, 0.0, paid)
    return paid


def _reward(pays: Pays, sparse: Any, extra: Any) -> Any:
    if pays == "tell":
        return sparse
    return extra if pays == "replace" else sparse + extra


def _checked(pays: Pays) -> Pays:
    if pays not in get_args(Pays):
        raise UsageError(
            f"pays must be one of {', '.join(get_args(Pays))}; received {pays!r}."
        )
    return pays


def _batch(obs: Any) -> Any:
    """Return a copy as a batch of one."""
    if isinstance(obs, Mapping):
        return {name: _batch(value) for name, value in obs.items()}
    return np.array(as_array(obs))[None]


def _copied(obs: Any) -> Any:
    if isinstance(obs, Mapping):
        return {name: _copied(value) for name, value in obs.items()}
    return np.array(as_array(obs))
