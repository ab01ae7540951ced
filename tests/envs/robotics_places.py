"""Where the simulators of Gymnasium-Robotics hold what the fields tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reward_synth.reward import Array

FETCH_STEP = 0.04  # 20 substeps of 0.002 s
DIGITS = {
    "wrist": ("WRJ1", "WRJ0"),
    "forefinger": ("FFJ3", "FFJ2", "FFJ1", "FFJ0"),
    "middle_finger": ("MFJ3", "MFJ2", "MFJ1", "MFJ0"),
    "ring_finger": ("RFJ3", "RFJ2", "RFJ1", "RFJ0"),
    "little_finger": ("LFJ4", "LFJ3", "LFJ2", "LFJ1", "LFJ0"),
    "thumb": ("THJ4", "THJ3", "THJ2", "THJ1", "THJ0"),
}
Place = Callable[[Any], Any]
"""``unwrapped environment -> what a field must hold``."""


def _site(name: str) -> Place:
    return lambda base: base.data.site(name).xpos


def _body(name: str) -> Place:
    return lambda base: base.data.body(name).xpos


def _qpos(*names: str) -> Place:
    return lambda base: np.concatenate([base.data.joint(n).qpos for n in names])


def _qvel(*names: str) -> Place:
    return lambda base: np.concatenate([base.data.joint(n).qvel for n in names])


def _minus(first: Place, second: Place) -> Place:
    return lambda base: first(base) - second(base)


def _speed(site: str, part: int) -> Place:
    """Velocity of a site over one step: part 0 of the Jacobian is linear, 1 angular."""

    def read(base: Any) -> Array:
        import mujoco

        model, data = base.model, base.data
        jacobian = np.zeros((2, 3, model.nv))
        mujoco.mj_jacSite(model, data, *jacobian, data.site(site).id)
        moved: Array = jacobian[part] @ data.qvel * FETCH_STEP
        return moved

    return read


def _direction(top: str, bottom: str) -> Place:
    def read(base: Any) -> Array:
        along = base.data.site(top).xpos - base.data.site(bottom).xpos
        direct: Array = along / np.linalg.norm(along)
        return direct

    return read


def _angles(matrix: Place) -> Place:
    """Turn about x, then y, then z, each about the turned body's own axes."""
    from scipy.spatial.transform import Rotation

    return lambda base: Rotation.from_matrix(matrix(base).reshape(3, 3)).as_euler("XYZ")


def _hand(prefix: str = "", *, moving: bool = False) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for digit, joints in DIGITS.items():
        names = [prefix + joint for joint in joints]
        found[f"{digit}_joint_pos"] = _qpos(*names)
        if moving:
            found[f"{digit}_joint_vel"] = _qvel(*names)
    return found


