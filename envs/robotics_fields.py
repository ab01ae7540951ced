"""Fields of Gymnasium-Robotics: what the numbers of the observations mean.

The packages' own tables call speeds per step (the simulator's, times 0.04 s) speeds per
second, and some differences by the wrong sign; these are what the simulator says.
"""

from __future__ import annotations

from reward_synth.task import Field

Fields = tuple[Field, ...]
_VECTOR = "obs.observation"
_QUATERNION = "quaternion (w, x, y, z)"


def part(
    name: str,
    first: int,
    size: int,
    unit: str,
    meaning: str,
    check: str = "",
    *,
    of: str = _VECTOR,
) -> Field:
    """Return ``size`` entries of an observation as one field; 0: a single number.

    Example:
        >>> part("grip_pos", 0, 3, "m", "the gripper").source
        'obs.observation[0:3]'
        >>> part("door_angle", 28, 0, "rad", "the door", of="obs").source
        'obs[28]'
    """
    index = f"[{first}:{first + size}]" if size else f"[{first}]"
    shape = (size,) if size else ()
    return Field(name, shape, "float", unit, meaning, f"{of}{index}", check)


def place(name: str, meaning: str, source: str) -> Field:
    """Return a position that only the simulator holds."""
    return Field(name, (3,), "float", "m", meaning, source, train_only=True)


def vector(name: str, size: int, unit: str, meaning: str, check: str = "") -> Field:
    """Return a whole entry of a Dict observation."""
    return Field(name, (size,), "float", unit, meaning, f"obs.{name}", check)


def goals(size: int, achieved: str, desired: str) -> Fields:
    """Return ``achieved_goal`` and ``desired_goal``, which the agent sees.

    Example:
        >>> [item.source for item in goals(3, "the block", "its goal")]
        ['obs.achieved_goal', 'obs.desired_goal']
    """
    return (
        vector("achieved_goal", size, "m", achieved),
        vector("desired_goal", size, "m", desired, "sim.goal"),
    )


_GRIPPER = "site.robot0:grip.xpos"
_FINGERS = "of the right, then the left finger"
REACH: Fields = (
    *goals(3, "position of the gripper", "where the gripper is to be"),
    part("grip_pos", 0, 3, "m", "position of the gripper", _GRIPPER),
    part("gripper_state", 3, 2, "m", f"opening {_FINGERS}"),
    part("grip_velp", 5, 3, "m/step", "velocity of the gripper, a step of 0.04 s"),
    part("gripper_vel", 8, 2, "m/step", f"velocity {_FINGERS}"),
)
"""Of FetchReach."""
OBJECT: Fields = (
    *goals(3, "position of the object", "where the object is to be"),
    part("grip_pos", 0, 3, "m", "position of the gripper", _GRIPPER),
    part("object_pos", 3, 3, "m", "position of the object", "site.object0.xpos"),
    part("object_rel_pos", 6, 3, "m", "object_pos minus grip_pos"),
    part("gripper_state", 9, 2, "m", f"opening {_FINGERS}"),
    part("object_rot", 11, 3, "rad", "orientation of the object, Euler angles x, y, z"),
    part(
        "object_velp",
        14,
        3,
        "m/step",
        "velocity of the object relative to the gripper's, a step of 0.04 s",
    ),
    part("object_velr", 17, 3, "rad/step", "angular velocity of the object"),
    part("grip_velp", 20, 3, "m/step", "velocity of the gripper, a step of 0.04 s"),
    part("gripper_vel", 23, 2, "m/step", f"velocity {_FINGERS}"),
)
"""Of the other Fetch tasks."""

_DIGITS = (
    ("wrist", 2),
    ("forefinger", 4),
    ("middle_finger", 4),
    ("ring_finger", 4),
    ("little_finger", 5),
    ("thumb", 5),
)
"""The hand's 24 joints, in their order."""
_TIPS = ("ff", "mf", "rf", "lf", "th")


def _joints(first: int, ending: str, unit: str, what: str, of: str) -> Fields:
    """Return one field a digit for 24 joints."""
    found = []
    for name, count in _DIGITS:
        words = f"{what} of the joints of the {name.replace('_', ' ')}, from its base"
        found.append(part(f"{name}_joint_{ending}", first, count, unit, words, of=of))
        first += count
    return tuple(found)


_HAND: Fields = (
    *_joints(0, "pos", "rad", "angles", _VECTOR),
    *_joints(24, "vel", "rad/s", "angular velocities", _VECTOR),
)
HAND_REACH: Fields = (
    *goals(
        15,
        "positions of the tips of forefinger, middle, ring and little finger, thumb",
        "where these tips are to be, in the same order",
    ),
    *_HAND,
    *(
        part(
            f"{digit}_tip_pos",
            48 + 3 * number,
            3,
            "m",
            f"position of the tip of the {digit.replace('_', ' ')}",
            f"site.robot0:S_{_TIPS[number]}tip.xpos",
        )
        for number, (digit, _) in enumerate(_DIGITS[1:])
    ),
)
"""Of HandReach."""
HAND_MANIPULATE: Fields = (
    vector("achieved_goal", 7, "", "object_pos, then object_quat"),
    vector("desired_goal", 7, "", "goal_pos, then goal_quat", "sim.goal"),
    part("goal_pos", 0, 3, "m", "where the object is to be", of="obs.desired_goal"),
    part(
        "goal_quat",
        3,
        4,
        _QUATERNION,
        "how the object is to be turned",
        of="obs.desired_goal",
    ),
    *_HAND,
    part("object_velp", 48, 3, "m/s", "velocity of the object"),
    part(
        "object_velr", 51, 3, "rad/s", "angular velocity of the object, in its own axes"
    ),
    part(
        "object_pos",
        54,
        3,
        "m",
        "position of the object",
        "joint.object:joint.qpos[0:3]",
    ),
    part(
        "object_quat",
        57,
        4,
        _QUATERNION,
        "orientation of the object",
        "joint.object:joint.qpos[3:7]",
    ),
)
"""Of HandManipulateBlock, HandManipulateEgg and HandManipulatePen."""


