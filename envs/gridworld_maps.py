"""Maps by name, their tables and spaces; what one gridworld and many share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import gymnasium as gym
import numpy as np

from reward_synth.envs.gridworld_tables import Layout, Tables, tables
from reward_synth.envs.gridworld_tasks import TASKS
from reward_synth.errors import UsageError, did_you_mean


def map_of(task: str, rows: Sequence[str] | None, slip: float | None) -> Layout:
    """Return a known map, or the given one.

    Raises:
        UsageError: There is no such task, or the map cannot be used.

    Example:
        >>> map_of("GridCliff-v0", None, None).slip
        0.1
    """
    if rows is not None:
        return Layout(tuple(rows), slip or 0.0)
    if task not in TASKS:
        raise UsageError(
            f"There is no gridworld {task!r}; known are {', '.join(TASKS)}."
            f"{did_you_mean(task, TASKS)}"
        )
    known = TASKS[task]
    return Layout(known.rows, known.slip if slip is None else slip)


@lru_cache(maxsize=64)
def tables_of(layout: Layout) -> Tables:
    """Return the tables of a map, made once a process."""
    return tables(layout)


def space_of(layout: Layout, found: Tables) -> gym.spaces.Box:
    """Return the space of what is observed."""
    size = found.observations.shape[1]
    edge = np.array(layout.size, np.float32) - 1
    high = np.tile(edge, 2)
    if layout.cells("D"):
        high = np.concatenate([high, np.ones(1, np.float32), np.tile(edge, 2)])
    return gym.spaces.Box(np.zeros(size, np.float32), high, dtype=np.float32)
