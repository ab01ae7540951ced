"""Reads a task's fields from an environment, after proving that it reads the right ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from reward_synth.errors import FieldMismatchError
from reward_synth.reward import Array, Fields
from reward_synth.task.field import Field
from reward_synth.task.source import Getter, Source
from reward_synth.task.spec import TaskSpec

_DTYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}
_TOLERANCE = 1e-4
"""Simulators keep float32 copies of float64 state."""


class FieldReader:
    """Binds a task's fields to one environment and returns copies of their values.

    The first :meth:`read` after a reset proves each field: it can be read, has the
    described shape, and where the description names a second place (``check``), both
    hold the same value.

    Args:
        task: The task whose fields are to be read.
        env: A Gymnasium environment.
        names: The fields to read; all by default.

    Example:
        >>> import gymnasium as gym
        >>> task = TaskSpec("CartPole-v1", "balance",
        ...     (Field("angle", source="obs[2]"),), Field("action", dtype="int"))
        >>> env = gym.make("CartPole-v1")
        >>> obs, info = env.reset(seed=0)
        >>> FieldReader(task, env).read(obs, info, reset=True)["angle"].shape
        (1,)
    """

    def __init__(
        self, task: TaskSpec, env: Any, names: Iterable[str] | None = None
    ) -> None:
        chosen = {item.name for item in task.fields} if names is None else set(names)
        self.task = task
        self.fields = tuple(item for item in task.fields if item.name in chosen)
        self._env = env
        self._getters: list[tuple[Field, Getter]] | None = None
        self._proven: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the getters: they are bound anew to the environment's copy."""
        return self.__dict__ | {"_getters": None}

    def _bound(self) -> list[tuple[Field, Getter]]:
        if self._getters is None:
            self._getters = [
                (item, Source.parse(item.source).bind(self._env))
                for item in self.fields
            ]
        return self._getters

    def read(self, obs: Any, info: Mapping[str, Any], *, reset: bool = False) -> Fields:
        """Return every field as a fresh array of shape ``(1, *shape)``.

        Args:
            obs: What ``reset`` or ``step`` returned.
            info: Likewise.
            reset: True after ``reset``: fields that it does not deliver are left out.

        Raises:
            FieldMismatchError: A field cannot be read as described.
        """
        values: dict[str, Array] = {}
        for item, get in self._bound():
            if reset and not item.at_reset:
                continue
            value = get(obs, info)
            if item.name not in self._proven:
                self._prove(item, value, obs, info)
            values[item.name] = np.array(value, dtype=_DTYPES[item.dtype]).reshape(
                1, *item.shape
            )
        return values

    def _prove(
        self, item: Field, value: Array, obs: Any, info: Mapping[str, Any]
    ) -> None:
        found = value.shape
        if found not in (item.shape, (1, *item.shape)):
            raise FieldMismatchError(
                f"Field {item.name!r} is described with shape {item.shape}, but "
                f"{item.source!r} holds shape {found}. Correct the task description."
            )
        if item.check:
            self._compare(item, value, obs, info)
        self._proven.add(item.name)

    def _compare(
        self, item: Field, value: Array, obs: Any, info: Mapping[str, Any]
    ) -> None:
        try:
            other = Source.parse(item.check).bind(self._env)(obs, info)
        except (FieldMismatchError, IndexError, TypeError):
            return  # the second place is not in this observation mode: nothing to compare
        first = np.asarray(value, np.float64).reshape(-1)
        second = np.asarray(other, np.float64).reshape(-1)
        if first.shape == second.shape and np.allclose(
            first, second, rtol=_TOLERANCE, atol=_TOLERANCE
        ):
            return
        raise FieldMismatchError(
            f"Field {item.name!r}: {item.source!r} holds {first.tolist()}, but "
            f"{item.check!r} holds {second.tolist()}. The description reads the "
            "wrong place."
        )
