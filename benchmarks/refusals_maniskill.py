"""Rewards for manipulation tasks in the style of ManiSkill's staged dense rewards.

Written from the tasks' descriptions, as a model writes them: no text is ManiSkill's.
"""

from __future__ import annotations

from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Refusals/ManiSkill-v0",
    "Solve one of several manipulation tasks.",
    (
        Field("tcp_pos", (3,)),
        Field("tcp_quat", (4,)),
        Field("cube_pos", (3,)),
        Field("cube_quat", (4,)),
        Field("cube_vel", (3,)),
        Field("other_pos", (3,)),
        Field("goal_pos", (3,)),
        Field("qpos", (9,)),
        Field("qvel", (9,)),
        Field("gripper_width", ()),
        Field("handle_pos", (3,)),
        Field("joint_angle", ()),
        Field("is_grasped", (), "bool"),
        Field("is_static", (), "bool"),
    ),
    Field("action", (8,)),
)

PROGRAMS: dict[str, str] = {
    "PickCube": '''
import numpy as np

def compute_reward(tcp_pos, cube_pos, goal_pos, qvel, is_grasped, is_static):
    """Reach the cube, grasp it, bring it to the goal and stay still."""
    tcp_to_obj_dist = np.linalg.norm(cube_pos - tcp_pos)
    reaching_reward = 1 - np.tanh(5 * tcp_to_obj_dist)
    reward = reaching_reward

    grasp_reward = 1.0 if is_grasped else 0.0
    obj_to_goal_dist = np.linalg.norm(goal_pos - cube_pos)
    place_reward = (1 - np.tanh(5 * obj_to_goal_dist)) * grasp_reward

    is_placed = obj_to_goal_dist < 0.025
    static_reward = (1 - np.tanh(5 * np.linalg.norm(qvel[:-2]))) * is_placed
    return {
        "reaching": reaching_reward,
        "grasp": grasp_reward,
        "place": place_reward,
        "static": static_reward,
    }
''',
    "PushCube": """
import numpy as np

PUSH_OFFSET = np.array([-0.025, 0.0, 0.0])

def compute_reward(tcp_pos, cube_pos, goal_pos):
    tcp_push_pos = cube_pos + PUSH_OFFSET
    dist_to_push = np.linalg.norm(tcp_push_pos - tcp_pos)
    reaching = 1.0 - np.tanh(5.0 * dist_to_push)

    reached = dist_to_push < 0.01
    obj_to_goal = np.linalg.norm(cube_pos[:2] - goal_pos[:2])
    placing = (1.0 - np.tanh(5.0 * obj_to_goal)) if reached else 0.0
    return {"reaching": reaching, "placing": placing}
""",
    "StackCube": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, other_pos, gripper_width, is_grasped, is_static):
    half_size = 0.02
    components = {}

    # stage 1: reach
    components["reach"] = 2 * (1 - np.tanh(5 * np.linalg.norm(tcp_pos - cube_pos)))

    # stage 2: grasp and place above the other cube
    target = np.array([other_pos[0], other_pos[1], other_pos[2] + 2 * half_size])
    place = 1 - np.tanh(5.0 * np.linalg.norm(target - cube_pos))
    components["place"] = place * is_grasped

    # stage 3: open the gripper when the cube is on top
    offset = cube_pos - other_pos
    on_top = np.linalg.norm(offset[:2]) < 0.03 and abs(offset[2] - 2 * half_size) < 0.005
    components["release"] = 3.0 * gripper_width / 0.08 if on_top else 0.0
    components["still"] = 1.0 if on_top and is_static else 0.0
    return components
