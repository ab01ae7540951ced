"""Dense rewards for one environment."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from reward_synth.combine import Combiner, Context, make_combiner
from reward_synth.kernels import PotentialReward
from reward_synth.program import RewardProgram
from reward_synth.reward import Components, Fields, RewardFunction, Step
from reward_synth.task import FieldReader, TaskSpec, as_array, as_number
from reward_synth.wrappers.sources import (
    EpisodeSums,
    as_reward,
    checked_discount,
    fields_read,
    reward_source,
)
from reward_synth.wrappers.sparse import as_task

SPARSE_REWARD = "sparse_reward"
COMPONENTS = "reward_components"
EPISODE = "reward_synth"
_LANE = np.ones(1, np.bool_)
_SHAPING = "shaping"


class NonFiniteRewardWarning(UserWarning):
    """A reward was NaN or infinite; the step was scored without it."""


class DenseReward(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Gives a sparse environment a dense reward.

    Every step's ``info`` holds ``sparse_reward`` (what the environment returned) and
    ``reward_components`` (the dense parts); the last step of an episode holds
    ``reward_synth`` with the sparse return, the dense return, each component's sum and
    the number of steps whose reward was not finite. Such a step is scored with the
    environment's reward alone (0 under ``replace``), so no NaN reaches a learner.

    :func:`reward_synth.wrap` fills in ``task``.

    Args:
        env: The environment.
        reward: A :class:`~reward_synth.program.RewardProgram`, the path of one, its
            text, or a function ``(Transition) -> float | dict``.
        task: The task whose fields the reward reads, or its JSON data.
        combine: ``add``, ``replace`` or ``potential``.
        gamma: The agent's discount, for ``potential``; the task's by default.
        weight: Factor of the dense part under ``add`` and ``potential``.

    Raises:
        ProgramError: The program cannot be used, or lacks the function it needs.
        UsageError: An argument is out of range.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance", (Field("angle", source="obs[2]"),),
        ...                 Field("action", dtype="int"))
        >>> env = DenseReward(gym.make("CartPole-v1"), lambda t: {"upright": 2.0}, task)
        >>> _ = env.reset(seed=0)
        >>> _, reward, _, _, info = env.step(0)
        >>> reward, info["sparse_reward"], info["reward_components"]
        (3.0, 1.0, {'upright': 2.0})
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        reward: RewardProgram | RewardFunction | str | Path,
        task: TaskSpec | Mapping[str, Any],
        combine: str = "add",
        gamma: float | None = None,
        weight: float = 1.0,
    ) -> None:
        spec = as_task(task)
        discount = checked_discount(gamma if gamma is not None else spec.gamma, weight)
        given = as_reward(reward)
        gym.utils.RecordConstructorArgs.__init__(
            self,
            reward=given.to_text() if isinstance(given, RewardProgram) else given,
            task=spec.to_dict(),
            combine=combine,
            gamma=discount,
            weight=weight,
        )
        gym.Wrapper.__init__(self, env)
        self.task = spec
        self.gamma = discount
        self.combiner: Combiner = make_combiner(combine, gamma=discount, weight=weight)
        self.source = reward_source(given, spec, potential=combine == "potential")
        self._reader = FieldReader(spec, env, fields_read(self.source))
        self._before: Fields | None = None
        self._state: Any = None
        self._episode = EpisodeSums()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and begin an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        fields = self._reader.read(obs, info, reset=True)
        self.source.begin(fields, _LANE)
        self._before = fields
        self._episode = EpisodeSums()
        self._state = self.combiner.init(self._start(fields))
        return obs, info

    def _start(self, fields: Fields) -> Components:
        """Return phi of the first state, 0 where it is not finite."""
        if not isinstance(self.source, PotentialReward):
            return {}
        start = self.source.at(fields)
        if not all(np.isfinite(value).all() for value in start.values()):
            self._fault("potential of the first state")
        return {
            name: np.nan_to_num(value, posinf=0.0, neginf=0.0)
            for name, value in start.items()
        }

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment and score the step."""
        if self._before is None:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        kept = np.array(as_array(action), copy=True)
        obs, paid, terminated, truncated, info = self.env.step(action)
        sparse = self._finite(as_number(paid), "environment")
        after = self._reader.read(obs, info)
        step = Step(
            self._before,
            kept[None],
            after,
            np.array([sparse]),
            np.array([bool(terminated)]),
            np.array([bool(truncated)]),
            _LANE,
        )
        reward = self._score(step, info)
        self._before = after
        if terminated or truncated:
            info[EPISODE] = self._episode.summary()
        return obs, reward, bool(terminated), bool(truncated), info

    def _score(self, step: Step, info: dict[str, Any]) -> float:
        components = self.source(step)
        sparse = float(step.sparse[0])
        context = Context(step.terminated, step.valid)
        combined, state = self.combiner.combine(
            self._state, step.sparse, components, context
        )
        reward = float(combined[0])
        parts = self._parts(components, reward - sparse)
        if not math.isfinite(reward) or not all(map(math.isfinite, parts.values())):
            bad = next((n for n, v in parts.items() if not math.isfinite(v)), "sum")
            self._fault(f"component {bad!r}")
            reward = self._fall_back(sparse)
            parts = dict.fromkeys(parts, 0.0)
        else:
            self._state = state
        self._record(sparse, reward, parts)
        info[SPARSE_REWARD] = sparse
        info[COMPONENTS] = parts
        return reward

    def _parts(self, components: Components, added: float) -> dict[str, float]:
        if isinstance(self.source, PotentialReward):
            return {_SHAPING: added}
        return {name: float(value[0]) for name, value in components.items()}

    def _fall_back(self, sparse: float) -> float:
        """Score a step whose dense part is not finite.

        The combiner's state stays: a potential that began anew at 0 would be paid a
        second time with the next step.
        """
        nothing: Components = {"potential": np.zeros(1)}
        combined, _ = self.combiner.combine(
            self.combiner.init(nothing),
            np.array([sparse]),
            nothing,
            Context(~_LANE, _LANE),
        )
        return float(combined[0])

    def _finite(self, value: float, what: str) -> float:
        if math.isfinite(value):
            return value
        self._fault(f"reward of the {what}")
        return 0.0

    def _fault(self, what: str) -> None:
        self._episode.faults += 1
        warnings.warn(
            f"The {what} is not finite; the step is scored without it. "
            "`info['reward_synth']['faults']` counts such steps.",
            NonFiniteRewardWarning,
            stacklevel=4,
        )

    def _record(self, sparse: float, reward: float, parts: dict[str, float]) -> None:
        self._episode.add(sparse, reward, parts)
