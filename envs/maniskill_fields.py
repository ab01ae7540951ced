"""Fields of ManiSkill's table-top tasks: what they have in common.

Every ``source`` is a place in the simulator, so fields can be read in any observation
mode; ``check`` is the same quantity in the ``state_dict`` observation. A field without
one is not in the observation, so it is ``train_only``.
"""

from __future__ import annotations

from reward_synth.task import Field

Fields = tuple[Field, ...]
_QUATERNION = "quaternion (w, x, y, z)"


def size(name: str, sim: str, meaning: str, *shape: int) -> Field:
    """A length that is fixed within an episode."""
    return Field(name, shape, "float", "m", meaning, f"sim.{sim}", train_only=True)


def position(name: str, sim: str, meaning: str, seen: str = "") -> Field:
    """Three coordinates; ``seen`` is their place in the observation's ``extra``."""
    check = f"obs.extra.{seen}" if seen else ""
    return Field(
        name, (3,), "float", "m", meaning, f"sim.{sim}", check, train_only=not seen
    )


def pose(name: str, sim: str, what: str, seen: str = "") -> Fields:
    """``<name>_pos`` and ``<name>_quat`` of a pose in the simulator."""
    check = f"obs.extra.{seen}[3:7]" if seen else ""
    return (
        position(
            f"{name}_pos", f"{sim}.p", f"position of {what}", seen and f"{seen}[0:3]"
        ),
        Field(
            f"{name}_quat",
            (4,),
            unit=_QUATERNION,
            meaning=f"orientation of {what}",
            source=f"sim.{sim}.q",
            check=check,
            train_only=not seen,
        ),
    )


def velocity(name: str, sim: str, what: str, seen: str = "") -> Fields:
    """``<name>_vel`` and ``<name>_angvel`` of a body."""
    check = f"obs.extra.{seen}" if seen else ""
    linear = Field(
        f"{name}_vel",
        (3,),
        unit="m/s",
        meaning=f"linear velocity of {what}",
        source=f"sim.{sim}.linear_velocity",
        check=check,
        train_only=not seen,
    )
    angular = Field(
        f"{name}_angvel",
        (3,),
        unit="rad/s",
        meaning=f"angular velocity of {what}",
        source=f"sim.{sim}.angular_velocity",
        train_only=True,
    )
    return linear, angular


def body(name: str, sim: str, what: str, seen: str, speed: str = "") -> Fields:
    """Pose and velocity of a body."""
    moving = velocity(name, sim, what, speed)
    return (*pose(name, f"{sim}.pose", what, seen), *moving)


def grasped(sim: str, what: str, seen: str = "") -> Field:
    """Whether the gripper holds the object at ``sim``; can be read at reset too."""
    return Field(
        "is_grasped",
        dtype="bool",
        meaning=f"both fingers press on {what} with at least 0.5 N each, within 85 "
        "degrees of the closing direction",
        source=f"sim.agent.is_grasping({sim})",
        check=f"obs.extra.{seen}" if seen else "",
        train_only=not seen,
    )


def region(radius: str, seen: str = "goal_pos") -> Fields:
    """Middle and radius of a goal region on the table."""
    middle = "position of the middle of the goal region, a disc on the table"
    return (
        position("goal_pos", "goal_region.pose.p", middle, seen),
        size("goal_radius", "goal_radius", f"radius of the goal region ({radius})"),
    )


STATIC = Field(
    "is_robot_static",
    dtype="bool",
    meaning="no arm joint is faster than 0.2 rad/s",
    source="sim.agent.is_static()",
    train_only=True,
)
CUBE_SIZE = size("cube_half_size", "cube_half_size", "half edge of the cube (0.02)")
PEG_SIZE = (
    size("peg_half_length", "peg_half_length", "half length of the peg (0.12)"),
    size("peg_half_width", "peg_half_width", "half width of the peg (0.025)"),
)
_TCP = "the tool centre point, midway between the fingertips"
ROBOT: Fields = (
    *pose("tcp", "agent.tcp.pose", _TCP, "tcp_pose"),
    *velocity("tcp", "agent.tcp", "the tool centre point"),
    Field(
        "qpos",
        (9,),
        unit="rad, m",
        meaning="positions of 7 arm joints, then 2 fingers (0 closed, 0.04 open)",
        source="sim.agent.robot.qpos",
        check="obs.agent.qpos",
    ),
    Field(
        "qvel",
        (9,),
        unit="rad/s, m/s",
        meaning="velocities of 7 arm joints, then 2 fingers",
        source="sim.agent.robot.qvel",
        check="obs.agent.qvel",
    ),
)
"""Fields of every task with the Panda arm."""
