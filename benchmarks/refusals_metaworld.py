"""Rewards for table-top tasks in the style of Meta-World's shaped rewards.

Written from the tasks' descriptions, as a model writes them: no text is Meta-World's.
"""

from __future__ import annotations

from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Refusals/MetaWorld-v0",
    "Solve one of several table-top tasks.",
    (
        Field("hand_pos", (3,)),
        Field("gripper", ()),
        Field("obj_pos", (3,)),
        Field("obj_quat", (4,)),
        Field("obj2_pos", (3,)),
        Field("goal", (3,)),
        Field("obj_init", (3,)),
        Field("hand_init", (3,)),
    ),
    Field("action", (4,)),
)

PROGRAMS: dict[str, str] = {
    "reach": """
import numpy as np

def compute_reward(hand_pos, goal, hand_init):
    margin = np.linalg.norm(hand_init - goal)
    dist = np.linalg.norm(hand_pos - goal)
    if dist <= 0.05:
        in_place = 1.0
    else:
        in_place = 1.0 / (1.0 + (3.0 * (dist - 0.05) / (margin + 1e-6)) ** 2)
    return {"in_place": 10.0 * in_place}
""",
    "push": '''
import numpy as np

def tolerance(x, lower, upper, margin):
    """1 inside the bounds, long-tailed outside."""
    if lower <= x <= upper:
        return 1.0
    d = (lower - x if x < lower else x - upper) / margin
    return 1.0 / ((d * 3.0) ** 2 + 1.0)

def compute_reward(hand_pos, gripper, obj_pos, goal, obj_init):
    obj_to_target = np.linalg.norm(obj_pos - goal)
    in_place_margin = np.linalg.norm(obj_init - goal) + 1e-6
    in_place = tolerance(obj_to_target, 0.0, 0.05, in_place_margin)
    tcp_to_obj = np.linalg.norm(obj_pos - hand_pos)
    reach = tolerance(tcp_to_obj, 0.0, 0.02, 0.2)
    both = reach * in_place / (reach + in_place - reach * in_place + 1e-9)
    reward = 2.0 * reach
    if tcp_to_obj < 0.02 and gripper > 0.2:
        reward += 1.0 + 5.0 * in_place
    if obj_to_target < 0.05:
        reward = 10.0
    return {"main": reward, "both": both}
''',
    "pick-place": """
import numpy as np

def hamacher_product(a, b):
    denominator = a + b - a * b
    return a * b / denominator if denominator > 0 else 0.0

def compute_reward(hand_pos, gripper, obj_pos, goal, obj_init, action):
    to_obj = np.linalg.norm(hand_pos - obj_pos)
    to_goal = np.linalg.norm(obj_pos - goal)
    start = np.linalg.norm(obj_init - goal)
    caging = np.exp(-10.0 * to_obj)
    closed = np.clip(1.0 - gripper, 0.0, 1.0)
    grasp = hamacher_product(caging, closed)
    lifted = obj_pos[2] - 0.01 > obj_init[2]
    in_place = np.clip(1.0 - to_goal / start, 0.0, 1.0)
    reward = hamacher_product(grasp, in_place)
    if to_obj < 0.02 and lifted:
        reward += 1.0 + 5.0 * in_place
    return {"reward": reward, "effort": -0.01 * np.linalg.norm(action)}
""",
    "door-open": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, action):
    theta = np.arctan2(obj_pos[1] - obj_init[1], obj_pos[0] - obj_init[0])
    reward_grab = float((np.clip(action[3], -1, 1) + 1.0) / 2.0)
    # stay above the handle until close
    radius = np.linalg.norm(hand_pos[:2] - obj_pos[:2])
    floor = 0.04 * np.log(radius - 0.12) + 0.4 if radius > 0.12 else 0.0
    above_floor = 1.0 if hand_pos[2] >= floor else np.exp(-10 * (floor - hand_pos[2]))
    in_place = np.exp(-5.0 * np.linalg.norm(hand_pos - obj_pos - np.array([0.05, 0.03, -0.01])))
    ready = in_place * above_floor
    opened = 0.2 * (abs(theta) < 0.03) + 0.8 * np.clip(theta / (2 * np.pi / 3), 0, 1)
    return {"grab": reward_grab, "ready": 2 * ready, "opened": 8 * opened}