def _arm(count: int, what: str, first: int) -> Fields:
    arm = part("arm_joint_pos", first, count, "rad", what, of="obs")
    return (arm, *_joints(first + count, "pos", "rad", "angles", "obs"))


_GRASP = "site.S_grasp.xpos"
_PALM = "position of the palm's middle"
DOOR: Fields = (
    *_arm(3, "turn of the arm about x, y, z", 0),
    part(
        "latch_angle", 27, 0, "rad", "turn of the latch", "joint.latch.qpos", of="obs"
    ),
    part(
        "door_angle",
        28,
        0,
        "rad",
        "turn of the door, 0 shut",
        "joint.door_hinge.qpos",
        of="obs",
    ),
    part("palm_pos", 29, 3, "m", _PALM, _GRASP, of="obs"),
    part(
        "handle_pos",
        32,
        3,
        "m",
        "position of the handle",
        "site.S_handle.xpos",
        of="obs",
    ),
    part("palm_rel_pos", 35, 3, "m", "palm_pos minus handle_pos", of="obs"),
    part("door_open", 38, 0, "", "1 if door_angle > 1, else -1", of="obs"),
)
"""Of AdroitHandDoor."""
HAMMER: Fields = (
    *_arm(2, "turn of the arm about x, y", 0),
    part(
        "nail_depth",
        26,
        0,
        "m",
        "how far the nail is in",
        "joint.nail_dir.qpos",
        of="obs",
    ),
    part("hammer_vel", 27, 3, "m/s", "velocity of the hammer, cut at 1", of="obs"),
    part("hammer_velr", 30, 3, "rad/s", "its angular velocity, cut at 1", of="obs"),
    part("palm_pos", 33, 3, "m", _PALM, _GRASP, of="obs"),
    part(
        "hammer_pos", 36, 3, "m", "position of the hammer", "body.Object.xpos", of="obs"
    ),
    part("hammer_rot", 39, 3, "rad", "its orientation, Euler angles x, y, z", of="obs"),
    part(
        "nail_pos",
        42,
        3,
        "m",
        "position of the nail's head",
        "site.S_target.xpos",
        of="obs",
    ),
    part("nail_impact", 45, 0, "N", "force on the nail, cut at 1", of="obs"),
    place("hammer_head_pos", "position of the hammer's head", "site.tool.xpos"),
    place("nail_goal_pos", "where the nail's head is to be", "site.nail_goal.xpos"),
)
"""Of AdroitHandHammer."""
PEN: Fields = (
    *_joints(0, "pos", "rad", "angles", "obs"),
    part("pen_pos", 24, 3, "m", "position of the pen", "body.Object.xpos", of="obs"),
    part("pen_vel", 27, 3, "m/s", "velocity of the pen", of="obs"),
    part("pen_velr", 30, 3, "rad/s", "angular velocity of the pen", of="obs"),
    part("pen_dir", 33, 3, "", "direction of the pen, of length 1", of="obs"),
    part("goal_dir", 36, 3, "", "direction it is to have, of length 1", of="obs"),
    part("pen_rel_pos", 39, 3, "m", "pen_pos minus where it is to be", of="obs"),
    part("pen_rel_dir", 42, 3, "", "pen_dir minus goal_dir", of="obs"),
)
"""Of AdroitHandPen."""
RELOCATE: Fields = (
    part("arm_pos", 0, 3, "m", "shift of the arm along x, y, z", of="obs"),
    *_arm(3, "turn of the arm about x, y, z", 3),
    part("ball_to_palm", 30, 3, "m", "palm_pos minus ball_pos", of="obs"),
    part("goal_to_palm", 33, 3, "m", "palm_pos minus goal_pos", of="obs"),
    part("goal_to_ball", 36, 3, "m", "ball_pos minus goal_pos", of="obs"),
    place("palm_pos", _PALM, _GRASP),
    place("ball_pos", "position of the ball", "body.Object.xpos"),
    place("goal_pos", "where the ball is to be", "site.target.xpos"),
)
"""Of AdroitHandRelocate."""
POINT: Fields = (
    *goals(2, "position of the ball, x and y", "where the ball is to be"),
    part("ball_pos", 0, 2, "m", "position of the ball, x and y"),
    part("ball_vel", 2, 2, "m/s", "velocity of the ball, x and y"),
)
"""Of PointMaze."""
ANT: Fields = (
    *goals(2, "position of the torso, x and y", "where the torso is to be"),
    part("torso_height", 0, 0, "m", "height of the torso"),
    part("torso_quat", 1, 4, _QUATERNION, "orientation of the torso"),
    part("leg_joint_pos", 5, 8, "rad", "angles of hip and ankle of each leg"),
    part("torso_vel", 13, 3, "m/s", "velocity of the torso"),
    part(
        "torso_velr", 16, 3, "rad/s", "angular velocity of the torso, in its own axes"
    ),
    part("leg_joint_vel", 19, 8, "rad/s", "angular velocities of hips and ankles"),
)
"""Of AntMaze."""
FORCES = part(
    "cfrc_ext", 27, 78, "", "external force and torque on each body, cut at 1"
)
"""Of AntMaze from version 5 on."""
