"""Scores the steps of one environment: with a compiled program, or a user's function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from reward_synth.kernels import FusedReward
from reward_synth.language import POTENTIAL, FunctionIR
from reward_synth.reward import Fields, FunctionReward, RewardFunction, Transition
from reward_synth.task import ACTION, PREVIOUS, FieldReader, TaskSpec

Parts = dict[str, float]


class Scorer(Protocol):
    """Scores the steps of one environment."""

    uses_action: bool
    """True if the action must be kept as it was given."""

    def begin(self, obs: Any, info: Mapping[str, Any]) -> Parts:
        """Take the first observation; return phi there for a potential, else nothing."""

    def score(
        self,
        obs: Any,
        info: Mapping[str, Any],
        action: Any,
        sparse: float,
        terminated: bool,
        truncated: bool,
    ) -> tuple[Parts, float]:
        """Return the components and their sum, which for a potential is phi."""


class ProgramScorer:
    """Scores with one compiled function.

    The first reset and the first step also read every field by its description, which
    proves it; later steps leave the reading to machine code.

    Args:
        function: The typed function.
        task: Says where the fields lie.
        env: The environment.
    """

    def __init__(self, function: FunctionIR, task: TaskSpec, env: Any) -> None:
        self._fused = FusedReward(function, task, env)
        self._names = function.outputs
        self._potential = function.name == POTENTIAL
        self._proof: FieldReader | None = FieldReader(task, env, fields_read(function))
        self._proven_at_reset = False
        self.uses_action = self._fused.uses_action

    def begin(self, obs: Any, info: Mapping[str, Any]) -> Parts:
        """Take the first observation of an episode."""
        if self._proof is not None and not self._proven_at_reset:
            self._proof.read(obs, info, reset=True)
            self._proven_at_reset = True
        self._fused.begin(obs, info)
        if not self._potential:
            return {}
        return dict(zip(self._names, self._fused.one(obs, info, None)))  # noqa: B905 - likewise

    def score(
        self,
        obs: Any,
        info: Mapping[str, Any],
        action: Any,
        sparse: float,
        terminated: bool,
        truncated: bool,
    ) -> tuple[Parts, float]:
        """Return the components of a step, and their sum."""
        if self._proof is not None:
            self._proof.read(obs, info)
            self._proof = None
        del sparse, terminated, truncated
        values = self._fused.one(obs, info, action)
        self._fused.keep(obs, info)
        return dict(zip(self._names, values)), values[-1]  # noqa: B905 - the sum is left


class FunctionScorer:
    """Scores with a user's ``(Transition) -> float | dict``."""

    uses_action = True

    def __init__(self, function: RewardFunction, task: TaskSpec, env: Any) -> None:
        self._reward = FunctionReward(function)
        self._reader = FieldReader(task, env)
        self._before: Fields = {}

    def begin(self, obs: Any, info: Mapping[str, Any]) -> Parts:
        """Take the first observation of an episode."""
        self._before = self._lane(self._reader.read(obs, info, reset=True))
        return {}

    def score(
        self,
        obs: Any,
        info: Mapping[str, Any],
        action: Any,
        sparse: float,
        terminated: bool,
        truncated: bool,
    ) -> tuple[Parts, float]:
        """Return what the function makes of a step, and the sum."""
        after = self._lane(self._reader.read(obs, info))
        before, self._before = self._before, after  # also if the function raises
        parts = self._reward.one(
            Transition(
                before,
                np.asarray(action),
                after,
                sparse,
                terminated,
                truncated,
            )
        )
        return parts, sum(parts.values())

    @staticmethod
    def _lane(fields: Fields) -> Fields:
        return {name: value[0] for name, value in fields.items()}


def fields_read(function: FunctionIR) -> set[str]:
    """Return the fields that a function's parameters need.

    Example:
        >>> from reward_synth.task import Field
        >>> x = Field("x")
        >>> fields_read(FunctionIR("f", (("prev_x", x), ("action", x)), (), (), (), 0))
        {'x'}
    """
    names = {name for name, _ in function.parameters} - {ACTION}
    return {name.removeprefix(PREVIOUS) for name in names}