""",
    "drawer-close": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init):
    pushed = np.abs(obj_init[1] - goal[1]) - np.abs(obj_pos[1] - goal[1])
    full = np.abs(obj_init[1] - goal[1])
    fraction = pushed / np.maximum(full, 1e-3)
    reach = 1.0 - np.tanh(10.0 * np.linalg.norm(hand_pos - obj_pos))
    return {"reach": reach, "close": 5.0 * np.clip(fraction, 0.0, 1.0)}
""",
    "drawer-open": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, hand_init, gripper):
    handle_error = np.linalg.norm(obj_pos - goal)
    scale = np.array([3.0, 3.0, 1.0])
    gripper_error = np.linalg.norm((obj_pos - hand_pos) * scale)
    opening = max(0.0, 1.0 - handle_error / 0.2)
    approach = max(0.0, 1.0 - gripper_error / 0.6)
    return {"opening": 5 * opening, "approach": 5 * approach * (gripper > 0.3)}
""",
    "button-press": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, gripper):
    tcp_to_obj = np.linalg.norm(obj_pos - hand_pos)
    obj_to_target = abs(goal[1] - obj_pos[1])
    tcp_closed = max(gripper, 0.0)
    near_button = 1.0 if tcp_to_obj < 0.05 else np.exp(-8.0 * (tcp_to_obj - 0.05))
    button_pressed = 1 - np.tanh(20 * obj_to_target)
    reward = 2 * (tcp_closed * near_button) / (tcp_closed + near_button - tcp_closed * near_button + 1e-6)
    if tcp_to_obj <= 0.05:
        reward += 8 * button_pressed
    return {"press": reward}
""",
    "window-open": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, hand_init):
    TARGET_RADIUS = 0.05
    handle = obj_pos
    target_to_obj = abs(handle[0] - goal[0])
    target_to_obj_init = abs(obj_init[0] - goal[0])
    margin = abs(target_to_obj_init - TARGET_RADIUS)
    in_place = 1.0 if target_to_obj <= TARGET_RADIUS else np.exp(-((target_to_obj - TARGET_RADIUS) / (margin + 1e-6)) ** 2)
    reach_margin = np.abs(np.linalg.norm(obj_init - hand_init) - 0.02)
    reach = np.exp(-np.linalg.norm(handle - hand_pos) / (reach_margin + 1e-6))
    return {"slide": 10 * reach * in_place, "reach": reach}
""",
    "hammer": """
import numpy as np

def compute_reward(hand_pos, obj_pos, obj_quat, obj2_pos, goal, gripper):
    ideal = np.array([1.0, 0.0, 0.0, 0.0])
    quat_error = np.linalg.norm(obj_quat - ideal)
    reward_quat = max(1.0 - quat_error / 0.4, 0.0)
    head = obj_pos + np.array([0.16, 0.06, 0.0])
    lifted = head[2] > 0.02
    nail_error = np.linalg.norm(goal - obj2_pos)
    strike = np.linalg.norm(head - obj2_pos)
    in_place = 0.1 * lifted + 0.9 * np.exp(-10.0 * strike)
    grab = np.exp(-10.0 * np.linalg.norm(hand_pos - obj_pos)) * (1.0 - gripper)
    reward = (2.0 * grab + 6.0 * in_place) * reward_quat
    reward = 10.0 if nail_error < 0.02 and reward > 5.0 else reward
    return {"hammer": reward}
""",
    "peg-insert": """
import numpy as np

def compute_reward(hand_pos, obj_pos, obj_init, goal, gripper):
    scale = np.asarray([1.0, 2.0, 2.0])
    head = obj_pos - np.asarray([0.1, 0.0, 0.0])
    obj_to_target = np.linalg.norm((head - goal) * scale)
    in_place_margin = np.linalg.norm((obj_init - goal) * scale)
    in_place = np.clip(1 - obj_to_target / in_place_margin, 0, 1)
    collision_boxes = [np.array([0.3, 0.6, 0.05]), np.array([0.3, 0.5, 0.05])]
    ip_orig = in_place
    for box in collision_boxes:
        in_place = in_place * np.clip(np.linalg.norm(head - box) / 0.05, 0.0, 1.0)
    grasped = np.exp(-20 * np.linalg.norm(hand_pos - obj_pos)) * (gripper < 0.6)
    lifted = obj_pos[2] - 0.01 > obj_init[2]
    return {"grasp": grasped, "in_place": 5.0 * in_place * lifted, "raw": 0.1 * ip_orig}
""",
    "basketball": """
import numpy as np

def compute_reward(hand_pos, obj_pos, obj_init, goal, gripper):
    target = goal.copy()
    target[2] = 0.3
    scale = np.array([1.0, 1.0, 2.0])
    to_target = np.linalg.norm((obj_pos - target) * scale)
    margin = np.linalg.norm((obj_init - target) * scale) + 1e-6
    in_place = 1.0 - min(to_target / margin, 1.0)
    if np.linalg.norm(obj_pos[:2] - goal[:2]) < 0.08:
        if obj_pos[2] < target[2]:
            in_place = 1.0
    object_grasped = (1 - gripper) * np.exp(-15 * np.linalg.norm(hand_pos - obj_pos))
    if obj_pos[2] - obj_init[2] > 0.01:
        object_grasped = object_grasped + 1
    return {"grasp": object_grasped, "shoot": 5 * in_place * object_grasped}
