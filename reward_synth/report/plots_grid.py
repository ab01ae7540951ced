"""A reward's own values over two of the numbers that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from reward_synth.kernels import RewardKernel, parameters
from reward_synth.language.success import SPARSE, SuccessTest
from reward_synth.program import RewardProgram
from reward_synth.report.plots_axes import Entry
from reward_synth.report.plots_data import Map, Mask, Values
from reward_synth.reward import FunctionReward, Step
from reward_synth.task import TaskSpec
from reward_synth.wrappers.sources import program_function, refuse_potential

_ROUNDING = 1e-11
"""A rise smaller than this part of the values is what rounding makes of a plain."""


class Scored:
    r"""Scores steps without an environment: components, or a potential.

    Args:
        reward: A program, or a function of a transition.
        task: The task that it is for.
        potential: Score with ``compute_potential``.

    Raises:
        ProgramError: The program lacks the function.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("T", "go", (Field("x"), Field("y")), Field("action"))
        >>> program = RewardProgram.from_text("def compute_reward(x):\n    return {'a': x}")
        >>> Scored(program, task).reads
        ('x',)
    """

    def __init__(self, reward: Any, task: TaskSpec, *, potential: bool = False) -> None:
        self._kernel: RewardKernel | None = None
        self.reads = tuple(task.parameters)
        """What may change the value."""
        if isinstance(reward, RewardProgram):
            function = program_function(reward, task, potential=potential)
            self._kernel = RewardKernel(function)
            self.reads = tuple(name for name, _ in function.parameters)
        elif potential:
            refuse_potential(reward)
        self._function = reward

    def __call__(self, step: Step) -> dict[str, Values]:
        """Return each component, shape ``(num_envs,)``."""
        if self._kernel is None:
            return FunctionReward(self._function)(step)
        out = np.empty((len(self._kernel.names) + 1, step.num_envs))
        rows = self._kernel.batch(parameters(self._kernel, step), out)
        return dict(zip(self._kernel.names, rows[:-1], strict=True))


def spread(step: Step, count: int) -> Step:
    """Return a step of one lane as ``count`` equal lanes; nothing is copied."""

    def repeated(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            return np.broadcast_to(item, (count, *item.shape[1:]))
        return {name: repeated(value) for name, value in item.items()}

    return Step(**{f.name: repeated(getattr(step, f.name)) for f in fields(Step)})


def one_step(steps: Step, place: int) -> Step:
    """Return one of several steps, as a step of one lane."""

    def picked(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            return item[place : place + 1]
        return {name: picked(value) for name, value in item.items()}

    return Step(**{f.name: picked(getattr(steps, f.name)) for f in fields(Step)})


def grid(
    step: Step, entries: tuple[Entry, Entry], points: tuple[Values, Values]
) -> Step:
    """Return one lane for each point of a grid, row by row.

    Args:
        step: What all other numbers are, one lane.
        entries: What runs across, and what runs up.
        points: Their values.
    """
    across, up = np.meshgrid(*points)
    lanes = spread(step, across.size)
    return entries[1].set(entries[0].set(lanes, across.ravel()), up.ravel())


def reward_maps(
    score: Scored, lanes: Step, points: tuple[Values, Values], title: str
) -> tuple[Map, ...]:
    """Return maps of the sum and, where there are several, of each component.

    Args:
        score: The reward.
        lanes: The points of a grid, from :func:`grid`.
        points: As given there.
        title: Of the map of the sum.
    """
    parts = score(lanes)
    total = np.sum(list(parts.values()), axis=0)
    chosen = {title: total} | (parts if len(parts) > 1 else {})
    return tuple(_map(name, values, points) for name, values in chosen.items())


def _map(title: str, values: Values, points: tuple[Values, Values]) -> Map:
    xs, ys = points
    table = np.where(np.isfinite(values), values, np.nan).reshape(len(ys), len(xs))
    # over the whole length of each axis, so that arrows point up on the picture
    high, wide = (np.linspace(0.0, 1.0, len(p)) for p in (ys, xs))
    with np.errstate(invalid="ignore"):
        upwards, right = np.gradient(table, high, wide)
        rise = np.array([right, upwards])
        size = np.abs(table[np.isfinite(table)]).max(initial=0.0)
        rise[np.abs(rise) <= _ROUNDING * size] = 0.0
    return Map(title, xs, ys, table, rise)


def success_on(task: TaskSpec, lanes: Step, shape: tuple[int, int]) -> Mask | None:
    """Return where the success rule holds; None if it reads more than fields.

    Args:
        task: The task.
        lanes: The points of a grid.
        shape: Rows and columns of the grid.
    """
    if task.success is None or _reads_more(task.success.rule):
        return None
    test = SuccessTest(task)
    rows = [
        {name: lanes.after[name][i : i + 1] for name in test.names}
        for i in range(lanes.num_envs)
    ]
    return np.array([test(row, {}, 0.0) for row in rows], np.bool_).reshape(shape)


def _reads_more(rule: str) -> bool:
    return SPARSE in rule or rule.strip().startswith("info.")


def unread(score: Scored, entries: Sequence[Entry]) -> list[str]:
    """Return a sentence for each axis that the reward does not read."""
    return [
        f"The reward does not read {entry.name}: the maps do not change along it."
        for entry in entries
        if entry.name not in score.reads
    ]