""",
    "PullCube": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, goal_pos, prev_cube_pos):
    pull_target = cube_pos + np.array([0.035, 0, 0])
    reach = np.linalg.norm(pull_target - tcp_pos)
    moved = np.linalg.norm(prev_cube_pos[:2] - goal_pos[:2]) - np.linalg.norm(cube_pos[:2] - goal_pos[:2])
    success = np.linalg.norm(cube_pos[:2] - goal_pos[:2]) < 0.1
    return dict(
        reach=1 - np.tanh(5 * reach),
        progress=np.clip(10.0 * moved, -1.0, 1.0),
        success=3.0 * float(success),
    )
""",
    "LiftPeg": """
import numpy as np

def rotation_z_axis(quat):
    w, x, y, z = quat
    return np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x**2 + y**2)])

def compute_reward(tcp_pos, cube_pos, cube_quat, is_grasped):
    axis = rotation_z_axis(cube_quat)
    upright = np.abs(np.dot(axis, np.array([0.0, 0.0, 1.0])))
    angle = np.arccos(np.clip(upright, -1.0, 1.0))
    rot_reward = 1 - np.tanh(angle)
    height = np.clip((cube_pos[2] - 0.02) / 0.1, 0, 1)
    reach = 1 - np.tanh(5 * np.linalg.norm(tcp_pos - cube_pos))
    return {"reach": reach, "rotate": 2 * rot_reward * is_grasped, "lift": height}
""",
    "TurnFaucet": """
import numpy as np
import math

def compute_reward(tcp_pos, handle_pos, joint_angle, prev_joint_angle):
    target_angle = math.pi / 2
    angle_left = max(target_angle - joint_angle, 0.0)
    reach = np.exp(-5 * np.linalg.norm(tcp_pos - handle_pos))
    turn = 1.0 - angle_left / target_angle
    delta = joint_angle - prev_joint_angle
    if angle_left < 1e-3:
        return {"reach": 1.0, "turn": 1.0, "delta": 0.0, "bonus": 5.0}
    return {"reach": reach, "turn": turn, "delta": 20.0 * delta, "bonus": 0.0}
""",
    "OpenCabinetDrawer": """
import numpy as np

def compute_reward(tcp_pos, handle_pos, joint_angle, qvel, action):
    dist = np.linalg.norm(tcp_pos - handle_pos)
    stages = np.array([dist < 0.05, joint_angle > 0.05, joint_angle > 0.9], dtype=np.float64)
    stage_reward = np.sum(stages)
    open_frac = np.minimum(joint_angle / 0.9, 1.0)
    smooth = -0.01 * np.sum(np.square(action)) - 1e-3 * np.mean(np.abs(qvel))
    return {
        "approach": 1.0 / (1.0 + 10.0 * dist**2),
        "open": 3.0 * open_frac,
        "stage": stage_reward,
        "smooth": smooth,
    }
""",
    "PegInsertionSide": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, cube_quat, goal_pos, is_grasped):
    def squash(d, k=5.0):
        return 1.0 - np.tanh(k * d)

    reach = squash(np.linalg.norm(tcp_pos - cube_pos), 4.0)
    yz = np.linalg.norm((cube_pos - goal_pos)[1:])
    align = squash(yz) * is_grasped
    aligned = yz < 0.01
    depth = np.abs(cube_pos[0] - goal_pos[0])
    insert = 5 * squash(depth) if (aligned and is_grasped) else 0
    return {"reach": reach, "align": 3 * align, "insert": insert}
""",
    "PlaceSphere": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, cube_vel, other_pos, is_grasped, gripper_width):
    sphere, bin_pos = cube_pos, other_pos
    reward = 2 * (1 - np.tanh(5 * np.linalg.norm(tcp_pos - sphere)))
    above_bin = bin_pos + np.array([0, 0, 0.05])
    if is_grasped:
        reward = 4 + 1 - np.tanh(5.0 * np.linalg.norm(above_bin - sphere))
    inside = np.all(np.abs(sphere - bin_pos) < np.array([0.02, 0.02, 0.05]))
    if inside and not is_grasped:
        v = np.linalg.norm(cube_vel)
        reward = 6 + (gripper_width / 0.04 + 1 - np.tanh(v * 10)) / 2.0
    if inside and not is_grasped and np.linalg.norm(cube_vel) < 0.01:
        reward = 13
    return {"stage": reward / 13}
""",
    "RollBall": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, cube_vel, goal_pos):
    ball_xy = cube_pos[:2]
    to_goal = goal_pos[:2] - ball_xy
    dist = np.linalg.norm(to_goal)
    direction = to_goal / (dist + 1e-8)
    speed_to_goal = float(np.dot(cube_vel[:2], direction))
    approach = 1.0 - np.tanh(3.0 * np.linalg.norm(tcp_pos - (cube_pos - 0.05 * np.append(direction, 0.0))))
    return {"approach": approach, "velocity": np.tanh(speed_to_goal), "distance": -dist}
""",
    "PokeCube": """
import numpy as np

