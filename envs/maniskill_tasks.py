"""What is known about ManiSkill's table-top tasks: words, thresholds, and fields."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.envs.maniskill_fields import (
    CUBE_SIZE,
    PEG_SIZE,
    STATIC,
    Fields,
    body,
    grasped,
    pose,
    position,
    region,
    size,
)
from reward_synth.task import Field


@dataclass(frozen=True, slots=True)
class Known:
    """One task of the table."""

    instruction: str
    """What is to be done, in words."""
    success: str
    """When ``info["success"]`` is true, in words and numbers."""
    horizon: int
    """Steps an episode."""
    fields: Fields
    """Without those of the robot, which all tasks share."""
    info_keys: tuple[str, ...] = ()
    """Keys of ``info`` besides ``elapsed_steps`` and ``success``."""
    dense: bool = True
    """True if ManiSkill has a dense reward for it."""
    speed: float = 2.0
    """How much faster than planned by default demonstrations move; more loses
    grasps."""
    notes: tuple[str, ...] = ()
    """What differs from ManiSkill's own description."""


_CUBE = "the cube"
_PEG = "the peg (its long axis is x, its head at +x)"
_HOLDING_STILL = "and every arm joint speed |qvel[0:7]| <= 0.2 rad/s"
_FLAT = "the distance of cube_pos[0:2] and goal_pos[0:2]"

