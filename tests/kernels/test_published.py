"""Rewards in the styles that authors publish: compiled, interpreted and plain Python agree.

The tasks are those of Meta-World, ManiSkill and MuJoCo's locomotion; the programs were
written for these tests. They use what such rewards use: helper functions, constants at the
top, tuples, methods, matrices and quaternions.
"""

from __future__ import annotations

import numpy as np
import pytest

from reward_synth.kernels import RewardKernel
from reward_synth.language import FunctionIR, evaluate, parse
from reward_synth.reward import Array
from reward_synth.task import Field, TaskSpec

ARM = TaskSpec(
    "Toy/Arm-v0",
    "Do what the program says.",
    (
        Field("tcp_pos", (3,), unit="m"),
        Field("tcp_quat", (4,)),
        Field("gripper_open", ()),
        Field("obj_pos", (3,), unit="m"),
        Field("obj_quat", (4,)),
        Field("goal_pos", (3,), unit="m"),
        Field("goal_quat", (4,)),
        Field("init_tcp_pos", (3,), unit="m"),
        Field("init_obj_pos", (3,), unit="m"),
        Field("handle_angle", (), unit="rad"),
        Field("qvel", (9,), unit="rad/s"),
        Field("finger_pos", (2, 3), unit="m"),
        Field("is_grasped", (), "bool"),
        Field("is_on_goal", (), "bool"),
    ),
    Field("action", (4,)),
)
WALKER = TaskSpec(
    "Toy/Walker-v0",
    "Run forward without falling.",
    (
        Field("height", (), unit="m"),
        Field("pitch", (), unit="rad"),
        Field("torso_quat", (4,)),
        Field("joint_angles", (6,), unit="rad"),
        Field("velocity", (3,), unit="m/s"),
        Field("foot_forces", (2, 3), unit="N"),
        Field("dt", (), unit="s"),
    ),
    Field("action", (6,)),
)

TOLERANCE = '''
def tolerance(x, bounds=(0.0, 0.0), margin=0.0, value_at_margin=0.1):
    """1 within the bounds, falling to value_at_margin at the margin's end."""
    lower, upper = bounds
    if lower <= x <= upper:
        return 1.0
    if margin <= 0.0:
        return 0.0
    distance = (lower - x if x < lower else x - upper) / margin
    scale = np.sqrt(1.0 / value_at_margin - 1.0)
    return 1.0 / ((distance * scale) ** 2 + 1.0)
'''
BOTH = '''

def both(a, b):
    """Hamacher's product: high only if both are."""
    denominator = a + b - a * b
    return a * b / denominator if denominator > 0 else 0.0
'''
HEAD = "import numpy as np\n"

REACH = f"""{HEAD}{TOLERANCE}

TARGET_RADIUS = 0.05


def compute_reward(tcp_pos, goal_pos, init_tcp_pos, action):
    distance = np.linalg.norm(tcp_pos - goal_pos)
    margin = np.linalg.norm(init_tcp_pos - goal_pos)
    in_place = tolerance(distance, bounds=(0, TARGET_RADIUS), margin=margin)
    effort = (action**2).mean()
    return {{"in_place": 10 * in_place, "effort": -0.01 * effort}}
"""

PUSH = f"""{HEAD}{TOLERANCE}{BOTH}

def compute_reward(tcp_pos, obj_pos, goal_pos, init_obj_pos, gripper_open):
    target_to_obj = np.linalg.norm(obj_pos - goal_pos)
    target_to_obj_init = np.linalg.norm(init_obj_pos - goal_pos)
    in_place = tolerance(target_to_obj, bounds=(0.0, 0.05), margin=target_to_obj_init)
    tcp_to_obj = np.linalg.norm((obj_pos - tcp_pos)[:2], ord=1)
    reached = tolerance(tcp_to_obj, (0.0, 0.02), 0.2, value_at_margin=0.2)
    reward = 2.0 * both(reached, in_place)
    if tcp_to_obj < 0.2 and 0.0 < gripper_open < 1.0:
        reward += 1.0 + reward + 5.0 * in_place
    if target_to_obj < 0.05:
        reward = 10.0
    return {{"push": reward}}
"""

