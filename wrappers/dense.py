"""Dense rewards for one environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from reward_synth.combine import (
    POTENTIAL,
    Combiner,
    make_combiner,
    reads_potential,
    require_served,
    restarted,
    shared_of,
    with_shared,
)
from reward_synth.errors import RewardSynthError
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec, as_array, as_number
from reward_synth.wrappers.guard import Guard, Quarantine
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
)


class DenseReward(
    gym.Wrapper[Any, Any, Any, Any],
    gym.utils.RecordConstructorArgs,
):
    """Gives a sparse environment a dense reward.

    Every step's ``info`` holds ``sparse_reward`` (what the environment returned) and
    ``reward_components`` (the dense parts); the last step of an episode holds
    ``reward_synth`` with the sparse return, the dense return, each component's sum and
    the number of faults: steps whose reward was not finite, far too large, or raised.
    Such a step is scored with the environment's reward alone (0 under ``replace``), so
    no NaN reaches a learner; after too many of them training stops with an error. ``env.faults.record()`` tells
    them over all episodes.

    :func:`reward_synth.wrap` fills in ``task``.

    Args:
        env: The environment.
        reward: A :class:`~reward_synth.program.RewardProgram`, the path of one, its
            text, or a function ``(Transition) -> float | dict``.
        task: The task whose fields the reward reads, or its JSON data.
        combine: The name of a combiner (``add``, ``replace``, ``potential``, …; see
            `reward_synth combiners`), or a combiner.
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
        combine: str | Combiner = "add",
        gamma: float | None = None,
        weight: float = 1.0,
        guard: Guard | None = None,
    ) -> None:
        spec = as_task(task)
        discount = checked_discount(gamma if gamma is not None else spec.gamma, weight)
        given = as_reward(reward)
        recorded: dict[str, Any] = {} if guard is None else {"guard": guard}
        gym.utils.RecordConstructorArgs.__init__(
            self,
            reward=given.to_text() if isinstance(given, RewardProgram) else given,
            task=spec.to_dict(),
            combine=combine,
            gamma=discount,
            weight=weight,
            **recorded,
        )
        gym.Wrapper.__init__(self, env)
        self.task = spec
        self.gamma = discount
        self.combiner: Combiner = make_combiner(combine, gamma=discount, weight=weight)
        require_served(self.combiner, "an environment")
        self.training = True
        """False in evaluation: what the combiner learned stays as it is."""
        shapes = reads_potential(self.combiner)
        self._scorer = _scorer(given, spec, env, potential=shapes)
        self._components = not shapes
        self.faults = Quarantine(guard or Guard())
        self._limit = self.faults.guard.limit
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
        bad = [value for value in start.values() if not abs(value) <= self._limit]
        if bad:
            self._fault("potential of the first state", bad[0])
            start = dict.fromkeys(start, 0.0)
        self._state = restarted(self.combiner.init(start), self._state)
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
            self._fault("reward of the environment", sparse)
            sparse = 0.0
        terminated, truncated = bool(ended), bool(cut)
        raised: Exception | None = None
        try:
            parts, dense = self._scorer.score(
                obs, info, given, sparse, terminated, truncated
            )
        except RewardSynthError:
            raise  # the reward does not fit the environment
        except Exception as cause:  # a fault of the reward, as a NaN is
            parts, dense, raised = {}, math.nan, cause
        reward, state = self.combiner.one(
            self._state,
            sparse,
            dense,
            terminated=terminated,
            truncated=truncated,
            parts=parts,
            learning=self.training,
        )
        if abs(reward) <= self._limit + abs(sparse) and math.isfinite(dense):
            self._state = state
            if not self._components:
                parts = {SHAPING: reward - sparse}
        else:
            told = reward if math.isfinite(dense) else dense
            reward, parts = self._without_dense(
                sparse, parts, told, raised, terminated, truncated
            )
        self._episode.add(sparse, reward, parts)
        info[SPARSE_REWARD] = sparse
        info[COMPONENTS] = parts
        if terminated or truncated:
            info[EPISODE] = self._episode.summary()
        return obs, reward, terminated, truncated, info

    def _without_dense(
        self,
        sparse: float,
        parts: dict[str, float],
        reward: float,
        raised: Exception | None,
        terminated: bool,
        truncated: bool,
    ) -> tuple[float, dict[str, float]]:
        """Score a step whose dense part cannot be used.

        The combiner's state stays: a potential that began anew at 0 would be paid a
        second time with the next step.
        """
        worst = (item for item in parts.items() if not abs(item[1]) <= self._limit)
        name, value = next(worst, ("sum", reward))
        what = "dense reward" if raised else f"component {name!r}"
        self._episode.faults += 1
        self.faults.add(what, value, raised)
        reward, _ = self.combiner.one(
            self._state,
            sparse,
            math.nan,
            terminated=terminated,
            truncated=truncated,
            parts=dict.fromkeys(parts, math.nan),
            learning=False,
        )
        reward = reward if math.isfinite(reward) else sparse
        names = parts if self._components else (SHAPING,)
        return reward, dict.fromkeys(names, 0.0)

    @property
    def combiner_state(self) -> dict[str, Any]:
        """What the combiner learned, as JSON data; may be set."""
        return shared_of(self._state)

    @combiner_state.setter
    def combiner_state(self, saved: Mapping[str, Any]) -> None:
        known = self._state
        if known is None:
            known = self.combiner.init({POTENTIAL: 0.0})
        self._state = with_shared(known, saved)

    def _fault(self, what: str, value: float) -> None:
        self._episode.faults += 1
        self.faults.add(what, value)


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
