"""Scores the steps of many environments, from their batched observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reward_synth.errors import FieldMismatchError, RewardSynthError, UsageError
from reward_synth.kernels import FusedReward
from reward_synth.program import RewardProgram
from reward_synth.reward import (
    Components,
    Fields,
    FunctionReward,
    RewardFunction,
    Step,
    Transition,
    lane,
)
from reward_synth.task import PUBLISHED, Field, Roots, TaskSpec
from reward_synth.wrappers.scoring import fields_read
from reward_synth.wrappers.sources import program_function, refuse_potential

Mask = npt.NDArray[np.bool_]


class LaneSource(Protocol):
    """Scores the steps of ``lanes`` environments."""

    fields: tuple[Field, ...]
    """The fields that it reads."""
    raised: Exception | None
    """What was raised at the last step instead of a lane's components, which are NaN."""

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
        self.raised: Exception | None = None  # machine code does not raise

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
        self._names: tuple[str, ...] = ("reward",)
        self.raised: Exception | None = None

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
        whole = replace(step, before=self._before, after=after)
        self.raised = None
        rows = [self._row(lane(whole, number)) for number in range(self._lanes)]
        names = self._names = tuple(next(filter(None, rows), self._names))
        if any(row is not None and tuple(row) != names for row in rows):
            raise UsageError(
                "The reward function must return the same components on every step; "
                f"it returned {sorted({tuple(row) for row in rows if row})}."
            )
        none = dict.fromkeys(names, np.nan)
        return {name: np.array([(row or none)[name] for row in rows]) for name in names}

    def _row(self, transition: Transition) -> dict[str, float] | None:
        """Return a lane's components, None where the function raised."""
        try:
            return self._reward.one(transition)
        except RewardSynthError:
            raise  # it returned what is no number
        except Exception as cause:  # a fault of the reward, as a NaN is
            self.raised = cause
            return None

    def keep(self, obs: Any, info: Mapping[str, Any]) -> None:
        """Take these observations as those before the next step."""
        self._before = dict(self._read(self._start, obs, info))

    def _read(self, roots: Roots, obs: Any, info: Mapping[str, Any]) -> Fields:
        return roots.fields(roots.read(obs, info), self._lanes)


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


def require_published(
    fields: tuple[Field, ...], info: Mapping[str, Any], task_id: str
) -> None:
    """Refuse a batch that does not tell what its observations do not hold.

    Raises:
        FieldMismatchError: All missing fields, by name, and what tells them.
    """
    known = info.get(PUBLISHED, {})
    missing = [
        item.name
        for item in fields
        if not item.source.startswith("obs")
        and item.at_reset
        and item.name not in known
    ]
    if missing:
        raise FieldMismatchError(
            f"{', '.join(missing)} of {task_id!r} cannot be read from a batch of "
            "observations. Wrap each environment with "
            "reward_synth.PublishFields(env, task), which tells them in info."
        )
