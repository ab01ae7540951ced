"""Where a field is read: a short text such as ``obs.extra.tcp_pose[0:3]``.

| text | reads |
|---|---|
| ``obs``, ``obs[4]``, ``obs[0:3]`` | the observation, one entry, a slice |
| ``obs.achieved_goal[0:2]`` | a key of a Dict observation, then a slice |
| ``body.torso.xpos``, ``site.tip.xpos``, ``joint.hinge.qpos`` | MuJoCo's ``data`` |
| ``sim.cube.pose.p`` | attributes, from ``env.unwrapped`` |
| ``sim.agent.is_grasping(cube)`` | a method there that only tells, named ``is_…``, \
``has_…`` or ``get_…``; its arguments are attributes there |
| ``info.success`` | a key of ``info`` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

from reward_synth.errors import FieldMismatchError, TaskSpecError, UsageError
from reward_synth.reward import Array

Kind = Literal["obs", "body", "site", "joint", "sim", "info"]
Getter = Callable[[Any, Mapping[str, Any]], Any]
"""``(obs, info) -> value``, bound to one environment."""

_TEXT = re.compile(
    r"(?P<kind>[a-z]+)(?P<path>(\.[^.\[\]()]+)*)"
    r"(\((?P<arguments>[\w., ]*)\))?(\[(?P<index>[^\]]*)\])?"
)
_INDEX = re.compile(r"(?P<start>\d+)(:(?P<stop>\d+))?")
_MUJOCO: tuple[Kind, ...] = ("body", "site", "joint")
_TELLING = ("is_", "has_", "get_")
"""How methods begin that may be called: reading must change nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed place to read from; see the table above."""

    text: str
    """As written in the task description."""
    kind: Kind
    path: tuple[str, ...]
    """Keys or attribute names after the kind."""
    arguments: tuple[str, ...] | None
    """Attribute paths given to the method at the end of ``path``, or None: no call."""
    index: int | slice | None
    """Applied last."""

    @classmethod
    def parse(cls, text: str) -> Source:
        """Parse ``text``.

        Raises:
            TaskSpecError: ``text`` is not of a form in the table.

        Example:
            >>> Source.parse("obs.extra.tcp_pose[0:3]").path
            ('extra', 'tcp_pose')
            >>> Source.parse("nowhere.x")
            Traceback (most recent call last):
            ...
            reward_synth.errors.TaskSpecError: 'nowhere.x' is not a place to read \