GRIP = "robot0:grip"
FINGERS = ("robot0:r_gripper_finger_joint", "robot0:l_gripper_finger_joint")
GRIPPER: dict[str, Place] = {
    "grip_pos": _site(GRIP),
    "gripper_state": _qpos(*FINGERS),
    "grip_velp": _speed(GRIP, 0),
    "gripper_vel": lambda base: _qvel(*FINGERS)(base) * FETCH_STEP,
    "desired_goal": lambda base: base.goal,
}
PUSH: dict[str, Place] = GRIPPER | {
    "achieved_goal": _site("object0"),
    "object_pos": _site("object0"),
    "object_rel_pos": _minus(_site("object0"), _site(GRIP)),
    "object_rot": _angles(lambda base: base.data.site("object0").xmat),
    "object_velp": _minus(_speed("object0", 0), _speed(GRIP, 0)),
    "object_velr": _speed("object0", 1),
}
FREE = "object:joint"
MANIPULATE: dict[str, Place] = _hand("robot0:", moving=True) | {
    "object_pos": lambda base: _qpos(FREE)(base)[:3],
    "object_quat": lambda base: _qpos(FREE)(base)[3:],
    "object_velp": lambda base: _qvel(FREE)(base)[:3],
    "object_velr": lambda base: _qvel(FREE)(base)[3:],
    "achieved_goal": _qpos(FREE),
    "desired_goal": lambda base: base.goal,
    "goal_pos": lambda base: base.goal[:3],
    "goal_quat": lambda base: base.goal[3:],
}
TIPS = {"forefinger": "ff", "middle_finger": "mf", "ring_finger": "rf"}
TIPS |= {"little_finger": "lf", "thumb": "th"}
PALM, HANDLE = _site("S_grasp"), _site("S_handle")
HINGE = _qpos("door_hinge")
PEN, PEN_GOAL = (
    _direction("object_top", "object_bottom"),
    _direction("target_top", "target_bottom"),
)
BALL, TARGET = _body("Object"), _site("target")
LEGS = [f"{part}_{leg}" for leg in range(1, 5) for part in ("hip", "ankle")]
PLACES: dict[str, dict[str, Place]] = {
    "FetchReach-v4": GRIPPER | {"achieved_goal": _site(GRIP)},
    "FetchPush-v4": PUSH,
    "FetchSlide-v4": PUSH,
    "FetchPickAndPlace-v4": PUSH,
    "HandReach-v3": _hand("robot0:", moving=True)
    | {f"{digit}_tip_pos": _site(f"robot0:S_{s}tip") for digit, s in TIPS.items()}
    | {
        "achieved_goal": lambda base: np.concatenate(
            [_site(f"robot0:S_{short}tip")(base) for short in TIPS.values()]
        ),
        "desired_goal": lambda base: base.goal,
    },
    "HandManipulateBlock-v1": MANIPULATE,
    "HandManipulateEgg-v1": MANIPULATE,
    "HandManipulatePen-v1": MANIPULATE,
    "AdroitHandDoorSparse-v1": _hand()
    | {
        "arm_joint_pos": _qpos("ARRx", "ARRy", "ARRz"),
        "latch_angle": _qpos("latch"),
        "door_angle": HINGE,
        "palm_pos": PALM,
        "handle_pos": HANDLE,
        "palm_rel_pos": _minus(PALM, HANDLE),
        "door_open": lambda base: np.where(HINGE(base) > 1, 1.0, -1.0),
    },
    "AdroitHandHammerSparse-v1": _hand()
    | {
        "arm_joint_pos": _qpos("ARRx", "ARRy"),
        "nail_depth": _qpos("nail_dir"),
        "hammer_vel": lambda base: np.clip(
            _qvel("OBJTx", "OBJTy", "OBJTz")(base), -1, 1
        ),
        "hammer_velr": lambda base: np.clip(
            _qvel("OBJRx", "OBJRy", "OBJRz")(base), -1, 1
        ),
        "palm_pos": PALM,
        "hammer_pos": _body("Object"),
        "hammer_rot": _angles(lambda base: base.data.body("Object").xmat),
        "nail_pos": _site("S_target"),
        "nail_impact": lambda base: np.clip(base.data.sensor("S_nail").data, -1, 1),
        "hammer_head_pos": _site("tool"),
        "nail_goal_pos": _site("nail_goal"),
    },
    "AdroitHandPenSparse-v1": _hand()
    | {
        "pen_pos": _body("Object"),
        "pen_vel": _qvel("OBJTx", "OBJTy", "OBJTz"),
        "pen_velr": _qvel("OBJRx", "OBJRy", "OBJRz"),
        "pen_dir": PEN,
        "goal_dir": PEN_GOAL,
        "pen_rel_pos": _minus(_body("Object"), _site("eps_ball")),
        "pen_rel_dir": _minus(PEN, PEN_GOAL),
    },
    "AdroitHandRelocateSparse-v1": _hand()
    | {
        "arm_pos": _qpos("ARTx", "ARTy", "ARTz"),
        "arm_joint_pos": _qpos("ARRx", "ARRy", "ARRz"),
        "ball_to_palm": _minus(PALM, BALL),
        "goal_to_palm": _minus(PALM, TARGET),
        "goal_to_ball": _minus(BALL, TARGET),
        "palm_pos": PALM,
        "ball_pos": BALL,
        "goal_pos": TARGET,
    },
    "PointMaze_UMaze-v3": {
        "ball_pos": _qpos("ball_x", "ball_y"),
        "ball_vel": _qvel("ball_x", "ball_y"),
        "achieved_goal": _qpos("ball_x", "ball_y"),
        "desired_goal": lambda base: base.goal,
    },
    "AntMaze_UMaze-v5": {
        "achieved_goal": lambda base: _qpos("root")(base)[:2],
        "desired_goal": lambda base: base.goal,
        "torso_height": lambda base: _qpos("root")(base)[2:3],
        "torso_quat": lambda base: _qpos("root")(base)[3:],
        "leg_joint_pos": _qpos(*LEGS),
        "torso_vel": lambda base: _qvel("root")(base)[:3],
        "torso_velr": lambda base: _qvel("root")(base)[3:],
        "leg_joint_vel": _qvel(*LEGS),
        "cfrc_ext": lambda base: np.clip(base.data.cfrc_ext[1:], -1, 1),
    },
}
"""Where the simulator itself holds each field, found by names alone."""