def compute_reward(tcp_pos, tcp_quat, cube_pos, cube_quat, is_grasped):
    # angle between the two orientations
    inner = np.abs(np.sum(tcp_quat * cube_quat))
    angle_diff = 2 * np.arccos(np.minimum(inner, 1.0))
    head_to_cube = np.linalg.norm(tcp_pos[:2] - cube_pos[:2])
    close = head_to_cube <= 0.05
    angle_reward = 1 - np.tanh(5 * angle_diff)
    return {
        "grasp": float(is_grasped),
        "align": angle_reward * is_grasped,
        "poke": (1 - np.tanh(10 * head_to_cube)) * is_grasped * close,
    }
""",
    "AssemblingKits": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, cube_quat, goal_pos, is_grasped, is_static):
    qw, qx, qy, qz = cube_quat[0], cube_quat[1], cube_quat[2], cube_quat[3]
    yaw = np.arctan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))
    yaw_error = np.abs((yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    xy_error = np.hypot(cube_pos[0] - goal_pos[0], cube_pos[1] - goal_pos[1])
    weights = {"xy": 2.0, "yaw": 1.0}
    r_xy = weights["xy"] * np.exp(-10.0 * xy_error)
    r_yaw = weights["yaw"] * np.exp(-2.0 * yaw_error)
    gate = 1.0 if xy_error < 0.05 else 0.2
    return {"xy": r_xy, "yaw": gate * r_yaw, "hold": 0.5 * is_grasped, "done": 2.0 * (is_static and xy_error < 0.01)}
""",
    "PullCubeTool": '''
import numpy as np

def compute_reward(tcp_pos, other_pos, cube_pos, goal_pos, is_grasped):
    """other_pos is the tool, cube_pos the cube behind reach."""
    hook_offset = np.array([0.2, 0.05, 0.0], dtype=np.float32)
    reach_tool = 1.0 - np.tanh(3.0 * np.linalg.norm(tcp_pos - other_pos))
    hook = other_pos + hook_offset
    position = 1.0 - np.tanh(3.0 * np.linalg.norm(hook - cube_pos))
    pulled = np.interp(cube_pos[0], [-0.5, 0.5], [1.0, 0.0])
    return {"tool": reach_tool, "hook": position * is_grasped, "pull": 2.0 * pulled * is_grasped}
''',
    "TwoRobotPick": """
import numpy as np

def compute_reward(tcp_pos, other_pos, cube_pos, goal_pos, is_grasped, qvel):
    arms = [tcp_pos, other_pos]
    distances = [np.linalg.norm(arm - cube_pos) for arm in arms]
    nearest = min(distances)
    reach = 1 - np.tanh(5 * nearest)
    handover = 1 - np.tanh(5 * np.linalg.norm(cube_pos - goal_pos))
    spread = max(distances) - nearest
    return {
        "reach": reach,
        "lift": np.clip(cube_pos[2] / 0.2, 0.0, 1.0) * is_grasped,
        "handover": handover * is_grasped,
        "posture": -0.05 * spread - 0.01 * np.linalg.norm(qvel),
    }
""",
    "HumanoidPlaceApple": """
import numpy as np

def compute_reward(tcp_pos, cube_pos, other_pos, is_grasped, action):
    reward = {}
    reach_dist = np.linalg.norm(tcp_pos - cube_pos)
    reward["reach"] = 1 - np.tanh(5 * reach_dist)
    reward["grasp"] = int(is_grasped)
    bowl_above = other_pos.copy()
    bowl_above[2] += 0.15
    carry = np.linalg.norm(cube_pos - bowl_above)
    reward["carry"] = (1 - np.tanh(5 * carry)) * is_grasped
    reward["energy"] = -0.002 * (action ** 2).sum()
    return reward
""",
    "LiftCubeUpright": """
import numpy as np
from math import sqrt, tanh

def compute_reward(tcp_pos, cube_pos, cube_quat, prev_cube_pos):
    d = tcp_pos - cube_pos
    distance = sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2)
    gained = cube_pos[2] - prev_cube_pos[2]
    upright = 1.0 - 2.0 * (cube_quat[1] ** 2 + cube_quat[2] ** 2)
    return {"near": 1.0 - tanh(4.0 * distance), "lift": 50.0 * gained, "upright": upright}
""",
}
"""Task to a program for it."""
