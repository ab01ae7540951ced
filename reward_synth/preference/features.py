"""Which numbers of a step a reward model sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError, did_you_mean
from reward_synth.reward import Array, Fields, Step, Transition

Values: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Fields and, if asked for, the action, side by side.

    Raises:
        UsageError: Nothing is named.

    Example:
        >>> step = Step({}, np.array([1]), {"x": np.array([[3.0, 4.0]])}, np.zeros(1),
        ...             *np.zeros((3, 1), bool))
        >>> Inputs(("x",), choices=2).rows(step)
        array([[3., 4., 0., 1.]])
    """

    after: tuple[str, ...] = ()
    """Fields after the action."""
    before: tuple[str, ...] = ()
    """Fields before it; only those that reset delivers."""
    action: bool = False
    """Whether the action is seen, as the numbers that it is."""
    choices: int = 0
    """Of a discrete action: how many there are; it is seen as 0s and a 1."""

    def __post_init__(self) -> None:
        """Refuse to see nothing."""
        if not (self.after or self.before or self.action or self.choices):
            raise UsageError(
                "Inputs name nothing to look at. Name fields of the task, for example "
                "Inputs(after=('position',)), or set action=True."
            )

    def rows(self, step: Step) -> Values:
        """Return a row for each lane, shape ``(N, D)``.

        Raises:
            UsageError: The step lacks a field, or an action is none of the choices.
        """
        count = step.num_envs
        parts = [_field(step.after, name, count) for name in self.after]
        parts += [_field(step.before, name, count) for name in self.before]
        if self.action:
            parts.append(np.asarray(step.action, np.float64).reshape(count, -1))
        if self.choices:
            parts.append(self._chosen(step.action, count))
        return np.concatenate(parts, 1)

    def row(self, transition: Transition) -> Values:
        """Return the row of one transition, shape ``(1, D)``."""
        mark = np.zeros(1, np.bool_)
        return self.rows(
            Step(
                {name: transition.before[name][None] for name in self.before},
                np.asarray(transition.action)[None],
                {
                    name: np.asarray(value)[None]
                    for name, value in transition.after.items()
                },
                np.zeros(1),
                mark,
                mark,
                ~mark,
            )
        )

    def _chosen(self, action: Array, count: int) -> Values:
        number = np.asarray(action).reshape(count)
        bad = (number < 0) | (number >= self.choices) | (number != np.floor(number))
        if bad.any():
            raise UsageError(
                f"An action is {number[bad][0]!r}; choices={self.choices} expects whole "
                f"numbers from 0 to {self.choices - 1}."
            )
        return np.eye(self.choices)[number.astype(np.int64)]


def _field(fields: Fields, name: str, count: int) -> Values:
    if name not in fields:
        raise UsageError(
            f"The step has no field {name!r}; it has {', '.join(sorted(fields))}."
            f"{did_you_mean(name, fields)}"
        )
    return np.asarray(fields[name], np.float64).reshape(count, -1)
