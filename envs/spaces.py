"""Fields from spaces: what the observation and the action space say by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium import spaces

from reward_synth.envs.doctable import ObsTable, Row
from reward_synth.envs.names import field_name, identifier
from reward_synth.errors import TaskSpecError
from reward_synth.reward import Array
from reward_synth.task import ACTION, Field
from reward_synth.task.field import Dtype, Numbers

BIG = 64
"""Vectors with more entries stay one field each."""
_IMAGE_NDIM = 3
_UNBOUNDED = 1e30
"""Larger bounds are how environments write "none"."""
_GOALS = {
    "achieved_goal": "What the agent has achieved; to be compared with desired_goal.",
    "desired_goal": "What is to be achieved.",
}
_PARTS = {
    "cfrc_ext": "External force and torque on each body.",
    "cinert": "Inertia and mass of each body.",
    "cvel": "Velocity of each body about its centre of mass.",
    "qfrc_actuator": "Force of the actuators on each degree of freedom.",
    "ten_length": "Length of each tendon.",
    "ten_velocity": "Velocity of each tendon.",
}
"""Parts of a MuJoCo observation that its ``observation_structure`` may name."""


@dataclass(frozen=True, slots=True)
class Described:
    """Fields, and remarks on what was skipped or assumed."""

    fields: tuple[Field, ...] = ()
    remarks: tuple[str, ...] = ()

    def __add__(self, other: Described) -> Described:
        """Put ``other`` behind."""
        return Described(self.fields + other.fields, self.remarks + other.remarks)


@dataclass(frozen=True, slots=True)
class Documents:
    """What an environment tells about its observation beyond the space."""

    tables: tuple[ObsTable, ...] = ()
    structure: Mapping[str, int] | None = None
    """Sizes of the named parts of a MuJoCo observation."""
    joints: frozenset[str] = frozenset()
    """Hinges and slides of the simulator's model."""

    def table(self, path: tuple[str, ...]) -> ObsTable | None:
        """Return the table for the observation, or for the entry of a Dict there."""
        if path and path[-1] in _GOALS:
            return None  # compared as vectors
        key = path[-1] if path else ""
        fits = [table for table in self.tables if not key or table.key == key]
        return fits[0] if fits else None


def observation_fields(space: spaces.Space[Any], documents: Documents) -> Described:
    """Describe an observation space.

    Example:
        >>> box = spaces.Box(-1, 1, (2,))
        >>> found = observation_fields(spaces.Dict(arm=box, goal=box), Documents())
        >>> [(item.name, item.source) for item in found.fields]
        [('arm', 'obs.arm'), ('goal', 'obs.goal')]
    """
    result = Described()
    for path, leaf in _leaves(space, ()):
        result += _leaf(leaf, path, documents)
    return result


def _leaves(
    space: spaces.Space[Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], spaces.Space[Any]]]:
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _leaves(part, (*path, str(key)))
    else:
        yield path, space


def _leaf(
    space: spaces.Space[Any], path: tuple[str, ...], documents: Documents
) -> Described:
    source = ".".join(("obs", *path))
    if any(set(key) & set(".[]()") for key in path):
        return Described(remarks=(f"{source} is left out: its key cannot be written.",))
    if _is_image(space):
        return Described(remarks=(f"{source} is left out: an image {space.shape}.",))
    whole = _whole(space, path, source)
    if whole is None:
        kind = type(space).__name__
        return Described(remarks=(f"{source} is left out: a {kind} space.",))
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        return Described((whole,))
    return _documented(space, whole, documents.table(path), documents)


def _is_image(space: spaces.Space[Any]) -> bool:
    if not isinstance(space, spaces.Box):
        return False
    return len(space.shape) >= _IMAGE_NDIM and space.dtype == np.uint8


def _whole(
    space: spaces.Space[Any], path: tuple[str, ...], source: str
) -> Field | None:
    scalar = isinstance(space, spaces.Discrete)
    name = (
        identifier("_".join(path)) if path else ("state" if scalar else "observation")
    )
    meaning = _GOALS.get(path[-1], "") if path else "The whole observation."
    return _value(space, Field(name, source=source, meaning=meaning))


def _value(space: spaces.Space[Any], blank: Field) -> Field | None:
    """Fill in shape, type and bounds, or return None for spaces without numbers."""
    if isinstance(space, spaces.Box):
        dtype = _dtype(space.dtype)
        low, high = bounds(space.low, space.high) if dtype != "bool" else ((), ())
        return replace(blank, shape=space.shape, dtype=dtype, low=low, high=high)
    if isinstance(space, spaces.Discrete):
        low, high = (float(space.start),), (float(space.start + space.n - 1),)
        return replace(blank, dtype="int", low=low, high=high)
    if isinstance(space, spaces.MultiDiscrete):
        low, high = bounds(space.start, space.start + space.nvec - 1)
        return replace(blank, shape=space.shape, dtype="int", low=low, high=high)
    if isinstance(space, spaces.MultiBinary):
        return replace(blank, shape=space.shape, dtype="bool")
    return None


