"""Rewards that were written after the language was last extended.

The other styles showed which spellings models use and the language lacked; some were
added. These programs were written then; how many passed at the first look is kept in
``refusals.FIRST_LOOK``.
"""

from __future__ import annotations

from reward_synth.benchmarks import refusals_maniskill, refusals_metaworld
from reward_synth.benchmarks.refusals_held_out_bodies import BODIES
from reward_synth.task import TaskSpec

_ARM, _TABLE = refusals_maniskill.TASK, refusals_metaworld.TASK

PROGRAMS: dict[str, tuple[TaskSpec, str]] = {
    "pour": (
        _ARM,
        '''
import numpy as np

def compute_reward(tcp_pos, cube_pos, cube_quat, goal_pos, is_grasped, action):
    """Carry the cup over the bowl and tilt it only there."""
    w, x, y, z = cube_quat
    up = 1.0 - 2.0 * (x * x + y * y)
    over_bowl = np.linalg.norm(cube_pos[:2] - goal_pos[:2]) < 0.05
    carry = np.exp(-4.0 * np.linalg.norm(cube_pos - goal_pos))
    spill = 0.0 if over_bowl else -(1.0 - up)
    tilt = (1.0 - up) / 2.0 if over_bowl else 0.0
    return {"carry": carry * is_grasped, "spill": 0.5 * spill, "tilt": 2.0 * tilt,
            "effort": -0.005 * np.linalg.norm(action) ** 2}
''',
    ),
    "wipe": (
        _ARM,
        """
import numpy as np

def compute_reward(tcp_pos, prev_tcp_pos, goal_pos, qvel):
    height_err = np.abs(tcp_pos[2] - 0.01)
    contact = np.exp(-50.0 * height_err)
    moved = np.linalg.norm(tcp_pos[:2] - prev_tcp_pos[:2])
    in_area = (np.abs(tcp_pos[:2] - goal_pos[:2]) < 0.15).all()
    speed_penalty = np.clip(np.max(np.abs(qvel)) - 1.5, 0, None)
    return {
        "contact": contact,
        "wiping": 20 * moved * contact * in_area,
        "speed": -0.1 * speed_penalty,
    }
""",
    ),
    "hang_mug": (
        _ARM,
        """
import numpy as np

def compute_reward(cube_pos, cube_quat, other_pos, tcp_pos, is_grasped, gripper_width):
    stages = [
        1 - np.tanh(5 * np.linalg.norm(tcp_pos - cube_pos)),
        1 - np.tanh(5 * np.linalg.norm(cube_pos - other_pos)),
        np.abs(np.dot(cube_quat, np.array([0.7071, 0.0, 0.7071, 0.0]))),
    ]
    weights = (1.0, 2.0, 1.5)
    total = 0.0
    for stage, weight in zip(stages, weights):
        total += weight * stage
    released = gripper_width > 0.06 and np.linalg.norm(cube_pos - other_pos) < 0.03
    return {"stages": total / sum(weights), "released": 3.0 if released else 0.0}
""",
    ),
    "sort_by_height": (
        _ARM,
        """
import numpy as np

def compute_reward(cube_pos, other_pos, goal_pos, is_static):
    positions = np.stack([cube_pos, other_pos])
    heights = positions[:, 2]
    ordered = np.all(np.diff(heights) > 0)
    spread = heights.max() - heights.min()
    centre = positions.mean(axis=0)
    drift = np.linalg.norm(centre - goal_pos)
    return {"ordered": 1.0 * ordered, "spread": np.tanh(3 * spread), "drift": -drift, "still": 0.1 * is_static}
""",
    ),
    "open_fridge": (
        _ARM,
        """
import numpy as np

TARGET = np.deg2rad(70)

def compute_reward(tcp_pos, handle_pos, joint_angle, prev_joint_angle):
    near = np.linalg.norm(tcp_pos - handle_pos)
    reach = 1.0 / (1.0 + np.exp(10.0 * (near - 0.1)))
    opened = np.minimum(joint_angle / TARGET, 1.0)
    progress = np.sign(joint_angle - prev_joint_angle) * 0.05
    return {"reach": reach, "open": 2.5 * opened ** 2, "progress": progress}
""",
    ),
    "slide_puck": (
        _TABLE,
        """
import numpy as np

def compute_reward(hand_pos, obj_pos, prev_obj_pos, goal, obj_init):
    to_goal = goal - obj_pos
    velocity = (obj_pos - prev_obj_pos) / 0.0125
    heading = np.dot(velocity, to_goal) / (np.linalg.norm(velocity) * np.linalg.norm(to_goal) + 1e-6)
    start = np.linalg.norm(goal - obj_init)
    done = 1 - np.linalg.norm(to_goal) / (start + 1e-6)
    behind = obj_pos + 0.05 * (obj_pos - goal) / (np.linalg.norm(obj_pos - goal) + 1e-6)
    return {"approach": np.exp(-8 * np.linalg.norm(hand_pos - behind)), "heading": 0.5 * heading, "done": 5 * done}
""",
    ),
    "coffee_button": (
        _TABLE,
        """
import numpy as np

def long_tail(x, margin):
    return 1.0 / (1.0 + 9.0 * (x / margin) ** 2)

def compute_reward(hand_pos, obj_pos, goal, gripper, action):
    distance = np.linalg.norm(hand_pos - obj_pos, ord=2)
    pushed = abs(obj_pos[1] - goal[1])
    parts = {}
    parts["near"] = 2.0 * long_tail(distance, 0.2)
    parts["pushed"] = 8.0 * long_tail(pushed, 0.05) if distance < 0.05 else 0.0
    parts["closed"] = 0.1 * (1.0 - gripper)
    return parts
""",
    ),
    "lever_pull": (
        _TABLE,
        """
import math
import numpy as np

def compute_reward(hand_pos, obj_pos, obj_init, goal):
    radius = math.sqrt((obj_pos[1] - obj_init[1]) ** 2 + (obj_pos[2] - obj_init[2]) ** 2)
    angle = math.atan2(obj_pos[2] - obj_init[2], obj_pos[1] - obj_init[1])
    target = math.pi / 2.0
    error = abs((angle - target + math.pi) % (2 * math.pi) - math.pi)
    grasp_point = obj_pos + np.array([0.0, 0.055, 0.07])
    offset = np.abs(hand_pos - grasp_point)
    ready = max(0.0, 1.0 - (4.0 * offset[0] + offset[1] + 4.0 * offset[2]))
    return {"ready": 2.0 * ready, "lift": 8.0 * (1.0 - error / math.pi), "radius": -0.1 * radius}
""",
    ),
    "two_pegs": (
        _TABLE,
        """
import numpy as np

def compute_reward(obj_pos, obj2_pos, goal, hand_pos):
    pegs = np.array([obj_pos, obj2_pos])
    distances = np.linalg.norm(pegs - goal, axis=1)
    order = np.argsort(distances)
    nearest = distances[order[0]]
    return {"near": np.exp(-5 * nearest), "both": -np.sum(distances)}
""",
    ),
    "plate_slide": (
        _TABLE,
        """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, gripper):
    done = np.linalg.norm(obj_pos - goal) < 0.07
    if done:
        return {"reach": 1.0, "slide": 1.0, "bonus": 8.0}
    reach = 1.0 - np.tanh(10.0 * np.linalg.norm(hand_pos - obj_pos))
    slide = np.clip(1.0 - np.linalg.norm(obj_pos - goal) / 0.3, 0.0, 1.0)
    return {"reach": reach, "slide": slide, "bonus": 0.0}
""",
    ),
    **BODIES,
}
"""Name to the task and the program."""
