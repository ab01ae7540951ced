"""The programs for bodies and dungeons of :mod:`refusals_held_out`."""

from __future__ import annotations

from reward_synth.benchmarks import refusals_eureka, refusals_nethack
from reward_synth.task import TaskSpec

_BODY, _DUNGEON = refusals_eureka.TASK, refusals_nethack.TASK

BODIES: dict[str, tuple[TaskSpec, str]] = {
    "trot": (
        _BODY,
        """
import numpy as np

def compute_reward(lin_vel, ang_vel, feet_contact, commands, dof_pos, action, gravity):
    # diagonal feet move together
    fl, fr, rl, rr = feet_contact
    sync = (1.0 - np.abs(fl - rr)) * (1.0 - np.abs(fr - rl))
    alternate = np.abs(fl - fr)
    tracking = np.exp(-np.square(commands[0] - lin_vel[0]) / 0.25)
    default = np.array([0.1, 0.8, -1.5] * 4)
    posture = -0.05 * np.sum(np.abs(dof_pos - default))
    return {"tracking": tracking, "gait": 0.3 * sync * alternate, "posture": posture,
            "upright": -np.sum(gravity[:2] ** 2), "effort": -1e-3 * np.sum(action ** 2)}
""",
    ),
    "backflip": (
        _BODY,
        """
import numpy as np

def compute_reward(root_pos, root_quat, ang_vel, lin_vel, prev_root_quat, feet_contact):
    pitch_rate = ang_vel[1]
    airborne = not np.any(feet_contact > 0.1)
    height_bonus = np.clip((root_pos[2] - 0.4) / 0.4, 0.0, 1.0)
    spin = np.clip(-pitch_rate / 8.0, -1.0, 1.0) if airborne else 0.0
    yaw_roll = -0.02 * (ang_vel[0] ** 2 + ang_vel[2] ** 2)
    drift = -0.1 * np.linalg.norm(lin_vel[:2])
    return {"spin": 2.0 * spin, "height": height_bonus, "yaw_roll": yaw_roll, "drift": drift}
""",
    ),
    "pen_spin": (
        _BODY,
        """
import numpy as np

def compute_reward(object_rot, prev_object_rot, object_pos, target_pos, fingertips, ang_vel):
    axis = np.array([0.0, 0.0, 1.0])
    spin = float(np.dot(ang_vel, axis))
    spin_reward = np.clip(spin, -4, 4) / 4
    fall = object_pos[2] < 0.05
    tip_distances = np.sqrt(((fingertips - object_pos) ** 2).sum(axis=1))
    hold = np.exp(-10 * tip_distances).mean()
    total_change = 1.0 - np.abs(np.sum(object_rot * prev_object_rot))
    if fall:
        return {"spin": 0.0, "hold": 0.0, "change": 0.0, "fall": -1.0}
    return {"spin": spin_reward, "hold": hold, "change": 5 * total_change, "fall": 0.0}
""",
    ),
    "door_knob": (
        _BODY,
        """
import numpy as np

def compute_reward(dof_pos, prev_dof_pos, fingertips, object_pos, action):
    turn_temp, reach_temp = 2.0, 6.0
    reach = np.exp(-reach_temp * min(np.linalg.norm(tip - object_pos) for tip in fingertips))
    turned = 1.0 - np.exp(-turn_temp * max(dof_pos[0], 0.0))
    change = np.clip((dof_pos[0] - prev_dof_pos[0]) * 10, -1, 1)
    return {"reach": reach, "turned": turned, "change": change, "reg": -0.001 * np.linalg.norm(action, 1)}
""",
    ),
    "balance_beam": (
        _BODY,
        """
import numpy as np

def compute_reward(root_pos, lin_vel, gravity, ang_vel, dof_vel, action):
    lateral = np.abs(root_pos[1])
    on_beam = lateral < 0.1
    forward = np.maximum(lin_vel[0], 0.0)
    tilt = np.arccos(np.clip(-gravity[2], -1.0, 1.0))
    bonus = 1.0 * on_beam
    power = np.sum(np.abs(np.multiply(action, dof_vel)))
    return {"forward": forward * bonus, "tilt": -tilt, "lateral": -5.0 * lateral, "power": -0.0005 * power}
""",
    ),
    "juggle": (
        _BODY,
        """
import numpy as np

def compute_reward(object_pos, lin_vel, fingertips, target_pos):
    heights = sorted([object_pos[2], target_pos[2]])
    rising = lin_vel[2] > 0
    centre = np.mean(fingertips, axis=0)
    under = np.exp(-3.0 * np.linalg.norm((object_pos - centre)[:2]))
    return {"under": under, "rising": 0.5 * rising, "height": np.tanh(heights[0])}
""",
    ),
    "altar": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(local_map, prev_local_map, hero_xy, prev_hero_xy, turn):
    altar = ord("_")
    seen = np.any(local_map == altar)
    newly = seen and not np.any(prev_local_map == altar)
    on_altar = local_map[2][2] == altar
    steps = np.abs(hero_xy - prev_hero_xy).max()
    return {"newly": 0.5 * newly, "on": 1.0 * on_altar, "walk": 0.002 * steps}
""",
    ),
    "flee": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(hp, max_hp, monsters_near, prev_monsters_near, prev_hp):
    critical = hp < 0.3 * max_hp
    relief = prev_monsters_near - monsters_near
    damage = max(prev_hp - hp, 0)
    if critical:
        score = 0.3 * relief - 0.1 * damage
    else:
        score = -0.02 * damage
    return {"flee": score, "alive": 0.001}
""",
    ),
    "shopping": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(gold, prev_gold, armor_class, prev_armor_class):
    spent = max(0, prev_gold - gold)
    better = prev_armor_class - armor_class
    value = better * 10 / (1 + spent) if spent > 0 else 0
    earned = np.log1p(np.maximum(gold - prev_gold, 0)) / 5
    return {"bargain": np.tanh(value), "earned": earned}