a field from: it must begin with obs, body, site, joint, sim, info, for example \
'obs[0:3]'.
        """
        return _parse(text)

    def bind(self, env: Any) -> Getter:
        """Return ``(obs, info) -> value`` for this environment.

        Args:
            env: A Gymnasium environment; its ``unwrapped`` is where ``sim``,
                ``body``, ``site`` and ``joint`` start.
        """
        if self.kind == "obs":
            return lambda obs, _: self._pick(_walk_keys(obs, self.path, self.text))
        if self.kind == "info":
            return lambda _, info: self._pick(_walk_keys(info, self.path, self.text))
        base = env.unwrapped
        if self.kind in _MUJOCO:
            return self._bind_mujoco(base)
        return lambda _, __: self._pick(self._call(base))

    def _bind_mujoco(self, base: Any) -> Getter:
        name, attribute = self.path

        def get(_: Any, __: Mapping[str, Any]) -> Any:
            try:
                place = getattr(base.data, self.kind)(name)
            except (AttributeError, KeyError) as cause:
                raise FieldMismatchError(
                    f"{self.text!r} cannot be read: {cause}"
                ) from cause
            return self._pick(_walk_attributes(place, [attribute], self.text))

        return get

    def _call(self, base: Any) -> Any:
        value = _walk_attributes(base, self.path, self.text)
        if self.arguments is None:
            return value
        return value(
            *(_walk_attributes(base, a.split("."), self.text) for a in self.arguments)
        )

    def _pick(self, value: Any) -> Array:
        array = as_array(value)
        if self.index is None:
            return array
        if array.ndim > 1 and array.shape[0] == 1:
            array = array[0]
        try:
            return np.asarray(array[self.index])
        except IndexError as cause:
            raise FieldMismatchError(
                f"{self.text!r} cannot be read: the value has shape {array.shape}."
            ) from cause


@lru_cache(maxsize=4096)
def _parse(text: str) -> Source:
    match = _TEXT.fullmatch(text.strip())
    kinds = get_args(Kind)
    if match is None or match["kind"] not in kinds:
        raise TaskSpecError(
            f"{text!r} is not a place to read a field from: it must begin with "
            f"{', '.join(kinds)}, for example 'obs[0:3]'."
        )
    path = tuple(match["path"].split(".")[1:])
    kind: Kind = match["kind"]  # type: ignore[assignment]  # checked just above
    if kind in _MUJOCO and len(path) != 2:  # noqa: PLR2004 - name and attribute
        raise TaskSpecError(
            f"{text!r} needs a name and an attribute, for example '{kind}.torso.xpos'."
        )
    if kind in ("sim", "info") and not path:
        raise TaskSpecError(f"{text!r} names no attribute or key after '{kind}'.")
    arguments = match["arguments"]
    if arguments is not None and kind != "sim":
        raise TaskSpecError(f"{text!r}: only methods of 'sim' take arguments.")
    given = _arguments(arguments)
    _refuse_machinery(kind, path, given or (), text)
    if given is not None and not path[-1].startswith(_TELLING):
        raise TaskSpecError(
            f"{text!r} calls {path[-1]!r}: only methods whose names begin with "
            f"{', '.join(_TELLING)} may be called, since reading must change nothing."
        )
    return Source(text, kind, path, given, _index(match["index"], text))


def _arguments(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(part for part in text.replace(" ", "").split(",") if part)


def _refuse_machinery(
    kind: Kind, path: tuple[str, ...], arguments: tuple[str, ...], text: str
) -> None:
    """Refuse attributes of Python's own machinery; keys and names are free."""
    names = [part for item in arguments for part in item.split(".")]
    if kind == "sim":
        names += path
    elif kind in _MUJOCO:
        names.append(path[-1])
    for name in names:
        if name.startswith("__"):
            raise TaskSpecError(
                f"{text!r} reads {name!r}: attributes that begin with two underscores "
                "belong to Python and are not read."
            )


def _index(text: str | None, whole: str) -> int | slice | None:
    if text is None:
        return None
    match = _INDEX.fullmatch(text.strip())
    if match is None:
        raise TaskSpecError(f"{whole!r}: the index must look like [2] or [0:3].")
    start = int(match["start"])
    return start if match["stop"] is None else slice(start, int(match["stop"]))


def _walk_keys(value: Any, keys: tuple[str, ...], text: str) -> Any:
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            known = (
                sorted(value) if isinstance(value, Mapping) else type(value).__name__
            )
            raise FieldMismatchError(
                f"{text!r} cannot be read: there is no key {key!r}; found {known}."
            )
        value = value[key]
    return value


def _walk_attributes(value: Any, names: Any, text: str) -> Any:
    for name in names:
        try:
            value = getattr(value, name)
        except AttributeError as cause:
            raise FieldMismatchError(
                f"{text!r} cannot be read: {type(value).__name__} has no "
                f"attribute {name!r}."
            ) from cause
    return value


def as_array(value: Any) -> Array:
    """Return ``value`` (number, sequence, NumPy or torch) as a NumPy array.

    Example:
        >>> as_array(True).dtype.name, as_array([1, 2]).shape
        ('bool', (2,))
    """
    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def as_number(value: Any) -> float:
    """Return a number, also from the arrays of length 1 of batched simulators.

    Raises:
        UsageError: There are several numbers: the environment is a batch.

    Example:
        >>> as_number(np.array([0.5])), as_number(True)
        (0.5, 1.0)
    """
    if isinstance(value, float | int):  # NumPy's float64 is one, too
        return float(value)
    array = as_array(value)
    if array.size != 1:
        raise UsageError(
            f"One environment gives one number a step, received an array of shape "
            f"{array.shape}. Make the environment with num_envs=1."
        )
    return float(array.reshape(-1)[0])
