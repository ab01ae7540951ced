"""Dense rewards for many environments at once, whatever library steps them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reward_synth.combine import POTENTIAL, Combiner, Context, make_combiner
from reward_synth.errors import FieldMismatchError
from reward_synth.kernels import FusedReward
from reward_synth.program import RewardProgram
from reward_synth.reward import Components, Fields, FunctionReward, RewardFunction, Step
from reward_synth.task import PUBLISHED, Field, Roots, TaskSpec
from reward_synth.wrappers.scoring import fields_read
from reward_synth.wrappers.sources import (
    as_reward,
    checked_discount,
    program_function,
    refuse_potential,
)
from reward_synth.wrappers.sparse import as_task
from reward_synth.wrappers.words import SHAPING, warn_not_finite

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class LaneSource(Protocol):
    """Scores the steps of ``lanes`` environments."""

    fields: tuple[Field, ...]
    """The fields that it reads."""

    def begin(self, obs: Any, info: Mapping[str, Any], lanes: Mask | None) -> None:
        """Take the first observations of the marked lanes' episodes."""

    def components(self, obs: Any, info: Mapping[str, Any], step: Step) -> Components:
        """Return each component; ``step`` lacks its fields."""

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take these observations as those before the next step."""


class ProgramLanes:
    """Scores with one compiled function."""

    def __init__(self, fused: FusedReward, fields: tuple[Field, ...]) -> None:
        self.fused = fused
        self.fields = fields

    def begin(self, obs: Any, info: Mapping[str, Any], lanes: Mask | None) -> None:
        """Take the first observations of the marked lanes' episodes."""
        self.fused.begin(obs, info, lanes)

    def components(self, obs: Any, info: Mapping[str, Any], step: Step) -> Components:
        """Return each component."""
        rows = self.fused(obs, info, step.action).copy()
        return {name: rows[number] for number, name in enumerate(self.fused.names)}

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take these observations as those before the next step."""
        self.fused.keep(obs, info)


class FunctionLanes:
    """Scores with a user's function, lane by lane."""

    def __init__(self, function: RewardFunction, task: TaskSpec, lanes: int) -> None:
        self.fields = task.fields
        self._reward = FunctionReward(function)
        self._lanes = lanes
        self._all = Roots(task.fields)
        self._start = Roots([item for item in task.fields if item.at_reset])
        self._before: dict[str, Any] = {}

    def begin(self, obs: Any, info: Mapping[str, Any], lanes: Mask | None) -> None:
        """Take the first observations of the marked lanes' episodes."""
        fresh = self._read(self._start, obs, info)
        if lanes is None or not self._before:
            self._before = dict(fresh)
        else:
            for name, value in fresh.items():
                self._before[name][lanes] = value[lanes]

    def components(self, obs: Any, info: Mapping[str, Any], step: Step) -> Components:
        """Return what the function makes of each lane."""
        after = self._read(self._all, obs, info)
        return self._reward(
            Step(
                self._before,
                step.action,
                after,
                step.sparse,
                step.terminated,
                step.truncated,
                step.valid,
            )
        )

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take these observations as those before the next step."""
        self._before = dict(self._read(self._start, obs, info))

    def _read(self, roots: Roots, obs: Any, info: Mapping[str, Any]) -> Fields:
        return roots.fields(roots.read(obs, info), self._lanes)


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
        self._blank()

    def _blank(self) -> None:
        self._sparse, self._dense = np.zeros(self.lanes), np.zeros(self.lanes)
        self._faults = np.zeros(self.lanes, np.int64)
        self._sums: Components = {}

    def begin(
        self, obs: Any, info: Mapping[str, Any], lanes: Mask | None = None
    ) -> None:
        """Take the first observations of the marked lanes' episodes; all by default.

        Raises:
            FieldMismatchError: A field that is not observed was not published.
        """
        self._require_published(info)
        self._source.begin(obs, info, lanes)
        state = self.combiner.init(self._start(obs, info))
        if lanes is None or self._state is None:
            self._state = state
        else:
            self._state = _merged(lanes, state, self._state)
        if lanes is None:
            self._blank()

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
        self._add(step.sparse, reward, components)
        return reward, components

    def _all_reset(
        self, obs: Any, info: Mapping[str, Any]
    ) -> tuple[Values, Components]:
        """Score a step that only reset: what resets do not deliver is not read."""
        self._state = self.combiner.init(self._start(obs, info))
        nothing = np.zeros(self.lanes)
        return nothing, {name: nothing.copy() for name in self._sums}

    def _without_dense(
        self, bad: Mask, reward: Values, step: Step, components: Components
    ) -> tuple[Values, Components]:
        """Score the marked lanes without their dense part, which is not finite."""
        warn_not_finite(f"reward of {int(bad.sum())} of {self.lanes} environments")
        self._faults += bad
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
            self._faults += bad
            sparse[bad] = 0.0
        return sparse

    def _add(self, sparse: Values, reward: Values, components: Components) -> None:
        self._sparse += sparse
        self._dense += reward
        for name, value in components.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def finish(self, lanes: Mask) -> dict[str, Any]:
        """Return the sums of all lanes, then begin the marked ones anew."""
        summary = {
            "sparse_return": self._sparse.copy(),
            "dense_return": self._dense.copy(),
            "components": {name: value.copy() for name, value in self._sums.items()},
            "faults": self._faults.copy(),
        }
        for values in (self._sparse, self._dense, self._faults, *self._sums.values()):
            values[lanes] = 0
        return summary

    def _require_published(self, info: Mapping[str, Any]) -> None:
        known = info.get(PUBLISHED, {})
        missing = [
            item.name
            for item in self._source.fields
            if not item.source.startswith("obs")
            and item.at_reset
            and item.name not in known
        ]
        if missing:
            raise FieldMismatchError(
                f"{', '.join(missing)} of {self.task.id!r} cannot be read from a batch of "
                "observations. Wrap each environment with "
                "reward_synth.PublishFields(env, task), which tells them in info."
            )


def lane_source(
    reward: RewardProgram | RewardFunction, task: TaskSpec, lanes: int, potential: bool
) -> LaneSource:
    """Return what scores lanes with a program or a function."""
    if not isinstance(reward, RewardProgram):
        if potential:
            refuse_potential(reward)
        return FunctionLanes(reward, task, lanes)
    function = program_function(reward, task, potential=potential)
    names = fields_read(function)
    fields = tuple(item for item in task.fields if item.name in names)
    return ProgramLanes(FusedReward(function, task, lanes=lanes), fields)


def _merged(test: Mask, yes: Any, no: Any) -> Any:
    return None if yes is None else np.where(test, yes, no)


def _context(lanes: int) -> Context:
    return Context(np.zeros(lanes, np.bool_), np.ones(lanes, np.bool_))


def _nothing(lanes: int) -> Step:
    """Return a step of which nothing is known: potentials read observations alone."""
    no, zero = np.zeros(lanes, np.bool_), np.zeros(lanes)
    return Step({}, zero, {}, zero, no, no, ~no)