""",
    ),
    "dig_down": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(depth, prev_depth, turn, xp_level, hp, max_hp):
    quick = 1.0 / (1.0 + 0.001 * turn)
    levels = depth - prev_depth
    danger = {"low": 0.1, "high": 0.5}
    level = "high" if depth > 2 * xp_level else "low"
    return {"levels": levels * quick, "danger": -danger[level] * (1 - hp / max_hp)}
""",
    ),
    "explore_rooms": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(seen_cells, prev_seen_cells, local_map, hero_xy, prev_hero_xy, depth, prev_depth):
    gained = np.clip(seen_cells - prev_seen_cells, 0, 40) if depth == prev_depth else 0.0
    doors = np.count_nonzero(local_map == 43)
    stuck = np.array_equal(hero_xy, prev_hero_xy)
    return {"gained": 0.05 * gained, "doors": 0.01 * doors, "stuck": -0.005 * float(stuck)}
""",
    ),
    "heal_up": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(hp, prev_hp, max_hp, hunger, turn, prev_turn):
    elapsed = max(turn - prev_turn, 1)
    rate = (hp - prev_hp) / elapsed
    missing = 1.0 - hp / max_hp
    starving = hunger >= 3
    return {"rate": 0.1 * rate * missing, "starving": -0.05 if starving else 0.0, "full": 0.01 * (hp == max_hp)}
""",
    ),
    "attributes": (
        _DUNGEON,
        """
import numpy as np

NAMES = ["strength", "dexterity", "constitution"]

def compute_reward(attributes, prev_attributes, xp_level):
    change = attributes - prev_attributes
    strength, dexterity, constitution, *_ = change
    return {"body": 0.2 * (strength + constitution), "skill": 0.1 * dexterity, "level": 0.01 * xp_level}
""",
    ),
    "score_rate": (
        _DUNGEON,
        """
import numpy as np

def compute_reward(xp_points, prev_xp_points, turn, depth):
    rate = (xp_points - prev_xp_points) / (1 + turn) ** 0.5
    return {"rate": np.arcsinh(rate), "deep": 0.001 * np.power(depth, 1.5)}
""",
    ),
}
"""Name to the task and the program."""
