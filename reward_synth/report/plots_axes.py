"""Which numbers of a task pictures run over, how far, and how recorded steps hold them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reward_synth.errors import UsageError, did_you_mean
from reward_synth.report.plots_data import Axis, Values
from reward_synth.reward import Array, Rollout, Step
from reward_synth.task import ACTION, PREVIOUS, TaskSpec

_ENTRY = re.compile(r"\s*(?P<name>\w+)\s*(?:\[(?P<index>[\d,\s]*)\])?\s*")
_BETWEEN = re.compile(r",(?![^\[]*\])")
"""A comma that is not within brackets."""
_TWO = 2
_NONE = 1e-9
"""A range smaller than this part of its values is no range."""


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas.

    Example:
        >>> split_names("position, grid[1,2]")
        ('position', 'grid[1,2]')
    """
    return tuple(part.strip() for part in _BETWEEN.split(text) if part.strip())


@dataclass(frozen=True, slots=True)
class Entry:
    """One number among what a reward may read."""

    name: str
    """``x``, ``prev_x`` or ``action``."""
    index: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, task: TaskSpec) -> Entry:
        """Read a name such as ``position`` or ``gripper[2]``.

        Raises:
            UsageError: The task has no such number.

        Example:
            >>> from reward_synth.task import Field
            >>> task = TaskSpec("T", "go", (Field("gripper", (3,)),), Field("action"))
            >>> Entry.parse("gripper[2]", task)
            Entry(name='gripper', index=(2,))
        """
        known = task.parameters
        match = _ENTRY.fullmatch(text)
        if match is None or match["name"] not in known:
            name = match["name"] if match else text
            near = did_you_mean(name, known)
            raise UsageError(
                f"{task.id} has no field {name!r}.{near} It has {', '.join(known)}."
            )
        shape, name = known[match["name"]].shape, match["name"]
        index = _numbers(match["index"] or "")
        fits = len(index) == len(shape) and all(
            i < n for i, n in zip(index, shape, strict=True)
        )
        if not fits:
            raise UsageError(_bad_index(text, name, shape))
        return cls(name, index)

    @property
    def text(self) -> str:
        """As people write it."""
        inside = ",".join(map(str, self.index))
        return f"{self.name}[{inside}]" if self.index else self.name

    def of(self, step: Step) -> Values:
        """Return this number in each lane of a step, shape ``(num_envs,)``."""
        found: Values = _holder(step, self.name)[self._place].astype(np.float64)
        return found

    def set(self, step: Step, values: Values) -> Step:
        """Return the step with other values of this number.

        Args:
            step: The step; its arrays stay as they are.
            values: Shape ``(num_envs,)``.
        """
        array = np.array(_holder(step, self.name))
        array[self._place] = values
        if self.name == ACTION:
            return replace(step, action=array)
        if self.name.startswith(PREVIOUS):
            before = {**step.before, self.name.removeprefix(PREVIOUS): array}
            return replace(step, before=before)
        return replace(step, after={**step.after, self.name: array})

    def met(self, rollouts: Sequence[Rollout]) -> Values:
        """Return every finite value that rollouts recorded."""
        parts = [self.of(item.steps) for item in rollouts]
        parts += [
            item.steps.before[self.name][self._place].astype(np.float64)
            for item in rollouts
            if self.name in item.steps.before
        ]
        values = np.concatenate(parts)
        return values[np.isfinite(values)]

    @property
    def _place(self) -> tuple[slice | int, ...]:
        return slice(None), *self.index


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


def _bad_index(text: str, name: str, shape: tuple[int, ...]) -> str:
    if not shape:
        return f"{name} is a single number and takes no index; received {text!r}."
    last = f"{name}[{','.join(str(n - 1) for n in shape)}]"
    first = f"{name}[{','.join('0' for _ in shape)}]"
    return (
        f"{name} has shape {shape}, so one of its numbers must be named, from {first} to "
        f"{last}; received {text!r}."
    )


def _holder(step: Step, name: str) -> Array:
    if name == ACTION:
        return step.action
    if name.startswith(PREVIOUS):
        return step.before[name.removeprefix(PREVIOUS)]
    return step.after[name]


def two_entries(names: Sequence[str], task: TaskSpec) -> tuple[Entry, Entry]:
    """Return the two numbers that pictures run over.

    Raises:
        UsageError: They are not two different numbers of the task.
    """
    if len(names) != _TWO:
        given = f": {', '.join(names)}" if names else ""
        raise UsageError(
            f"A map needs two fields, such as {_example(task)}; received "
            f"{len(names)}{given}."
        )
    first, second = (Entry.parse(name, task) for name in names)
    if first == second:
        raise UsageError(
            f"A map needs two different fields; received {first.text} twice."
        )
    return first, second


def _example(task: TaskSpec) -> str:
    every = [
        f"{item.name}[{i}]" if item.shape else item.name
        for item in task.fields
        if len(item.shape) <= 1
        for i in range(item.size)
    ]
    return ",".join(every[:_TWO])


def axis_of(entry: Entry, task: TaskSpec, rollouts: Sequence[Rollout]) -> Axis:
    """Return the range of a number in recorded rollouts.

    Raises:
        UsageError: It was always the same, so there is nothing to draw over.
    """
    field = task.parameters[entry.name]
    values = entry.met(rollouts)
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    if not high - low > _NONE * max(1.0, abs(low), abs(high)):
        steps = sum(map(len, rollouts))
        value = f"{low:g}" if values.size else "not finite"
        raise UsageError(
            f"{entry.text} was {value} in all {steps} recorded steps, so there is nothing "
            "to draw over. Choose another field, or give episodes in which it changes "
            "with --demos."
        )
    # floats that hold whole numbers alone, such as cells of a map, are steps too
    whole = field.dtype != "float" or bool((values == np.round(values)).all())
    return Axis(entry.text, float(low), float(high), field.unit, whole)


def read_values(pairs: Sequence[str]) -> dict[str, float]:
    """Read values to hold, such as ``velocity=0.01``.

    Raises:
        UsageError: One is not a name and a finite number.

    Example:
        >>> read_values(["velocity=0.01"])
        {'velocity': 0.01}
    """
    found = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not name.strip() or not math.isfinite(value):
            raise UsageError(
                f"--at takes a field and a number, for example --at velocity=0.01; "
                f"received {pair!r}."
            )
        found[name.strip()] = value
    return found


def held_at(
    step: Step, at: Mapping[str, float], task: TaskSpec, drawn: Sequence[Entry]
) -> Step:
    """Return the step with chosen values of some of its numbers.

    Raises:
        UsageError: The task has no such number, or the map runs over it.
    """
    for name, value in at.items():
        entry = Entry.parse(name, task)
        if entry in drawn:
            raise UsageError(
                f"The map runs over {entry.text}, so it cannot be held at {value:g} too."
            )
        step = entry.set(step, np.array([value]))
    return step
