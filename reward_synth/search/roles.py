"""Finds out from a task's fields what a reward could be made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reward_synth.task import Field, TaskSpec

_GOAL = ("goal", "target", "desired", "hole", "receptacle")
_AGENT = ("tcp", "hand", "gripper", "fingertip", "end_effector", "ee", "achieved")
_POSITION_UNITS = ("m", "metre", "metres", "position (m)")
_LIMIT = re.compile(r"^(\w+)(?:\[(\d+)\])?\s*(>=|>|<=|<)\s*(-?\d+\.?\d*(?:e-?\d+)?)$")


@dataclass(frozen=True, slots=True)
class Limit:
    """One scalar condition of the success rule: ``value >= bound`` or ``<=``."""

    text: str
    """How a program writes the value, for example ``torso_pos[0]``."""
    field: str
    above: bool
    bound: float
    span: float
    """Typical distance from the bound, to scale with."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What a reward could be made of."""

    agents: tuple[str, ...]
    """Positions of the part of the robot that acts."""
    objects: tuple[str, ...]
    """Positions of things to be moved."""
    goals: tuple[str, ...]
    """Positions to reach."""
    grasps: tuple[str, ...]
    """Truth values that say that something is held."""
    speeds: tuple[tuple[str, float], ...]
    """Scalar velocities with their largest seen size."""
    rates: tuple[str, ...]
    """Velocity vectors."""
    turns: tuple[tuple[str, str], ...]
    """Pairs of quaternions (wxyz): of a thing, of its goal."""
    limits: tuple[Limit, ...]
    """Conditions of the success rule."""
    action_size: int
    """Entries of the action; 0 if it is discrete."""


def find_roles(task: TaskSpec) -> Roles:
    """Sort the fields of ``task`` by the role that they can play in a reward.

    Example:
        >>> from reward_synth.task import Field, TaskSpec
        >>> task = TaskSpec("T", "go", (Field("tcp_pos", (3,), unit="m"),
        ...     Field("goal_pos", (3,), unit="m")), Field("action", (4,)))
        >>> roles = find_roles(task)
        >>> roles.agents, roles.objects, roles.goals
        (('tcp_pos',), (), ('goal_pos',))
    """
    positions = _of_one_shape([item for item in task.fields if _is_position(item)])
    goals = [item.name for item in positions if _has(item.name, _GOAL)]
    agents = [
        item.name
        for item in positions
        if _has(item.name, _AGENT) and item.name not in goals
    ]
    objects = [item.name for item in positions if item.name not in goals + agents]
    if not agents and goals:  # a point robot is its own hand
        agents, objects = objects, []
    limits = _strictest(_limits(task))
    return Roles(
        tuple(agents),
        tuple(objects),
        tuple(goals),
        tuple(i.name for i in task.fields if i.dtype == "bool" and "grasp" in i.name),
        tuple(_speeds(task)),
        tuple(i.name for i in task.fields if _is_rate(i) and len(i.shape) == 1),
        tuple(_turns(task)),
        limits,
        task.action.size if task.action.dtype == "float" else 0,
    )


def _of_one_shape(positions: list[Field]) -> list[Field]:
    """Keep positions whose distances can be taken: those in the space of the goal."""
    first = sorted(positions, key=lambda item: not _has(item.name, _GOAL))[:1]
    return [item for item in positions if item.shape == first[0].shape]


def _has(name: str, words: Iterable[str]) -> bool:
    parts = name.split("_")
    return any(word in parts or (len(word) > 2 and word in name) for word in words)  # noqa: PLR2004


def _is_position(item: Field) -> bool:
    if item.dtype != "float" or item.shape not in ((2,), (3,)):
        return False
    if _is_rate(item) or "size" in item.name:
        return False
    return item.unit in _POSITION_UNITS or item.name.endswith(("_pos", "_goal"))


def _is_rate(item: Field) -> bool:
    return item.unit.endswith("/s") or "vel" in item.name


def _speeds(task: TaskSpec) -> Iterable[tuple[str, float]]:
    for item in task.fields:
        low, high = item.range
        if _is_rate(item) and not item.shape and low:
            size = max(abs(low[0]), abs(high[0]))
            if size > 0.0:
                yield item.name, size


def _turns(task: TaskSpec) -> Iterable[tuple[str, str]]:
    quats = [i.name for i in task.fields if i.shape == (4,) and "quat" in i.name]
    goals = [name for name in quats if _has(name, _GOAL)]
    for goal in goals:
        for name in quats:
            if name not in goals and not _has(name, _AGENT):
                yield name, goal


def _limits(task: TaskSpec) -> Iterable[Limit]:
    if task.success is None:
        return
    for part in re.split(r"\band\b", task.success.rule):
        match = _LIMIT.match(part.strip())
        if match is None:
            continue
        name, index, sign, bound = match.groups()
        known = [item for item in task.fields if item.name == name]
        if not known or not _is_scalar(known[0], index):
            continue
        text = name if index is None else f"{name}[{index}]"
        entry = int(index or 0)
        span = _span(known[0], entry, float(bound))
        yield Limit(text, name, sign.startswith(">"), float(bound), span)


def _is_scalar(item: Field, index: str | None) -> bool:
    if index is None:
        return not item.shape
    return len(item.shape) == 1 and int(index) < item.size


def _strictest(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """Keep one lower and one upper limit of each value."""
    kept: dict[tuple[str, bool], Limit] = {}
    for limit in limits:
        old = kept.get((limit.text, limit.above))
        if old is None or (limit.bound > old.bound) == limit.above:
            kept[limit.text, limit.above] = limit
    return tuple(kept.values())


def _span(item: Field, entry: int, bound: float) -> float:
    low, high = item.range
    if not low:
        return max(1.0, abs(bound))
    return max(abs(bound - low[entry]), abs(high[entry] - bound), 1e-6)