PICK_PLACE = f"""{HEAD}{TOLERANCE}{BOTH}

PAD = (0.015, 0.05)
WEIGHTS = np.array([0.5, 0.5])


def caging(tcp_pos, obj_pos, fingers, action):
    left, right = np.abs(fingers[:, 1] - obj_pos[1])
    sides = np.array([tolerance(left, PAD, 0.1), tolerance(right, PAD, 0.1)])
    closing = min(max(0.0, action[-1]), 1.0)
    grip = both(sides @ WEIGHTS, tolerance(np.linalg.norm(tcp_pos - obj_pos), (0, 0.02), 1.0))
    return grip, both(grip, closing)


def compute_reward(tcp_pos, obj_pos, goal_pos, init_obj_pos, finger_pos, is_grasped, action):
    grip, closed = caging(tcp_pos, obj_pos, finger_pos, action)
    distance = np.linalg.norm(obj_pos - goal_pos)
    in_place = tolerance(distance, (0, 0.05), np.linalg.norm(init_obj_pos - goal_pos))
    reward = both(closed, in_place)
    lifted = obj_pos[2] - 0.02 > init_obj_pos[2]
    if is_grasped and lifted:
        reward += 1.0 + 5.0 * in_place
    components = {{"reach": grip, "place": reward}}
    components["success"] = 10.0 * (distance < 0.05)
    return components
"""

DOOR = f"""{HEAD}{TOLERANCE}{BOTH}

OPEN = 1.2


def compute_reward(tcp_pos, obj_pos, handle_angle, prev_handle_angle, action):
    def progress(angle):
        if angle >= OPEN:
            return 1.0
        return np.clip(angle / OPEN, a_min=0.0, a_max=None)

    hand = tcp_pos - obj_pos
    floor = 0.0
    radius = np.linalg.norm(hand[:2])
    if radius > 0.12:
        floor = 0.04 * np.log(radius - 0.1) + 0.4
    above = 1.0 if hand[2] >= floor else tolerance(floor - hand[2], (0, 0.01), floor / 2)
    ready = both(above, tolerance(radius, (0, 0.02), 0.25))
    opened = 0.2 * (handle_angle > 0.03) + 0.8 * progress(handle_angle)
    moved = progress(handle_angle) - progress(prev_handle_angle)
    return {{"ready": 2 * ready, "opened": 8 * opened, "moved": 5 * moved,
            "effort": -0.001 * action.dot(action)}}
"""

DRAWER = f"""{HEAD}import math


def shaped(distance, sharpness=10.0):
    return 1 - math.tanh(sharpness * distance)


def compute_reward(tcp_pos, obj_pos, goal_pos, init_obj_pos, qvel, is_grasped):
    scale = np.array([3.0, 3.0, 1.0])
    error = (obj_pos - tcp_pos) * scale
    reach = shaped(np.linalg.norm(error), sharpness=5.0)
    opening = goal_pos - init_obj_pos
    length = np.maximum(np.linalg.norm(opening), 1e-3)
    done = (obj_pos - init_obj_pos).dot(opening / length) / length
    pull = np.clip(done, 0.0, 1.0)
    still = shaped(np.abs(qvel[:7]).max(), 0.1)
    stage = reach
    for weight, value in ((1.0, float(is_grasped)), (3.0, pull)):
        stage += weight * value
    if pull > 0.9:
        stage = 5.0 + still
    return {{"stage": stage}}
"""
PEG = f"""{HEAD}from reward_synth.rotation import quat_angle, quat_rotate, quat_to_matrix


def compute_reward(tcp_pos, obj_pos, obj_quat, goal_pos, goal_quat, is_grasped, finger_pos):
    to_grip = np.linalg.norm(finger_pos - obj_pos, axis=-1)
    reach = 1 - np.tanh(4.0 * to_grip.mean())
    head = obj_pos + quat_rotate(obj_quat, np.array([0.1, 0.0, 0.0]))
    in_hole = quat_to_matrix(goal_quat).T @ (head - goal_pos)
    off_axis = np.linalg.norm(in_hole[1:])
    aligned = 1 - np.tanh(2.0 * quat_angle(obj_quat, goal_quat))
    reward = reach + is_grasped
    if is_grasped:
        reward += 3 * (1 - np.tanh(0.5 * (np.linalg.norm(in_hole) + 4.5 * off_axis)))
        if off_axis < 0.01 and aligned > 0.9:
            reward += 5 * (1 - np.tanh(5.0 * abs(in_hole[0])))
    return {{"insert": reward, "aligned": aligned}}
"""

