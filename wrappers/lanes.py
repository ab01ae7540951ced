"""Dense rewards for many environments at once, whatever library steps them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.combine import (
    POTENTIAL,
    Combiner,
    Context,
    make_combiner,
    merged,
    reads_potential,
    require_served,
    restarted,
    shared_of,
    total,
    with_shared,
)
from reward_synth.program import RewardProgram
from reward_synth.reward import Components, RewardFunction, Step
from reward_synth.task import TaskSpec
from reward_synth.wrappers.guard import Guard, Quarantine
from reward_synth.wrappers.lane_sources import lane_source, require_published
from reward_synth.wrappers.sources import (
    as_reward,
    checked_discount,
)
from reward_synth.wrappers.sparse import as_task
from reward_synth.wrappers.words import SHAPING

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
        combine: The name of a combiner, or a combiner.
        gamma: The agent's discount; the task's by default.
        weight: Factor of the dense part.
        lanes: Number of environments.
        guard: What is done about rewards that no learner survives.
    """

    def __init__(
        self,
        reward: RewardProgram | RewardFunction | str | Path,
        task: TaskSpec | Mapping[str, Any],
        combine: str | Combiner,
        gamma: float | None,
        weight: float,
        lanes: int,
        guard: Guard | None = None,
    ) -> None:
        spec = as_task(task)
        discount = checked_discount(gamma if gamma is not None else spec.gamma, weight)
        self.task = spec
        self.lanes = lanes
        self.combiner: Combiner = make_combiner(combine, gamma=discount, weight=weight)
        require_served(self.combiner, "an environment")
        self.training = True
        """False in evaluation: what the combiner learned stays as it is."""
        self._shapes = reads_potential(self.combiner)
        self._source = lane_source(as_reward(reward), spec, lanes, self._shapes)
        self.faults = Quarantine(guard or Guard())
        self._limit = self.faults.guard.limit
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
        self._state = restarted(state, self._state, lanes)
        if lanes is None:
            self._sums = LaneSums(self.lanes)

    def _start(self, obs: Any, info: Mapping[str, Any]) -> Components:
        if not self._shapes:
            return {}
        start = self._source.components(obs, info, _nothing(self.lanes))
        return {
            name: np.where(np.abs(v) <= self._limit, v, 0.0)
            for name, v in start.items()
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
        context = Context(
            step.terminated, step.valid, step.truncated, learning=self.training
        )
        with np.errstate(all="ignore"):
            reward, state = self.combiner.combine(
                self._state, step.sparse, components, context
            )
            most = self._limit + np.abs(step.sparse)
            dense = total(components, step.sparse)
            told = np.where(np.isfinite(dense), reward, dense)
            bad = ~(np.abs(told) <= most) & step.valid
        if bad.any():
            plain = self._without_dense(bad, told, context, step.sparse, components)
            reward = np.where(bad, plain, reward)
            components = {n: np.where(bad, 0.0, v) for n, v in components.items()}
            state = merged(~bad, state, self._state)
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
        self._state = restarted(self.combiner.init(self._start(obs, info)), self._state)
        nothing = np.zeros(self.lanes)
        return nothing, {name: nothing.copy() for name in self._sums.components}

    @property
    def combiner_state(self) -> dict[str, Any]:
        """What the combiner learned, as JSON data; may be set."""
        return shared_of(self._state)

    @combiner_state.setter
    def combiner_state(self, saved: Mapping[str, Any]) -> None:
        known = self._state
        if known is None:
            known = self.combiner.init({POTENTIAL: np.zeros(self.lanes)})
        self._state = with_shared(known, saved)

    def _without_dense(
        self,
        bad: Mask,
        told: Values,
        context: Context,
        sparse: Values,
        components: Components,
    ) -> Values:
        """Tell of the marked lanes; return what is paid without the dense part."""
        count, raised = int(bad.sum()), self._source.raised
        what = f"reward of {count} of {self.lanes} environments"
        self._sums.faults += bad
        self.faults.add(what, float(told[bad][0]), raised, count)
        none = {name: np.full(self.lanes, np.nan) for name in components}
        with np.errstate(all="ignore"):
            plain, _ = self.combiner.combine(self._state, sparse, none, context)
        return np.where(np.isfinite(plain), plain, sparse)

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take these observations as those before the next step."""
        self._source.keep(obs, info)

    def finite(self, paid: Any) -> Values:
        """Return the environments' own rewards, 0 where one is not finite."""
        sparse = np.array(paid, np.float64).reshape(self.lanes)
        bad = ~np.isfinite(sparse)
        if bad.any():
            self._sums.faults += bad
            count, value = int(bad.sum()), float(sparse[bad][0])
            sparse[bad] = 0.0
            self.faults.add("reward of the environment", value, times=count)
        return sparse

    def finish(self, lanes: Mask) -> dict[str, Any]:
        """Return the sums of all lanes, then begin the marked ones anew."""
        return self._sums.finish(lanes)


def _nothing(lanes: int) -> Step:
    """Return a step of which nothing is known: potentials read observations alone."""
    no, zero = np.zeros(lanes, np.bool_), np.zeros(lanes)
    return Step({}, zero, {}, zero, no, no, ~no)
