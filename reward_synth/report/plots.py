"""Pictures of a reward: over two fields of a task, and along a recorded episode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.api.comparison import joined
from reward_synth.api.config import EnvConfig
from reward_synth.api.prepare import describe, gather
from reward_synth.combine import Combiner, make_combiner, reads_potential
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.report.plots_axes import Entry, axis_of, held_at, two_entries
from reward_synth.report.plots_data import Axis, Map, RewardPlots, Story, binned
from reward_synth.report.plots_grid import (
    Scored,
    grid,
    one_step,
    reward_maps,
    success_on,
    unread,
)
from reward_synth.report.plots_replay import stories
from reward_synth.reward import RewardFunction, Rollout, Step
from reward_synth.task import ACTION, PREVIOUS, TaskSpec
from reward_synth.wrappers.sources import as_reward, checked_discount

Given = RewardProgram | RewardFunction | str | Path
POINTS = 41
"""Of a grid, on each side."""
_SHOWN = 8
"""Numbers of a field that are told; longer ones are left out."""


def plot_reward(
    reward: Given,
    config: EnvConfig,
    fields: Sequence[str],
    *,
    combine: str | Combiner | None = None,
    gamma: float | None = None,
    weight: float = 1.0,
    at: Mapping[str, float] | None = None,
    episode: int | None = None,
    step: int = 0,
    notify: Callable[[str], None] = lambda _: None,
) -> RewardPlots:
    """Compute what pictures of a reward show; ``plots_files.write_plots`` draws them.

    Args:
        reward: A reward program, its file or text, or a function of a transition.
        config: The environment.
        fields: Two numbers that the reward may read, such as ``position``,
            ``gripper[2]``, ``prev_position`` or ``action[0]``.
        combine: How it meets the environment's reward; by default ``add``, or
            ``potential`` for a program that has only a potential.
        gamma: The learner's discount; by default the task's.
        weight: Factor of the dense part.
        at: Values to hold other numbers at. The rest is held at its value in ``step``.
        episode: Which recorded episode is shown; by default the first that succeeded,
            else the first.
        step: Which of its steps the maps are drawn around.
        notify: Told what is done.

    Raises:
        UsageError: A field cannot be drawn over, or an argument cannot be used.
        ProgramError: The program cannot be used.

    Example:
        >>> found = plot_reward(lambda t: float(t.after["position"]),
        ...     EnvConfig("MountainCarContinuous-v0"), ("position", "velocity"))
        >>> found.maps[0].values.shape, [item.title for item in found.blended]
        ((41, 41), ['the reward alone', 'the environment', 'combined by add'])
    """
    given = as_reward(reward)
    ref, task = describe(config, notify)
    entries = two_entries(fields, task)
    how = _combine(given, task) if combine is None else combine
    discount = checked_discount(task.gamma if gamma is None else gamma, weight)
    shapes = reads_potential(make_combiner(how, gamma=discount, weight=weight))
    score = Scored(given, task, potential=shapes)
    rollouts = gather(ref, task, config, notify)
    number = _episode(rollouts, episode)
    shown = one_step(rollouts[number].steps, _place(rollouts[number], step))
    base = held_at(shown, at or {}, task, entries)
    axes = (axis_of(entries[0], task, rollouts), axis_of(entries[1], task, rollouts))
    points = (axes[0].points(POINTS), axes[1].points(POINTS))
    lanes = grid(base, entries, points)
    title = "the potential" if shapes else "the reward alone"
    maps = reward_maps(score, lanes, points, title)
    told = stories(rollouts, task, given, how, discount, weight)
    called = how if isinstance(how, str) else type(how).__name__
    return RewardPlots(
        _name(reward),
        ref.name,
        called,
        *axes,
        _held(base, score, entries),
        maps,
        success_on(task, lanes, (len(points[1]), len(points[0]))),
        _blended(rollouts, told, entries, axes, called),
        told[number],
        (*unread(score, entries), *_blank(maps), *_faults(told)),
    )


def _combine(given: Any, task: TaskSpec) -> str:
    """Return what a program is made for."""
    if not isinstance(given, RewardProgram):
        return "add"
    ir = given.ir(task)
    return "add" if ir.reward is not None else "potential"


def _name(reward: Given) -> str:
    """Return a file's name, or what the reward is."""
    if isinstance(reward, (str, Path)) and "\n" not in str(reward):
        return Path(reward).name
    return "a program" if isinstance(reward, (str, RewardProgram)) else "a function"


def _episode(rollouts: Sequence[Rollout], asked: int | None) -> int:
    """Return the number of the episode that is shown.

    Raises:
        UsageError: There is none of that number.
    """
    if asked is None:
        return next((i for i, x in enumerate(rollouts) if x.succeeded), 0)
    if not 0 <= asked < len(rollouts):
        raise UsageError(
            f"There are {len(rollouts)} recorded episodes, from 0 to {len(rollouts) - 1}; "
            f"received episode {asked}."
        )
    return asked


def _place(rollout: Rollout, asked: int) -> int:
    if not 0 <= asked < len(rollout):
        raise UsageError(
            f"The episode has {len(rollout)} steps, from 0 to {len(rollout) - 1}; "
            f"received step {asked}."
        )
    return asked


def _held(base: Step, score: Scored, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the reward reads beside the axes, where it is short enough to tell."""
    drawn = {entry.name for entry in entries}
    found: dict[str, Any] = {}
    for name in score.reads:
        values = _read(base, name)
        if values is None or values.size > _SHOWN:
            continue
        if name not in drawn:
            found[name] = values.tolist()
            continue
        every = [Entry(name, index) for index in np.ndindex(values.shape)]
        rest = [entry for entry in every if entry not in entries]
        found |= {entry.text: values[entry.index].item() for entry in rest}
    return found


def _read(base: Step, name: str) -> Any:
    if name == ACTION:
        return base.action[0]
    if name.startswith(PREVIOUS):
        held = base.before.get(name.removeprefix(PREVIOUS))
        return None if held is None else held[0]
    return base.after[name][0]


def _blended(
    rollouts: Sequence[Rollout],
    told: Sequence[Story],
    entries: tuple[Entry, Entry],
    axes: tuple[Axis, Axis],
    combine: str,
) -> tuple[Map, ...]:
    """Return maps of what recorded steps are paid, before and after blending."""
    steps = joined(rollouts)
    places = entries[0].of(steps), entries[1].of(steps)
    columns = {
        "the reward alone": [item.total for item in told],
        "the environment": [item.sparse for item in told],
        f"combined by {combine}": [item.combined for item in told],
    }
    return tuple(
        binned(title, places, axes, np.concatenate(values))
        for title, values in columns.items()
    )


def _blank(maps: Sequence[Map]) -> list[str]:
    """Return a sentence if the reward is not finite somewhere on the grid."""
    values = maps[0].values
    bad = int((~np.isfinite(values)).sum())
    if not bad:
        return []
    return [
        f"The reward is not finite on {bad} of {values.size} points of the grid; "
        "they are left blank."
    ]


def _faults(told: Sequence[Story]) -> list[str]:
    """Return a sentence if recorded steps were paid without the reward."""
    bad, steps = sum(x.faults for x in told), sum(len(x.sparse) for x in told)
    if not bad:
        return []
    return [
        f"On {bad} of {steps} recorded steps the reward is not finite or far too large; "
        "they are paid without it, as in a training."
    ]