LIFT_PEG = f"""{HEAD}from reward_synth.rotation import quat_to_euler, quat_to_matrix as matrix_of

HALF_LENGTH = 0.12
UP = np.eye(3)[2]


def compute_reward(tcp_pos, obj_pos, obj_quat, qvel):
    axis = matrix_of(obj_quat)[:, 0]
    upright = abs(axis @ UP)
    _, pitch, _ = quat_to_euler(obj_quat)
    turned = 1.0 - abs(abs(pitch) - np.pi / 2) / (np.pi / 2)
    height = np.exp(-10.0 * np.abs(obj_pos[2] - HALF_LENGTH))
    reach = 1 - np.tanh(5.0 * np.linalg.norm(tcp_pos - obj_pos))
    if any((upright > 0.99, turned > 0.99)) and qvel.std() < 0.5:
        return {{"lift": 3.0, "turn": 1.0, "reach": 1.0}}
    return {{"lift": height * upright, "turn": turned, "reach": 0.3 * reach}}
"""

STACK = f"""{HEAD}from reward_synth.rotation import quat_mul, quat_conjugate


SIZE = np.full(3, 0.02)


def near(a, b, sharpness=5.0):
    gap = a - b
    return 1 - np.tanh(sharpness * np.sqrt((gap**2).sum()))


def compute_reward(tcp_pos, obj_pos, goal_pos, obj_quat, goal_quat, is_grasped, is_on_goal,
                   gripper_open, qvel):
    above = np.concatenate([goal_pos[:2], [goal_pos[2] + 2 * SIZE[2]]])
    reward = 2 * near(tcp_pos, obj_pos)
    if is_grasped:
        reward = 4 + near(above, obj_pos)
    turn = quat_mul(quat_conjugate(obj_quat), goal_quat)
    flat = 1 - np.square(turn[1:3]).sum() / (turn @ turn)
    if is_on_goal:
        speed = np.linalg.norm(qvel)
        release = 1.0 if not is_grasped else gripper_open / 0.04
        reward = 6 + (release + 1 - np.tanh(speed)) / 2
    return {{"stack": reward, "flat": flat}}
"""

HAMMER = f"""{HEAD}from reward_synth.rotation import quat_angle
{TOLERANCE}{BOTH}

IDEAL = np.array([1.0, 0.0, 0.0, 0.0])
OFFSETS = np.array([[0.0, 0.0, 0.1], [0.16, 0.06, 0.0]])


def compute_reward(tcp_pos, obj_pos, obj_quat, goal_pos, init_obj_pos, gripper_open):
    error = np.sum(np.abs(obj_quat - IDEAL))
    level = max(1.0 - error / 0.4, 0.0) + 0.1 * np.cos(quat_angle(obj_quat, IDEAL))
    nearest = np.inf
    for i, offset in enumerate(OFFSETS):
        gap = np.linalg.norm(obj_pos + offset - tcp_pos) + 0.01 * i
        nearest = min(nearest, gap)
    held = tolerance(nearest, (0.0, 0.02), 0.3)
    head = np.stack([obj_pos, goal_pos]) - OFFSETS[1]
    error_x, error_y = (head[0] - head[1])[:2]
    aimed = both(
        tolerance(error_x, bounds=(-0.02, 0.02), margin=0.3),
        tolerance(x=error_y, margin=0.3, bounds=(-0.02, 0.02)),
    )
    lifted = float(obj_pos[2] - init_obj_pos[2] > 0.02)
    reward = (2.0 * held + 6.0 * aimed * lifted) * level
    return {{"hammer": np.nan_to_num(reward), "wide": 0.1 * np.isinf(1.0 / gripper_open)}}
"""