def _dtype(dtype: Any) -> Dtype:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return "bool"
    return "int" if kind in "iu" else "float"


def bounds(low: Array, high: Array) -> tuple[Numbers, Numbers]:
    """Return both bounds as numbers, or two empty tuples where there are none.

    Example:
        >>> bounds(np.float32([-0.07]), np.float32([0.07]))
        ((-0.07,), (0.07,))
        >>> bounds(np.array([-np.inf]), np.array([3.4e38]))
        ((), ())
    """
    first, second = _numbers(low), _numbers(high)
    if not any(map(math.isfinite, (*first, *second))):
        return (), ()
    return first, second


def _numbers(values: Array) -> Numbers:
    # str() of a float32 is its shortest form: -0.07, not -0.07000000029802322.
    numbers = [float(str(value)) for value in np.ravel(values)]
    return tuple(
        n if abs(n) < _UNBOUNDED else math.copysign(math.inf, n) for n in numbers
    )


def _documented(
    space: spaces.Box, whole: Field, table: ObsTable | None, documents: Documents
) -> Described:
    """Split a vector as its table says, if the table fits it."""
    size = space.shape[0]
    parts = {} if documents.structure is None else dict(documents.structure)
    structured = whole.source == "obs" and bool(parts)
    if table is None or (size > BIG and not structured):
        return Described((whole,))
    rows = _layout(table, size, parts if structured else {})
    if rows is None:
        return Described(
            (whole,),
            (
                f"{whole.source} stays one field: the docstring's table does not fit "
                f"its {size} entries.",
            ),
        )
    return Described(tuple(_row(row, space, whole.source, documents) for row in rows))


def _layout(
    table: ObsTable, size: int, parts: Mapping[str, int]
) -> tuple[Row, ...] | None:
    """Return rows that fill ``size`` entries, or None if that would be a guess."""
    if table.size == size:
        return table.rows
    body = parts.get("qpos", 0) + parts.get("qvel", 0)
    tail = {name: parts[name] for name in _PARTS if parts.get(name)}
    if not parts or body + sum(tail.values()) != size:
        return None
    rows = table.rows
    if table.size + len(table.excluded) == body and parts.get("skipped_qpos") == 0:
        # The option puts the skipped coordinates, the model's first, in front.
        rows = _in_order((*table.excluded, *rows))
    elif table.size != body:
        return None
    last = tuple(Row(0, count, name) for name, count in tail.items())
    return _in_order((*rows, *last))


def _in_order(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    starts = np.cumsum([0, *(row.size for row in rows)])
    return tuple(
        replace(row, start=int(start)) for row, start in zip(rows, starts, strict=False)
    )


def _row(row: Row, space: spaces.Box, source: str, documents: Documents) -> Field:
    stop = row.start + row.size
    low, high = bounds(space.low[row.start : stop], space.high[row.start : stop])
    moving = "velocity" in row.text.lower()
    proof = row.element in documents.joints and row.unit in ("m", "rad") and not moving
    return Field(
        identifier(row.text) if row.text in _PARTS else field_name(row.text),
        () if row.size == 1 else (row.size,),
        _dtype(space.dtype),
        unit=row.unit,
        meaning=_PARTS.get(row.text, f"{row.text[:1].upper()}{row.text[1:]}."),
        source=f"{source}[{row.start}]"
        if row.size == 1
        else f"{source}[{row.start}:{stop}]",
        check=f"joint.{row.element}.qpos" if proof else "",
        low=low,
        high=high,
    )


def action_field(space: spaces.Space[Any], meanings: tuple[str, ...] = ()) -> Field:
    """Describe an action space.

    Raises:
        TaskSpecError: The space is none of Box, Discrete, MultiDiscrete, MultiBinary.

    Example:
        >>> action_field(spaces.Discrete(2), ("left", "right")).meaning
        '0: left; 1: right.'
    """
    found = _value(space, Field(ACTION, source="obs"))
    if found is None:
        raise TaskSpecError(
            f"The action space {space} is a {type(space).__name__}; expected Box, "
            "Discrete, MultiDiscrete or MultiBinary. Wrap the environment so that it "
            "takes one of them (gymnasium.wrappers.TransformAction)."
        )
    count = space.n if isinstance(space, spaces.Discrete) else found.size
    if len(meanings) != count:
        return found
    text = "; ".join(f"{index}: {word}" for index, word in enumerate(meanings))
    return replace(found, meaning=f"{text}.")
