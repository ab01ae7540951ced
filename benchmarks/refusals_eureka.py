"""Rewards for locomotion and hands in the style that Eureka's searches end in.

Many small terms, each with a temperature.  Written from the tasks' descriptions, as a
model writes them: no text is Eureka's.
"""

from __future__ import annotations

from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Refusals/Eureka-v0",
    "Move well in one of several bodies.",
    (
        Field("root_pos", (3,)),
        Field("root_quat", (4,)),
        Field("lin_vel", (3,)),
        Field("ang_vel", (3,)),
        Field("dof_pos", (12,)),
        Field("dof_vel", (12,)),
        Field("feet_contact", (4,)),
        Field("object_pos", (3,)),
        Field("object_rot", (4,)),
        Field("target_rot", (4,)),
        Field("target_pos", (3,)),
        Field("fingertips", (4, 3)),
        Field("commands", (3,)),
        Field("gravity", (3,)),
    ),
    Field("action", (12,)),
)

PROGRAMS: dict[str, str] = {
    "Cartpole": """
import numpy as np

def compute_reward(dof_pos, dof_vel):
    pole_angle = dof_pos[1]
    cart_vel, pole_vel = dof_vel[0], dof_vel[1]
    reward = 1.0 - pole_angle * pole_angle - 0.01 * np.abs(cart_vel) - 0.005 * np.abs(pole_vel)
    reward = np.where(np.abs(dof_pos[0]) > 3.0, -2.0, reward)
    reward = np.where(np.abs(pole_angle) > np.pi / 2, -2.0, reward)
    return {"balance": reward}
""",
    "Ant": """
import numpy as np

def compute_reward(lin_vel, root_quat, dof_vel, action):
    velocity_temp = 0.1
    action_temp = 0.01
    forward_velocity = lin_vel[0]
    velocity_reward = np.exp(velocity_temp * forward_velocity)
    action_penalty = np.exp(-action_temp * np.sum(action ** 2))
    up_z = 1 - 2 * (root_quat[1] ** 2 + root_quat[2] ** 2)
    upright = np.clip(up_z, 0.0, 1.0)
    return {
        "velocity_reward": velocity_reward,
        "action_penalty": action_penalty,
        "upright": 0.5 * upright,
    }
""",
    "Humanoid": """
import numpy as np
from typing import Dict, Tuple

def compute_reward(
    root_pos: np.ndarray,
    lin_vel: np.ndarray,
    dof_vel: np.ndarray,
    action: np.ndarray,
    prev_root_pos: np.ndarray,
) -> Dict[str, float]:
    alive_bonus: float = 2.0 if 1.0 < root_pos[2] < 2.0 else 0.0
    run_temperature: float = 0.3
    forward = (root_pos[0] - prev_root_pos[0]) / 0.0166
    run_reward = np.tanh(run_temperature * forward)
    sideways = -0.2 * lin_vel[1] ** 2
    energy = -1e-3 * np.sum(np.abs(action * dof_vel))
    return {"alive": alive_bonus, "run": 3 * run_reward, "sideways": sideways, "energy": energy}
""",
    "Quadcopter": """
import numpy as np

def compute_reward(root_pos, root_quat, ang_vel, target_pos):
    target_dist = np.sqrt(np.sum((root_pos - target_pos) ** 2))
    pos_reward = 1.0 / (1.0 + target_dist * target_dist)
    qx, qy = root_quat[1], root_quat[2]
    tiltage = np.abs(1 - (1 - 2 * (qx * qx + qy * qy)))
    up_reward = 1.0 / (1.0 + tiltage * tiltage)
    spinnage = np.abs(ang_vel[2])
    spin_reward = 1.0 / (1.0 + spinnage * spinnage)
    return {"pos": pos_reward, "posture": pos_reward * (up_reward + spin_reward)}
""",
    "ShadowHandSpin": """
import numpy as np

def quat_conjugate(q):
    return np.array([q[0], -q[1], -q[2], -q[3]])

def quat_mul(a, b):
    w1, x1, y1, z1 = a
    w2, x2, y2, z2 = b
    return np.array([
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
    ])

def compute_reward(object_rot, target_rot, object_pos, ang_vel, fingertips):
    diff = quat_mul(object_rot, quat_conjugate(target_rot))
    rot_dist = 2.0 * np.arcsin(np.clip(np.linalg.norm(diff[1:4]), 0.0, 1.0))
    rotation_reward = 1.0 / (np.abs(rot_dist) + 0.1)
    finger_dist = np.mean(np.linalg.norm(fingertips - object_pos, axis=1))
    spin = np.linalg.norm(ang_vel)
    return {
        "rotation": rotation_reward,
        "fingers": np.exp(-5.0 * finger_dist),
        "spin": np.minimum(spin, 4.0) / 4.0,
        "drop": -5.0 if object_pos[2] < 0.1 else 0.0,
    }
""",
    "AllegroHand": """
import numpy as np

def compute_reward(object_rot, target_rot, object_pos, fingertips, action):
    rot_similarity = np.abs(np.dot(object_rot, target_rot))
    rot_temp, tip_temp = 4.0, 10.0
    tips = np.sum(np.square(fingertips - object_pos), axis=-1)
    tip_reward = np.exp(-tip_temp * tips.mean())
    smoothness = -0.0002 * np.sum(action**2)
    success = 250.0 * (rot_similarity > 0.995)
    return {
        "rot": np.exp(rot_temp * (rot_similarity - 1.0)),
        "tips": tip_reward,
        "smooth": smoothness,
        "success": success,
    }
""",
    "Anymal": """
import numpy as np

def compute_reward(commands, lin_vel, ang_vel, dof_vel, prev_dof_vel, gravity, action, prev_dof_pos, dof_pos):
    lin_vel_error = np.sum(np.square(commands[:2] - lin_vel[:2]))
    ang_vel_error = np.square(commands[2] - ang_vel[2])
    rew = {
        "tracking_lin": np.exp(-lin_vel_error / 0.25),
        "tracking_ang": 0.5 * np.exp(-ang_vel_error / 0.25),
        "lin_vel_z": -4.0 * np.square(lin_vel[2]),
        "ang_vel_xy": -0.05 * np.sum(np.square(ang_vel[:2])),
        "orientation": -1.0 * np.sum(np.square(gravity[:2])),
        "joint_acc": -2.5e-7 * np.sum(np.square((prev_dof_vel - dof_vel) / 0.02)),
        "action_rate": -0.01 * np.sum(np.square(dof_pos - prev_dof_pos)),
    }
    return rew
""",
    "BallBalance": """
import numpy as np

def compute_reward(object_pos, lin_vel):
    ball_dist = np.sqrt(
        object_pos[0] * object_pos[0]
        + (object_pos[2] - 0.7) * (object_pos[2] - 0.7)
        + object_pos[1] * object_pos[1]
    )
    ball_speed = np.sqrt((lin_vel ** 2).sum())
    pos_reward = 1.0 / (1.0 + ball_dist)
    speed_reward = 1.0 / (1.0 + ball_speed)
    total = pos_reward * speed_reward
    return {"pos": pos_reward, "speed": speed_reward, "total": total}
""",
    "FrankaCabinet": """
import numpy as np

def compute_reward(fingertips, object_pos, dof_pos, action, gravity, target_pos):
    grip = 0.5 * (fingertips[0] + fingertips[1])
    d = np.linalg.norm(grip - object_pos, ord=2)
    dist_reward = 1.0 / (1.0 + d ** 2)
    dist_reward *= dist_reward
    dist_reward = dist_reward * 2 if d <= 0.02 else dist_reward
    around = fingertips[0, 2] > object_pos[2] and fingertips[1, 2] < object_pos[2]
    around_reward = 0.5 if around else 0.0
    open_reward = dof_pos[-1] * around_reward + dof_pos[-1]
    return {"dist": 2 * dist_reward, "around": 0.25 * around_reward, "open": 7.5 * open_reward, "act": -0.01 * np.sum(action**2)}
""",
    "DoorCloseOutward": """
import numpy as np

def compute_reward(fingertips, object_pos, target_pos, dof_pos, prev_dof_pos):
    hand_center = np.mean(fingertips, axis=0)
    hand_to_handle = np.linalg.norm(hand_center - object_pos)
    approach = np.exp(-4.0 * hand_to_handle)
    closing = prev_dof_pos[0] - dof_pos[0]
    closed = np.isclose(dof_pos[0], 0.0, atol=0.05)
    return {"approach": approach, "closing": 10 * closing, "closed": np.where(closed, 5.0, 0.0)}
""",
    "Swing": """
import numpy as np
import math

def compute_reward(object_rot, target_rot, fingertips, object_pos):
    dots = abs(sum(a * b for a, b in zip(object_rot, target_rot)))
    angle = 2.0 * math.acos(min(1.0, dots))
    rotation_term = math.exp(-angle / 0.5)
    left = np.linalg.norm(fingertips[:2] - object_pos, axis=1).sum()
    right = np.linalg.norm(fingertips[2:] - object_pos, axis=1).sum()
    return {"rotation": rotation_term, "left": math.exp(-left), "right": math.exp(-right)}
""",
    "Hopper": """
import numpy as np

def compute_reward(root_pos, lin_vel, dof_pos, action, prev_root_pos):
    HEALTHY_Z = (0.7, 2.0)
    healthy = HEALTHY_Z[0] < root_pos[2] < HEALTHY_Z[1] and np.all(np.abs(dof_pos) < 100)
    reward_components = {
        "forward": lin_vel[0],
        "healthy": 1.0 if healthy else -1.0,
        "control": -1e-3 * float(np.sum(np.square(action))),
        "apex": np.maximum(0.0, root_pos[2] - 1.2),
    }
    return reward_components
""",
    "Walker": """
import numpy as np

def compute_reward(root_pos, root_quat, lin_vel, feet_contact, dof_vel, action):
    speed_reward = np.clip(lin_vel[0], -2.0, 4.0) / 4.0
    pitch = np.arcsin(np.clip(2 * (root_quat[0] * root_quat[2] - root_quat[3] * root_quat[1]), -1, 1))
    posture = np.exp(-pitch**2 / (2 * 0.3**2))
    n_contacts = np.count_nonzero(feet_contact > 0.5)
    gait = 1.0 if n_contacts == 2 else 0.3
    power = np.abs(action) @ np.abs(dof_vel)
    return {"speed": speed_reward * posture, "gait": 0.2 * gait, "power": -5e-4 * power}
""",
    "Kettle": """
import numpy as np

def compute_reward(object_pos, target_pos, fingertips, prev_object_pos):
    temps = {"reach": 3.0, "tilt": 2.0}
    reach = 0.0
    for i in range(4):
        reach += np.exp(-temps["reach"] * np.linalg.norm(fingertips[i] - object_pos))
    reach /= 4
    carried = np.linalg.norm(prev_object_pos - target_pos) - np.linalg.norm(object_pos - target_pos)
    return {"reach": reach, "carried": np.sign(carried) * np.sqrt(np.abs(carried))}
""",
    "Scissors": """
import numpy as np

def compute_reward(dof_pos, dof_vel, fingertips, object_pos, action):
    angle = dof_pos[0]
    open_reward = 1 / (1 + np.exp(-10 * (angle - 0.5)))
    nearest = np.argmin(np.linalg.norm(fingertips - object_pos, axis=1))
    contact = np.exp(-np.linalg.norm(fingertips[nearest] - object_pos) / 0.1)
    vel_term = np.tanh(dof_vel[0])
    jerk = -0.01 * np.max(np.abs(action))
    return {"open": 2.0 * open_reward, "contact": contact, "vel": vel_term, "jerk": jerk}
""",
    "ReOrientation": """
import numpy as np

def angle_between(q1, q2):
    dot = np.clip(np.abs(np.sum(q1 * q2)), 0.0, 1.0)
    return 2.0 * np.arccos(dot)

def compute_reward(object_rot, target_rot, prev_object_rot, object_pos, target_pos):
    now, before = angle_between(object_rot, target_rot), angle_between(prev_object_rot, target_rot)
    improvement = before - now
    bonus = sum([1.0 for limit in (0.8, 0.4, 0.2, 0.1) if now < limit])
    return {"improvement": 5 * improvement, "milestones": 0.5 * bonus, "drift": -np.linalg.norm(object_pos - target_pos)}
""",
}
"""Task to a program for it."""