HOP = f"""{HEAD}
from reward_synth.rotation import quat_rotate

HEALTHY_HEIGHT = (0.7, 2.0)
HEALTHY_PITCH = 0.2
LIMIT: float = 100.0


def healthy(height, pitch, angles):
    low, high = HEALTHY_HEIGHT
    if not low < height < high:
        return False
    for angle in angles:
        if abs(angle) > LIMIT:
            return False
    return abs(pitch) < HEALTHY_PITCH


def compute_reward(height, pitch, torso_quat, joint_angles, velocity, foot_forces, action,
                   prev_height, dt, ctrl_weight=1e-3):
    alive = 1.0 if healthy(height, pitch, joint_angles) else 0.0
    up = quat_rotate(torso_quat, np.array([0.0, 0.0, 1.0]))[2]
    speed = velocity[0] * (1.0 if up > 0 else 0.5)
    landing = np.clip(np.square(foot_forces).sum(axis=1), 0.0, 10.0)
    rise = (height - prev_height) / np.maximum(np.abs(dt), 0.01)
    work = 0.0
    for force, angle in zip(action, joint_angles):
        work += abs(force * angle)
    return {{
        "forward": speed,
        "alive": alive,
        "control": -ctrl_weight * np.sum(action**2) - 1e-3 * work,
        "contact": -5e-2 * landing.max() + 0.01 * np.exp2(-abs(rise)),
    }}
"""

PROGRAMS = {
    "reach": (REACH, ARM),
    "push": (PUSH, ARM),
    "pick-place": (PICK_PLACE, ARM),
    "door-open": (DOOR, ARM),
    "drawer-open": (DRAWER, ARM),
    "peg insertion": (PEG, ARM),
    "lift peg upright": (LIFT_PEG, ARM),
    "stack cube": (STACK, ARM),
    "hammer": (HAMMER, ARM),
    "hop": (HOP, WALKER),
}


def parsed(source: str, task: TaskSpec) -> FunctionIR:
    result = parse(source, task)
    assert result.ir is not None, [str(item) for item in result.findings]
    assert result.ir.reward is not None
    return result.ir.reward


def states(function: FunctionIR, count: int) -> list[dict[str, Array]]:
    """Random states, far, near and very near to one another."""
    rng = np.random.default_rng(7)
    found = []
    for number in range(count):
        scale = (1.0, 0.1, 0.01)[number % 3]
        values: dict[str, Array] = {}
        for name, field in function.parameters:
            if field.dtype == "bool":
                values[name] = np.asarray(rng.random() < 0.6)
            elif name == "height":
                values[name] = rng.normal(1.0, 0.5, ())
            else:
                start = 1.0 if name.endswith("quat") else 0.0
                values[name] = rng.normal(start, scale, field.shape)
        found.append(values)
    return found


def plain(source: str, values: dict[str, Array]) -> dict[str, float]:
    """Run the text as Python: it stands in this file."""
    names: dict[str, object] = {}
    exec(source, names)
    given = {
        name: bool(value) if value.dtype == bool else np.asarray(value, float)[()]
        for name, value in values.items()
    }
    with np.errstate(all="ignore"):
        result = names["compute_reward"](**given)  # type: ignore[operator]
    return {name: float(value) for name, value in result.items()}


@pytest.mark.parametrize(("source", "task"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_published_style_means_what_python_says(source: str, task: TaskSpec) -> None:
    """Kernel, reference and plain Python agree on 60 states to 1e-9.

    All compute in float64 on values of order 1e3 at most, so rounding stays below 1e-12;
    the kernel's own exp, log and the like are good to 1e-12 relative.
    """
    function = parsed(source, task)
    kernel = RewardKernel(function)
    seen = []
    for values in states(function, 60):
        expected = plain(source, values)
        for found in (evaluate(function, values), kernel.one(values)):
            assert found.keys() == expected.keys()
            np.testing.assert_allclose(
                list(found.values()), list(expected.values()), 1e-9, 1e-9
            )
        seen.append(tuple(expected.values()))
    assert np.isfinite(seen).all()
    assert len(set(seen)) > 30  # the states do reach different values


@pytest.mark.parametrize("name", ["peg insertion", "lift peg upright", "hop"])
def test_the_locked_worker_runs_it_too(name: str) -> None:
    """Programs that import rotations run in the sandbox and give the reference's values."""
    from reward_synth.sandbox import Job, ProcessSandbox

    source, task = PROGRAMS[name]
    function = parsed(source, task)
    rows = states(function, 6)
    arguments = tuple(rows[0])
    inputs = {key: np.stack([row[key] for row in rows]) for key in arguments}
    done = ProcessSandbox().run(Job(source, "compute_reward", arguments, inputs))
    assert done.error == ""
    expected = [list(evaluate(function, row).values()) for row in rows]
    np.testing.assert_allclose(done.values, expected, 1e-9, 1e-9)
