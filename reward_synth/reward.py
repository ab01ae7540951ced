"""What a reward is computed from: fields, steps, transitions, and reward sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Array: TypeAlias = npt.NDArray[Any]
Fields: TypeAlias = Mapping[str, Array]
"""Field name to a copied array of shape ``(num_envs, *shape)``."""
Components: TypeAlias = dict[str, npt.NDArray[np.float64]]
"""Component name to values of shape ``(num_envs,)``."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of ``num_envs`` environments; scalars have shape ``(num_envs,)``."""

    before: Fields
    """Fields before the action; only those that the observation or simulator held."""
    action: Array
    """Actions, shape ``(num_envs, *action_shape)``."""
    after: Fields
    """Fields after the action."""
    sparse: npt.NDArray[np.float64]
    """What the wrapped environment returned as reward."""
    terminated: npt.NDArray[np.bool_]
    """The task ended the episode."""
    truncated: npt.NDArray[np.bool_]
    """The clock ended the episode."""
    valid: npt.NDArray[np.bool_]
    """False on the reset step of NEXT_STEP autoreset, which earns no reward."""

    @property
    def num_envs(self) -> int:
        """Number of lanes."""
        return int(self.sparse.shape[0])


@dataclass(frozen=True, slots=True)
class Transition:
    """One lane of a :class:`Step`, for reward functions that users write.

    Example:
        >>> t = Transition({"x": np.array([0.0])}, np.array([1.0]),
        ...                {"x": np.array([2.0])}, 0.0, False, False)
        >>> float(t.after["x"][0] - t.before["x"][0])
        2.0
    """

    before: Fields
    """Field name to value before the action, without the leading axis."""
    action: Array
    after: Fields
    """Field name to value after the action, without the leading axis."""
    sparse: float
    terminated: bool
    truncated: bool


class RewardSource(Protocol):
    """Anything that scores steps: programs, learned models, bonuses, verifiers."""

    pure: bool
    """True if a stored step may be scored again with the same result."""

    def begin(self, fields: Fields, lanes: npt.NDArray[np.bool_]) -> None:
        """Take notice that the marked lanes start a new episode at ``fields``."""

    def __call__(self, step: Step) -> Components:
        """Return each component, shape ``(num_envs,)``."""


RewardFunction: TypeAlias = Callable[[Transition], "float | Mapping[str, float]"]


def lane(step: Step, index: int) -> Transition:
    """Return lane ``index`` of ``step`` as a :class:`Transition`."""
    return Transition(
        before={name: value[index] for name, value in step.before.items()},
        action=step.action[index],
        after={name: value[index] for name, value in step.after.items()},
        sparse=float(step.sparse[index]),
        terminated=bool(step.terminated[index]),
        truncated=bool(step.truncated[index]),
    )


class FunctionReward:
    """Adapts a user's ``(Transition) -> float | dict`` to a :class:`RewardSource`.

    A plain number becomes the component ``"reward"``.

    Example:
        >>> source = FunctionReward(lambda t: -abs(float(t.after["x"][0])))
        >>> one = np.ones(1)
        >>> step = Step({}, one[:, None], {"x": 3 * one[:, None]}, 0 * one,
        ...             one < 0, one < 0, one > 0)
        >>> {name: value.tolist() for name, value in source(step).items()}
        {'reward': [-3.0]}
    """

    pure = False

    def __init__(self, function: RewardFunction) -> None:
        self.function = function

    def begin(self, fields: Fields, lanes: npt.NDArray[np.bool_]) -> None:
        """Do nothing: a function keeps no state for us."""

    def __call__(self, step: Step) -> Components:
        """Call the function once a lane and stack what it returns."""
        rows = [self.one(lane(step, index)) for index in range(step.num_envs)]
        names = list(rows[0])
        if any(list(row) != names for row in rows):
            raise UsageError(
                "The reward function must return the same components on every step; "
                f"it returned {sorted(set(map(tuple, rows)))}."
            )
        return {name: np.array([row[name] for row in rows]) for name in names}

    def one(self, transition: Transition) -> dict[str, float]:
        """Call the function on one lane.

        Raises:
            UsageError: It returns neither a number nor a dict of numbers.
        """
        result = self.function(transition)
        if isinstance(result, Mapping):
            return {name: self._number(name, item) for name, item in result.items()}
        return {"reward": self._number("", result)}

    def _number(self, name: str, value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError) as cause:
            where = f" as component {name!r}" if name else ""
            raise UsageError(
                "A reward function must return a number or a dict of numbers; "
                f"{self.function!r} returned {value!r}{where}."
            ) from cause


@dataclass(frozen=True, slots=True)
class Rollout:
    """One episode, or the beginning of one, kept for checks and screening."""

    policy: str
    """Which policy acted: ``random``, ``held``, ``demonstration`` …"""
    seed: int
    """The seed of its reset."""
    steps: Step
    """Its T steps as lanes, in order: arrays of shape ``(T, *shape)``."""
    success: npt.NDArray[np.bool_] | None
    """Whether the task's success rule held after each step, or None: no rule."""

    def __len__(self) -> int:
        """Number of steps."""
        return self.steps.num_envs

    @property
    def succeeded(self) -> bool:
        """True if the rule held after any step."""
        return self.success is not None and bool(self.success.any())
