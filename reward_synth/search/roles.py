"""Finds out from a task's fields what a reward could be made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reward_synth.search.conditions import Limit, all_limits, plain_limits
from reward_synth.task import Field, TaskSpec

_GOAL = ("goal", "target", "desired", "hole", "receptacle")
_AGENT = ("tcp", "hand", "gripper", "fingertip", "end_effector", "ee", "achieved")
_POSITION_UNITS = ("m", "metre", "metres", "position (m)")


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
    roles = Roles(
        tuple(agents),
        tuple(objects),
        tuple(goals),
        tuple(i.name for i in task.fields if i.dtype == "bool" and "grasp" in i.name),
        tuple(_speeds(task)),
        tuple(i.name for i in task.fields if _is_rate(i) and len(i.shape) == 1),
        tuple(_turns(task)),
        plain_limits(task),
        task.action.size if task.action.dtype == "float" else 0,
    )
    return roles if _is_something(roles) else replace(roles, limits=all_limits(task))


def _is_something(roles: Roles) -> bool:
    """Tell whether a term can be made of them.

    Distances say more than the conditions on them do, and do not need these beside.
    """
    pairs = roles.goals and (roles.agents or roles.objects)
    reach = roles.agents and roles.objects
    return bool(pairs or reach or roles.turns or roles.limits or roles.speeds)


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
