"""Steps of several policies, and the files in which they cross between processes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from reward_synth.agents.failures import TrainingError
from reward_synth.agents.plain import open_plain
from reward_synth.errors import UsageError
from reward_synth.reward import Array
from reward_synth.task import TaskSpec

Rows = npt.NDArray[np.float64]
_VALUE = "value."
_OVERHEAD = 1 << 20
"""Bytes of names, types and shapes in a file of steps, at most."""


@dataclass(frozen=True, slots=True)
class Transitions:
    """N steps, and what programs may read of them."""

    observations: Rows
    """Before the actions, shape ``(N, D)``."""
    following: Rows
    """After them, likewise."""
    actions: Rows
    """Scaled to [-1, 1], shape ``(N, A)``."""
    terminated: Rows
    """1 where the task ended the episode, shape ``(N,)``."""
    sparse: Rows
    """What the sparse arm paid, likewise."""
    values: Mapping[str, Array]
    """Name of a parameter to an array of shape ``(N, *shape)``."""

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.sparse)

    def columns(self) -> dict[str, Array]:
        """Return everything by name, as arrays of float64."""
        names = [item.name for item in fields(self) if item.name != "values"]
        plain = {name: getattr(self, name) for name in names}
        return plain | {f"{_VALUE}{name}": x for name, x in self.values.items()}

    @classmethod
    def of(cls, columns: Mapping[str, Array]) -> Transitions:
        """Return what :meth:`columns` gave."""
        plain = {k: v for k, v in columns.items() if not k.startswith(_VALUE)}
        values = {
            k.removeprefix(_VALUE): v for k, v in columns.items() if k not in plain
        }
        return cls(**plain, values=values)

    @classmethod
    def joined(cls, parts: Sequence[Transitions]) -> Transitions:
        """Return all steps of several, in order."""
        tables = [part.columns() for part in parts]
        names = tables[0]
        return cls.of({n: np.concatenate([t[n] for t in tables]) for n in names})

    def last(self, most: int) -> Transitions:
        """Return the newest steps.

        Example:
            >>> one = np.ones((3, 1))
            >>> steps = Transitions(one, one, one, one[:, 0], np.arange(3.0), {"x": one})
            >>> steps.last(2).sparse
            array([1., 2.])
        """
        start = max(0, len(self) - most)
        return Transitions.of({k: v[start:] for k, v in self.columns().items()})


def shapes(task: TaskSpec, env: gym.Env[Any, Any]) -> dict[str, tuple[int, ...]]:
    """Return the columns of stored steps, and the shape of one step in each.

    Raises:
        UsageError: Observations or actions are no arrays of numbers.
    """
    spaces = (env.observation_space, env.action_space)
    if not all(isinstance(space, gym.spaces.Box) for space in spaces):
        raise UsageError(
            f"A shared replay buffer keeps Box observations and actions; {task.id!r} has "
            f"{spaces[0]} and {spaces[1]}. Flatten them, for example with "
            "gymnasium.wrappers.FlattenObservation."
        )
    seen, acts = (int(np.prod(space.shape or ())) for space in spaces)
    plain: dict[str, tuple[int, ...]] = {
        "observations": (seen,),
        "following": (seen,),
        "actions": (acts,),
        "terminated": (),
        "sparse": (),
    }
    return plain | {f"value.{name}": x.shape for name, x in task.parameters.items()}


def write_steps(steps: Transitions, path: Path) -> None:
    """Write steps; a reader sees the whole file or none."""
    columns = {
        k: np.ascontiguousarray(v, np.float64) for k, v in steps.columns().items()
    }
    fresh = path.with_suffix(".tmp")
    save_file(columns, fresh)
    os.replace(fresh, path)


def read_steps(
    path: str | Path,
    expected: Mapping[str, tuple[int, ...]],
    most: int,
    folder: int | None = None,
) -> Transitions:
    """Return the steps of a file, if they are what a period can have made.

    The file is not trusted: it must be a plain file no larger than so many steps take,
    and hold exactly the expected columns, of float64, of equal length, all finite.

    Args:
        path: The file.
        expected: What :func:`shapes` returned.
        most: The most steps.
        folder: Descriptor of the folder that it is in; None: the current one.

    Raises:
        TrainingError: It is not taken; says why.
    """
    row = 8 * sum(int(np.prod(shape)) for shape in expected.values())
    try:
        with open_plain(path, folder) as file:
            data = file.read(_OVERHEAD + row * most + 1)
        if len(data) > _OVERHEAD + row * most:
            raise ValueError(f"larger than {most} steps are")
        columns: dict[str, Array] = load(data)
        _compare(columns, expected, most)
    except (OSError, SafetensorError, ValueError, KeyError) as cause:
        raise TrainingError(
            f"The steps {path} of the training process cannot be taken: {cause}."
        ) from cause
    return Transitions.of(columns)


def _compare(
    columns: Mapping[str, Array], expected: Mapping[str, tuple[int, ...]], most: int
) -> None:
    odd = sorted(columns.keys() ^ expected.keys())
    if odd:
        raise ValueError(f"the column {odd[0][:80]!r} is missing, or unknown")
    count = len(columns["sparse"]) if columns["sparse"].ndim else 0
    if not 0 < count <= most:
        raise ValueError(f"they are {count} steps, not 1 to {most}")
    for name, shape in expected.items():
        found = columns[name]
        if found.shape != (count, *shape) or found.dtype != np.float64:
            raise ValueError(f"{name!r} is {found.dtype} {found.shape}")
        if not np.isfinite(found).all():
            raise ValueError(f"{name!r} holds numbers that are not finite")
