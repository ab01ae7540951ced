"""Fields of Meta-World's tasks: what the 39 numbers of the observation mean.

``obs[0:18]`` is the state, ``obs[18:36]`` the state one step before, ``obs[36:39]`` the
goal. Each task has one or two objects; :func:`thing` names what its task puts there.
"""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.task import Field

Fields = tuple[Field, ...]
_START = (4, 11)
"""Where the first and the second object begin."""
_CHECKED = ("body", "site")
"""Places that a field's ``check`` can read; geoms it cannot."""


@dataclass(frozen=True, slots=True)
class Known:
    """One task of the table."""

    instruction: str
    """What is to be done, in words."""
    rule: str
    """When ``info["success"]`` is true, over fields where they tell it."""
    fields: Fields
    """Without those of the robot, which all tasks share."""
    exact: bool = True
    """False if ``rule`` is words, since no fields tell it."""


def place(name: str, meaning: str, source: str) -> Field:
    """Return a position that only the simulator holds."""
    return Field(name, (3,), "float", "m", meaning, source, train_only=True)


def angle(name: str, meaning: str, joint: str, unit: str = "rad") -> Field:
    """Return the position of a hinge or slide, which only the simulator holds."""
    source = f"joint.{joint}.qpos[0]"
    return Field(name, (), "float", unit, meaning, source, train_only=True)


def thing(
    name: str, what: str, at: str = "", turn: str = "", order: str = "", number: int = 0
) -> Fields:
    """Return ``<name>_pos`` and, where it can turn, ``<name>_quat`` of an object.

    Args:
        name: Begins the names of the fields.
        what: The object, in words.
        at: Where the simulator holds the same position, such as ``body.obj``; empty if
            it holds it nowhere.
        turn: Where it holds the orientation; empty: the task writes zeros or a constant
            there, and the field is left out.
        order: ``wxyz`` or ``xyzw``: Meta-World's tasks differ.
        number: 0 for the first object, 1 for the second.

    Example:
        >>> [item.source for item in thing("puck", "the puck", "body.obj")]
        ['obs[4:7]']
        >>> thing("puck", "the puck", "body.obj", "body.obj", "xyzw")[1].unit
        'quaternion (x, y, z, w)'
    """
    first = _START[number]
    check = f"{at}.xpos" if at.split(".", maxsplit=1)[0] in _CHECKED else ""
    spot = Field(
        f"{name}_pos",
        (3,),
        unit="m",
        meaning=f"position of {what}",
        source=f"obs[{first}:{first + 3}]",
        check=check,
    )
    if not turn:
        return (spot,)
    exact = order == "wxyz" and turn.startswith("body.")
    orientation = Field(
        f"{name}_quat",
        (4,),
        unit=f"quaternion ({', '.join(order)})",
        meaning=f"orientation of {what}",
        source=f"obs[{first + 3}:{first + 7}]",
        check=f"{turn}.xquat" if exact else "",
    )
    return spot, orientation


def goal(meaning: str) -> Field:
    """Return the goal's position, which the agent sees.

    Example:
        >>> goal("where the puck is to be").source
        'obs[36:39]'
    """
    return Field(
        "goal_pos",
        (3,),
        unit="m",
        meaning=meaning,
        source="obs[36:39]",
        check="sim._target_pos",
    )


GRASPED = Field(
    "is_grasped",
    dtype="bool",
    meaning="both finger pads press on the object",
    source="sim.touching_main_object",
    train_only=True,
)
"""Only where the object's geom has the name that Meta-World looks for."""
ROBOT: Fields = (
    Field(
        "hand_pos",
        (3,),
        unit="m",
        meaning="position of the hand, above the fingers",
        source="obs[0:3]",
        check="body.hand.xpos",
    ),
    Field(
        "gripper_opening",
        meaning="distance of the fingers over 0.1 m, at most 1 (open)",
        source="obs[3]",
    ),
    place("tcp_pos", "midway between the fingertips", "sim.tcp_center"),
    place("left_pad_pos", "position of the left finger's pad", "body.leftpad.xpos"),
    place("right_pad_pos", "position of the right finger's pad", "body.rightpad.xpos"),
)
"""Fields of every task."""


def near(what: str, radius: float, stretch: tuple[int, int, int] = (1, 1, 1)) -> str:
    """Return the rule that a position is within ``radius`` of the goal.

    Args:
        what: The field of the position.
        radius: In metres.
        stretch: How much x, y and z count.

    Example:
        >>> near("puck_pos", 0.05)
        'np.linalg.norm(puck_pos - goal_pos) <= 0.05'
        >>> near("mug_pos", 0.07, (2, 2, 1))
        'np.linalg.norm((mug_pos - goal_pos) * np.array([2.0, 2.0, 1.0])) <= 0.07'
    """
    offset = f"{what} - goal_pos"
    if stretch != (1, 1, 1):
        weights = ", ".join(f"{number:.1f}" for number in stretch)
        offset = f"({offset}) * np.array([{weights}])"
    return f"np.linalg.norm({offset}) <= {radius:g}"


def level(what: str, axis: int, radius: float) -> str:
    """Return the rule that one coordinate is within ``radius`` of the goal's.

    Example:
        >>> level("handle_pos", 2, 0.02)
        'np.abs(handle_pos[2] - goal_pos[2]) <= 0.02'
    """
    return f"np.abs({what}[{axis}] - goal_pos[{axis}]) <= {radius:g}"
