"""Dense rewards for one environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from reward_synth.combine import POTENTIAL, Combiner, make_combiner
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec, as_array, as_number
from reward_synth.wrappers.scoring import FunctionScorer, ProgramScorer, Scorer
from reward_synth.wrappers.sources import (
    EpisodeSums,
    as_reward,
    checked_discount,
    program_function,
    refuse_potential,
)
from reward_synth.wrappers.sparse import as_task
from reward_synth.wrappers.words import (
    COMPONENTS,
    EPISODE,
    SHAPING,
    SPARSE_REWARD,
    warn_not_finite,
)


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
        self._scorer = _scorer(given, spec, env, potential=combine == POTENTIAL)
        self._components = combine != POTENTIAL
        self._state: Any = None
        self._playing = False
        self._episode = EpisodeSums()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and begin an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._episode = EpisodeSums()
        start = self._scorer.begin(obs, info)
        if not all(map(math.isfinite, start.values())):
            self._fault("potential of the first state")
            start = dict.fromkeys(start, 0.0)
        self._state = self.combiner.init(start)
        self._playing = True
        return obs, info

    def step(
        self, action: Any
    ) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment and score the step."""
        if not self._playing:
            raise gym.error.ResetNeeded("Cannot call `step` before `reset`.")
        # The environment may change the action in place.
        given = _copied(action) if self._scorer.uses_action else None
        obs, paid, ended, cut, info = self.env.step(action)
        sparse = paid if type(paid) is float else as_number(paid)
        if not math.isfinite(sparse):
            self._fault("reward of the environment")
            sparse = 0.0
        terminated, truncated = bool(ended), bool(cut)
        parts, dense = self._scorer.score(
            obs, info, given, sparse, terminated, truncated
        )
        reward, state = self.combiner.one(
            self._state, sparse, dense, terminated=terminated
        )
        if math.isfinite(reward) and math.isfinite(dense):
            self._state = state
            if not self._components:
                parts = {SHAPING: reward - sparse}
        else:
            reward, parts = self._without_dense(sparse, parts)
        self._episode.add(sparse, reward, parts)
        info[SPARSE_REWARD] = sparse
        info[COMPONENTS] = parts
        if terminated or truncated:
            info[EPISODE] = self._episode.summary()
        return obs, reward, terminated, truncated, info

    def _without_dense(
        self, sparse: float, parts: dict[str, float]
    ) -> tuple[float, dict[str, float]]:
        """Score a step whose dense part is not finite.

        The combiner's state stays: a potential that began anew at 0 would be paid a
        second time with the next step.
        """
        bad = next((name for name, v in parts.items() if not math.isfinite(v)), "sum")
        self._fault(f"component {bad!r}")
        nothing = self.combiner.init({POTENTIAL: 0.0})
        reward, _ = self.combiner.one(nothing, sparse, 0.0, terminated=False)
        names = parts if self._components else (SHAPING,)
        return reward, dict.fromkeys(names, 0.0)

    def _fault(self, what: str) -> None:
        self._episode.faults += 1
        warn_not_finite(what)


def _copied(action: Any) -> Any:
    return action.copy() if type(action) is np.ndarray else np.array(as_array(action))


def _scorer(
    reward: RewardProgram | RewardFunction, task: TaskSpec, env: Any, *, potential: bool
) -> Scorer:
    if isinstance(reward, RewardProgram):
        return ProgramScorer(
            program_function(reward, task, potential=potential), task, env
        )
    if potential:
        refuse_potential(reward)
    return FunctionScorer(reward, task, env)