""",
    "sweep-into": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, prev_obj_pos):
    touch = np.linalg.norm(hand_pos - obj_pos)
    progress = np.linalg.norm(prev_obj_pos - goal) - np.linalg.norm(obj_pos - goal)
    in_hole = obj_pos[2] < 0.0 and np.linalg.norm(obj_pos[:2] - goal[:2]) < 0.07
    components = {
        "touch": 1 - np.tanh(8 * touch),
        "progress": 30 * progress,
        "in_hole": 10.0 if in_hole else 0.0,
    }
    components["total_shaping"] = components["touch"] + components["progress"]
    return components
""",
    "shelf-place": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, gripper):
    to_goal = np.linalg.norm(obj_pos - goal)
    in_place = 1.0 - np.tanh(4.0 * to_goal)
    x_ok = goal[0] - 0.15 < obj_pos[0] < goal[0] + 0.15
    y_ok = 0.0 < goal[1] - obj_pos[1] < 0.24
    low = 0.0 < obj_pos[2] < 0.24
    bound_loss = 0.0
    if low and x_ok and y_ok:
        y_scaling = (obj_pos[1] - (goal[1] - 0.24)) / 0.24
        bound_loss = np.clip(y_scaling * (0.24 - obj_pos[2]) / 0.24, 0.0, 1.0)
        in_place = np.clip(in_place - bound_loss, 0.0, 1.0)
    grasp = (gripper < 0.5) * np.exp(-10.0 * np.linalg.norm(obj_pos - hand_pos))
    return {"grasp": grasp, "place": 7.0 * in_place, "under_shelf": -bound_loss}
""",
    "dial-turn": """
import numpy as np

def compute_reward(hand_pos, obj_pos, goal, obj_init, hand_init, action):
    sigmoid = lambda x: 1.0 / (1.0 + np.exp(-x))
    push_point = obj_pos + np.array([0.05, 0.02, 0.09])
    target_to_obj = np.linalg.norm(obj_pos - goal)
    turned = sigmoid(20.0 * (0.07 - target_to_obj))
    reach = sigmoid(20.0 * (0.05 - np.linalg.norm(push_point - hand_pos)))
    gripper_closed = min(max(0, action[-1]), 1)
    return {"reach": reach + 0.2 * gripper_closed * reach, "turn": 5 * turned}
""",
    "stick-pull": """
import numpy as np

def compute_reward(hand_pos, obj_pos, obj2_pos, goal, gripper, obj_init):
    stick, container = obj_pos, obj2_pos
    handle = container + np.array([0.05, 0.0, 0.0])
    end_of_stick = stick + np.array([0.015, 0.0, 0.0])
    scale = np.array([1.0, 1.0, 2.0])
    errors = [
        np.linalg.norm((hand_pos - stick) * scale),
        np.linalg.norm((stick - handle) * scale),
        np.linalg.norm(handle - goal),
    ]
    r1, r2, r3 = [1 - np.tanh(5 * e) for e in errors]
    grasped = gripper < 0.5 and errors[0] < 0.03
    inserted = end_of_stick[0] >= container[0] and abs(end_of_stick[1] - container[1]) <= 0.04
    return {"reach": r1, "insert": 2 * r2 * grasped, "pull": 5 * r3 * (grasped and inserted)}
""",
    "assembly": """
import numpy as np

def compute_reward(hand_pos, obj_pos, obj_quat, goal, gripper, obj_init):
    wrench_center = obj_pos
    radius = np.linalg.norm(wrench_center[:2] - goal[:2])
    aligned = radius < 0.02
    hooked = goal[2] - wrench_center[2] > 0.0
    success = aligned and hooked
    error = 1.0 - np.abs(np.dot(obj_quat, np.array([0.707, 0.0, 0.0, 0.707])))
    threshold = 0.02 if aligned else 0.01 * np.log(max(radius - 0.02, 1e-4)) + 0.1
    too_low = max(threshold - wrench_center[2], 0.0)
    grab = np.exp(-10 * np.linalg.norm(hand_pos - obj_pos)) * (1 - gripper)
    return {
        "quat": np.exp(-5 * error),
        "grab": grab,
        "in_place": np.exp(-5 * radius) - 2.0 * too_low,
        "success": 10.0 * success,
    }
""",
}
"""Task to a program for it."""
