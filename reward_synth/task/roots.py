"""Reads whole arrays that fields are parts of, so that nothing is copied per field.

Five fields that are slices of one observation have one root, the observation. Compiled
rewards pick the columns out of it themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from reward_synth.errors import FieldMismatchError
from reward_synth.reward import Array, Fields
from reward_synth.task.field import Field
from reward_synth.task.source import Getter, Source, as_array

_DTYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}
PUBLISHED = "reward_fields"
"""Key of ``info`` under which an environment tells fields that are not observed."""


class Roots:
    """The distinct arrays that some fields lie in.

    Args:
        fields: The fields.
        env: The environment whose simulator is read, or None: fields that are not
            observed are taken from ``info["reward_fields"]``, as batches have it.

    Example:
        >>> roots = Roots([Field("x", source="obs[1]"), Field("v", source="obs[3]")])
        >>> arrays = roots.read(np.arange(8.0).reshape(2, 4), {})
        >>> len(arrays), roots.columns("v", arrays, lanes=2)
        (1, (0, (3,)))
        >>> roots.fields(arrays, lanes=2)["v"]
        array([3., 7.])
    """

    def __init__(self, fields: Iterable[Field], env: Any = None) -> None:
        self.items = {item.name: item for item in fields}
        self._sources = {
            name: self._source(item, env) for name, item in self.items.items()
        }
        texts = dict.fromkeys(
            replace(item, index=None, text=_without_index(item.text))
            for item in self._sources.values()
        )
        self.sources: tuple[Source, ...] = tuple(texts)
        self._env = env
        self._getters: list[Getter] | None = None

    @staticmethod
    def _source(item: Field, env: Any) -> Source:
        source = Source.parse(item.source)
        if env is not None or source.kind == "obs":
            return source
        return Source.parse(f"info.{PUBLISHED}.{item.name}")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the getters: they are bound anew to the environment's copy."""
        return self.__dict__ | {"_getters": None}

    def __len__(self) -> int:
        """Number of arrays."""
        return len(self.sources)

    def read(self, obs: Any, info: Mapping[str, Any]) -> list[Array]:
        """Return the arrays, as they are in the environment: not copied.

        Raises:
            FieldMismatchError: One is not there.
        """
        if self._getters is None:
            self._getters = [_getter(item, self._env) for item in self.sources]
        return [get(obs, info) for get in self._getters]

    def holder(self, name: str) -> int:
        """Return the number of the array that holds a field."""
        source = self._sources[name]
        bare = replace(source, index=None, text=_without_index(source.text))
        return self.sources.index(bare)

    def columns(
        self, name: str, arrays: Sequence[Array], lanes: int
    ) -> tuple[int, tuple[int, ...]]:
        """Return the number of the array that holds a field, and its columns there.

        Args:
            name: The field.
            arrays: What :meth:`read` returned.
            lanes: Number of environments in them.

        Raises:
            FieldMismatchError: The array does not hold the field's shape.
        """
        number = self.holder(name)
        item, index = self.items[name], self._sources[name].index
        width = arrays[number].size // lanes
        shape = _lane_shape(arrays[number], lanes)
        places = np.arange(width).reshape(shape)
        picked: Array = np.empty(0, np.int64)
        with suppress(IndexError):
            picked = np.asarray(places if index is None else places[index])
        if np.size(picked) != item.size:
            raise FieldMismatchError(
                f"Field {name!r} is described with shape {item.shape}, but "
                f"{item.source!r} holds shape {np.shape(picked)} of an array of shape "
                f"{shape}. Correct the task description."
            )
        return number, tuple(int(place) for place in np.ravel(picked))

    def fields(self, arrays: Sequence[Array], lanes: int) -> Fields:
        """Return each field as a fresh array of shape ``(lanes, *shape)``.

        What has no axis for lanes, as a constant of the task, holds for all of them.

        Example:
            >>> roots = Roots([Field("low", (2,), source="obs")])
            >>> roots.fields([np.array([1.0, 2.0])], lanes=2)["low"].tolist()
            [[1.0, 2.0], [1.0, 2.0]]
        """
        arrays = [self._spread(number, a, lanes) for number, a in enumerate(arrays)]
        values = {}
        for name, item in self.items.items():
            number, columns = self.columns(name, arrays, lanes)
            table = arrays[number].reshape(lanes, -1)
            picked: Array = table[:, list(columns)].astype(_DTYPES[item.dtype])
            values[name] = picked.reshape(lanes, *item.shape)
        return values

    def _spread(self, number: int, array: Array, lanes: int) -> Array:
        if lanes == 1:
            return array
        whole = any(
            array.shape == item.shape
            for name, item in self.items.items()
            if self._sources[name].index is None and self.holder(name) == number
        )
        if whole or array.shape[:1] != (lanes,):
            return np.broadcast_to(array, (lanes, *array.shape))
        return array


def _without_index(text: str) -> str:
    return text.split("[", maxsplit=1)[0]


def _lane_shape(array: Array, lanes: int) -> tuple[int, ...]:
    """Return the shape of one environment's part."""
    if array.ndim and array.shape[0] == lanes:
        return array.shape[1:] or (1,)
    return array.shape or (1,)


def _getter(source: Source, env: Any) -> Getter:
    if source.kind == "obs" and not source.path:
        return _observation
    return source.bind(env)


def _observation(obs: Any, _: Mapping[str, Any]) -> Array:
    return obs if type(obs) is np.ndarray else as_array(obs)
