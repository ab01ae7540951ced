"""Dense rewards for many environments at once, whatever library steps them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.combine import POTENTIAL, Combiner, Context, make_combiner
from reward_synth.program import RewardProgram
from reward_synth.reward import Components, RewardFunction, Step
from reward_synth.task import TaskSpec
from reward_synth.wrappers.lane_sources import lane_source, require_published
from reward_synth.wrappers.sources import (
    as_reward,
    checked_discount,
)
from reward_synth.wrappers.sparse import as_task
from reward_synth.wrappers.words import SHAPING, warn_not_finite

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class LaneSums:
    """Sums over the running episodes of many environments."""

    def __init__(self, lanes: int) -> None:
        self.sparse = np.zeros(lanes)
        self.dense = np.zeros(lanes)
        self.faults = np.zeros(lanes, np.int64)
        self.components: Components = {}

    def add(self, sparse: Values, reward: Values, components: Components) -> None:
        """Add one step."""
        self.sparse += sparse
        self.dense += reward
        for name, value in components.items():
            self.components[name] = self.components.get(name, 0.0) + value

    def finish(self, lanes: Mask) -> dict[str, Any]:
        """Return the sums of all lanes, then begin the marked ones anew."""
        summary = {
            "sparse_return": self.sparse.copy(),
            "dense_return": self.dense.copy(),
            "components": {n: value.copy() for n, value in self.components.items()},
            "faults": self.faults.copy(),
        }
        for values in (self.sparse, self.dense, self.faults, *self.components.values()):
            values[lanes] = 0
        return summary


class LaneRewards:
    """Scores, combines and sums up the steps of many environments.

    Args:
        reward: A program, its file or text, or a function.
        task: The task of each environment.
        combine: ``add``, ``replace`` or ``potential``.
        gamma: The agent's discount; the task's by default.
        weight: Factor of the dense part.
        lanes: Number of environments.
    """

    def __init__(
        self,
        reward: RewardProgram | RewardFunction | str | Path,
        task: TaskSpec | Mapping[str, Any],
        combine: str,
        gamma: float | None,
        weight: float,
        lanes: int,
    ) -> None:
        spec = as_task(task)
        discount = checked_discount(gamma if gamma is not None else spec.gamma, weight)
        self.task = spec
        self.lanes = lanes
        self.combiner: Combiner = make_combiner(combine, gamma=discount, weight=weight)
        self._shapes = combine == POTENTIAL
        self._source = lane_source(as_reward(reward), spec, lanes, self._shapes)
        self._state: Any = None
        self._sums = LaneSums(lanes)

    def begin(
        self, obs: Any, info: Mapping[str, Any], lanes: Mask | None = None
    ) -> None:
        """Take the first observations of the marked lanes' episodes; all by default.

        Raises:
            FieldMismatchError: A field that is not observed was not published.
        """
        require_published(self._source.fields, info, self.task.id)
        self._source.begin(obs, info, lanes)
        state = self.combiner.init(self._start(obs, info))
        if lanes is None or self._state is None:
            self._state = state
        else:
            self._state = _merged(lanes, state, self._state)
        if lanes is None:
            self._sums = LaneSums(self.lanes)

    def _start(self, obs: Any, info: Mapping[str, Any]) -> Components:
        if not self._shapes:
            return {}
        start = self._source.components(obs, info, _nothing(self.lanes))
        return {
            name: np.nan_to_num(v, posinf=0.0, neginf=0.0) for name, v in start.items()
        }

    def score(
        self, obs: Any, info: Mapping[str, Any], step: Step
    ) -> tuple[Values, Components]:
        """Return the rewards of a step and its components.

        Args:
            obs: The observations that the step led to, also where an episode ended.
            info: Likewise.
            step: What else is known of it; its fields are left out.
        """
        if not step.valid.any():
            return self._all_reset(obs, info)
        components = self._source.components(obs, info, step)
        context = Context(step.terminated, step.valid)
        with np.errstate(all="ignore"):
            reward, state = self.combiner.combine(
                self._state, step.sparse, components, context
            )
        bad = ~np.isfinite(reward) & step.valid
        if bad.any():
            reward, components = self._without_dense(bad, reward, step, components)
            state = _merged(~bad, state, self._state)
        self._state = state
        if self._shapes:
            components = {SHAPING: np.where(bad, 0.0, reward - step.sparse)}
        else:
            components = {
                name: np.where(step.valid, value, 0.0)
                for name, value in components.items()
            }
        self._sums.add(step.sparse, reward, components)
        return reward, components

    def _all_reset(
        self, obs: Any, info: Mapping[str, Any]
    ) -> tuple[Values, Components]:
        """Score a step that only reset: what resets do not deliver is not read."""
        self._state = self.combiner.init(self._start(obs, info))
        nothing = np.zeros(self.lanes)
        return nothing, {name: nothing.copy() for name in self._sums.components}

    def _without_dense(
        self, bad: Mask, reward: Values, step: Step, components: Components
    ) -> tuple[Values, Components]:
        """Score the marked lanes without their dense part, which is not finite."""
        warn_not_finite(f"reward of {int(bad.sum())} of {self.lanes} environments")
        self._sums.faults += bad
        none = {POTENTIAL: np.zeros(self.lanes)}
        plain, _ = self.combiner.combine(
            self.combiner.init(none), step.sparse, none, _context(self.lanes)
        )
        kept = {name: np.where(bad, 0.0, value) for name, value in components.items()}
        return np.where(bad, plain, reward), kept

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take these observations as those before the next step."""
        self._source.keep(obs, info)

    def finite(self, paid: Any) -> Values:
        """Return the environments' own rewards, 0 where one is not finite."""
        sparse = np.array(paid, np.float64).reshape(self.lanes)
        bad = ~np.isfinite(sparse)
        if bad.any():
            warn_not_finite("reward of the environment")
            self._sums.faults += bad
            sparse[bad] = 0.0
        return sparse

    def finish(self, lanes: Mask) -> dict[str, Any]:
        """Return the sums of all lanes, then begin the marked ones anew."""
        return self._sums.finish(lanes)


def _merged(test: Mask, yes: Any, no: Any) -> Any:
    return None if yes is None else np.where(test, yes, no)


def _context(lanes: int) -> Context:
    return Context(np.zeros(lanes, np.bool_), np.ones(lanes, np.bool_))


def _nothing(lanes: int) -> Step:
    """Return a step of which nothing is known: potentials read observations alone."""
    no, zero = np.zeros(lanes, np.bool_), np.zeros(lanes)
    return Step({}, zero, {}, zero, no, no, ~no)