TASKS: dict[str, Known] = {
    "PickCube-v1": Known(
        "Grasp the red cube, move it to the goal position in the air, and hold still "
        "there.",
        f"the distance of cube_pos and goal_pos is <= 0.025 m {_HOLDING_STILL}; "
        "grasping is not required",
        50,
        (
            *body("cube", "cube", _CUBE, "obj_pose"),
            position("goal_pos", "goal_site.pose.p", "goal for the cube", "goal_pos"),
            size("goal_radius", "goal_thresh", "success distance (0.025)"),
            CUBE_SIZE,
            grasped("cube", "the cube", "is_grasped"),
            STATIC,
        ),
        ("is_obj_placed", "is_robot_static", "is_grasped"),
    ),
    "PushCube-v1": Known(
        "Push the cube away from the robot (along +x) into the goal region.",
        f"{_FLAT} is < 0.1 m and cube_pos[2] < 0.025 m",
        50,
        (
            *body("cube", "obj", _CUBE, "obj_pose"),
            *region("0.1"),
            CUBE_SIZE,
            grasped("obj", "the cube"),
        ),
    ),
    "PullCube-v1": Known(
        "Pull the cube towards the robot (along -x) into the goal region.",
        f"{_FLAT} is < 0.1 m",
        50,
        (
            *body("cube", "obj", _CUBE, "obj_pose"),
            *region("0.1"),
            CUBE_SIZE,
            grasped("obj", "the cube"),
        ),
    ),
    "StackCube-v1": Known(
        "Pick up the red cube (A), stack it on the green cube (B), and let go of it.",
        "the distance of cube_a_pos[0:2] and cube_b_pos[0:2] is <= 0.0333 m, "
        "|cube_a_pos[2] - cube_b_pos[2] - 0.04| <= 0.005 m, cube A is at rest (<= 0.01 "
        "m/s and <= 0.5 rad/s), and it is not grasped",
        50,
        (
            *body("cube_a", "cubeA", "the red cube A", "cubeA_pose"),
            *body("cube_b", "cubeB", "the green cube B", "cubeB_pose"),
            size("cube_half_size", "cube_half_size", "half edges (0.02 each)", 3),
            grasped("cubeA", "cube A"),
        ),
        ("is_cubeA_grasped", "is_cubeA_on_cubeB", "is_cubeA_static"),
    ),
    "LiftPegUpright-v1": Known(
        "Lift the peg that lies on the table and stand it upright on the table.",
        "the peg's x axis is vertical within 0.08 rad, either end up, and "
        "|peg_pos[2] - 0.12| < 0.005 m; it may still be held or moving",
        50,
        (
            *body("peg", "peg", _PEG, "obj_pose"),
            *PEG_SIZE,
            grasped("peg", "the peg"),
        ),
    ),
    "PegInsertionSide-v1": Known(
        "Pick up the peg and insert its orange head into the hole in the side of the "
        "box.",
        "with h the peg's head in the frame of the hole: h[0] >= -0.015 m, "
        "|h[1]| <= hole_radius and |h[2]| <= hole_radius",
        100,
        (
            *body("peg", "peg", _PEG, "peg_pose"),
            position("peg_head_pos", "peg_head_pose.p", "position of the peg's head"),
            position("peg_half_size", "peg_half_sizes", "half sizes", "peg_half_size"),
            *pose("hole", "box_hole_pose", "the hole; x leads in", "box_hole_pose"),
            Field(
                "hole_radius",
                unit="m",
                meaning="half width of the square hole, 0.003 more than the peg's",
                source="sim.box_hole_radii",
                check="obs.extra.box_hole_radius",
            ),
            position("box_pos", "box.pose.p", "position of the box"),
            position("goal_pos", "goal_pose.p", "peg_pos when fully inserted"),
            grasped("peg", "the peg"),
        ),
        ("peg_head_pos_at_hole",),
        speed=1.0,
        notes=("Sizes of peg and hole differ between episodes.",),
    ),
    "RollBall-v1": Known(
        "Hit the ball so that it rolls into the goal region at the other end of the "
        "table.",
        "the distance of ball_pos[0:2] and goal_pos[0:2] is < 0.1 m at any step; the "
        "ball may be moving",
        80,
        (
            *body("ball", "ball", "the ball", "ball_pose", "ball_vel"),
            *region("0.1"),
            size("ball_radius", "ball_radius", "radius of the ball (0.035)"),
            grasped("ball", "the ball"),
        ),
    ),
    "PokeCube-v1": Known(
        "Grasp the peg and poke the red cube with its head, so that the cube moves into "
        "the goal region.",
        f"{_FLAT} is < 0.05 m {_HOLDING_STILL}; using the peg is not checked",
        50,
        (
            *body("cube", "cube", _CUBE, "cube_pose"),
            *body("peg", "peg", _PEG, "peg_pose"),
            position("peg_head_pos", "peg_head_pose.p", "position of the peg's head"),
            *PEG_SIZE,
            # goal_pos of ManiSkill's observation holds the peg's position
            *region("0.05", seen=""),
            CUBE_SIZE,
            grasped("peg", "the peg"),
            STATIC,
        ),
        (
            "is_cube_placed",
            "is_peg_cube_fit",
            "is_peg_grasped",
            "angle_diff",
            "head_to_cube_dist",
        ),
        notes=(
            "ManiSkill's observation 'goal_pos' holds the peg's position; the field "
            "goal_pos is the true goal, which the agent sees as 'cube_to_goal_pos'.",
        ),
    ),
    "PlugCharger-v1": Known(
        "Pick up the charger and plug it into the receptacle.",
        "the distance of charger_pos and goal_pos is <= 0.005 m and charger_quat is "
        "within 0.2 rad of goal_quat",
        200,
        (
            *body("charger", "charger", "the charger; prongs at +x", "charger_pose"),
            position(
                "charger_base_pos", "charger_base_pose.p", "the base, where to grasp"
            ),
            size("charger_base_half_size", "_base_size", "half sizes of the base", 3),
            *pose("receptacle", "receptacle.pose", "the receptacle", "receptacle_pose"),
            *pose("goal", "goal_pose", "the charger when plugged in", "goal_pose"),
            grasped("charger", "the charger"),
        ),
        ("obj_to_goal_dist", "obj_to_goal_angle"),
        dense=False,
    ),
}
"""The tasks that this library describes; the first is the default."""
