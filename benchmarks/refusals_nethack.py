"""Rewards for NetHack tasks, from the bottom line and the map around the hero.

Written from the tasks' descriptions, as a model writes them.
"""

from __future__ import annotations

from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Refusals/NetHack-v0",
    "Do well in the dungeon.",
    (
        Field("hp", (), "int"),
        Field("max_hp", (), "int"),
        Field("depth", (), "int"),
        Field("gold", (), "int"),
        Field("xp_level", (), "int"),
        Field("xp_points", (), "int"),
        Field("hunger", (), "int"),
        Field("armor_class", (), "int"),
        Field("turn", (), "int"),
        Field("hero_xy", (2,), "int"),
        Field("stairs_xy", (2,), "int"),
        Field("stairs_seen", (), "bool"),
        Field("seen_cells", (), "int"),
        Field("monsters_near", (), "int"),
        Field("local_map", (5, 5), "int"),
        Field("attributes", (6,), "int"),
        Field("score", (), "int", meaning="Shown in the line."),
    ),
    Field("action", (), "int"),
)

PROGRAMS: dict[str, str] = {
    "Staircase": """
import numpy as np

def compute_reward(hero_xy, stairs_xy, stairs_seen, prev_hero_xy):
    def chebyshev(a, b):
        return np.max(np.abs(a - b))

    if not stairs_seen:
        return {"approach": 0.0, "step": -0.001}
    gain = chebyshev(prev_hero_xy, stairs_xy) - chebyshev(hero_xy, stairs_xy)
    return {"approach": 0.1 * gain, "step": -0.001}
""",
    "Descend": """
import numpy as np

def compute_reward(depth, prev_depth, hp, max_hp, turn, prev_turn):
    descended = depth > prev_depth
    health = hp / max(max_hp, 1)
    safe = 1.0 if health > 0.5 else 0.25
    wasted = 1.0 if turn == prev_turn else 0.0
    return {"descend": 1.0 * descended * safe, "wasted": -0.001 * wasted}
""",
    "Gold": """
import numpy as np

def compute_reward(gold, prev_gold, seen_cells, prev_seen_cells):
    collected = gold - prev_gold
    found = max(seen_cells - prev_seen_cells, 0)
    return {"gold": np.log1p(max(collected, 0)), "explore": 0.01 * found}
""",
    "Scout": """
import numpy as np

def compute_reward(seen_cells, prev_seen_cells, depth, prev_depth, hero_xy, prev_hero_xy):
    # a new level resets what is seen
    new_level = depth != prev_depth
    delta = 0 if new_level else seen_cells - prev_seen_cells
    moved = np.any(hero_xy != prev_hero_xy)
    return {
        "new_cells": 0.02 * np.clip(delta, 0, 50),
        "new_level": 1.0 * new_level,
        "idle": 0.0 if moved else -0.002,
    }
""",
    "Eat": """
import numpy as np

def compute_reward(hunger, prev_hunger, hp, prev_hp):
    NOT_HUNGRY, HUNGRY, WEAK = 1, 2, 3
    reward = 0.0
    if prev_hunger >= HUNGRY and hunger < prev_hunger:
        reward += 1.0
    elif hunger >= WEAK:
        reward -= 0.05
    return {"food": reward, "hp": 0.01 * (hp - prev_hp)}
""",
    "Survive": """
import numpy as np

def compute_reward(hp, prev_hp, max_hp, monsters_near, armor_class):
    hp_frac, prev_frac = hp / (max_hp + 1e-6), prev_hp / (max_hp + 1e-6)
    lost = min(hp_frac - prev_frac, 0.0)
    danger = monsters_near * (1.0 - hp_frac)
    protection = (10 - armor_class) / 50.0
    return {"lost": 2.0 * lost, "danger": -0.02 * danger, "armor": 0.01 * protection}
""",
    "Fight": """
import numpy as np
import math

def compute_reward(xp_points, prev_xp_points, xp_level, prev_xp_level, monsters_near, prev_monsters_near, hp):
    gained = xp_points - prev_xp_points
    kill_bonus = math.log(1 + gained) if gained > 0 else 0.0
    level_bonus = 2.0 * (xp_level - prev_xp_level)
    cleared = prev_monsters_near > monsters_near and gained > 0
    return {"xp": kill_bonus, "level": level_bonus, "cleared": 0.5 if cleared else 0.0, "alive": 0.001 if hp > 0 else -1.0}
""",
    "Corridor": """
import numpy as np

FLOOR, CORRIDOR, DOOR, WALL_V, WALL_H = 46, 35, 43, 124, 45

def compute_reward(local_map, hero_xy, prev_hero_xy):
    corridor_cells = np.sum(local_map == CORRIDOR)
    door_cells = np.sum(local_map == DOOR)
    moved = abs(hero_xy[0] - prev_hero_xy[0]) + abs(hero_xy[1] - prev_hero_xy[1])
    return {
        "corridor": 0.01 * corridor_cells * (moved > 0),
        "door": 0.05 * (door_cells > 0),
        "move": 0.005 * moved,
    }
""",
    "FindStairs": """
import numpy as np

def compute_reward(local_map, stairs_seen, prev_stairs_seen, prev_local_map):
    visible = (local_map == ord(">")).any()
    newly = stairs_seen and not prev_stairs_seen
    centre = local_map[2, 2]
    on_stairs = centre == ord(">")
    changed = np.mean(local_map != prev_local_map)
    return {"visible": 0.1 * visible, "newly": 1.0 * newly, "on": 0.5 * on_stairs, "change": 0.01 * changed}
""",
    "MonsterAvoid": """
import numpy as np

def compute_reward(local_map, hp, prev_hp):
    penalty = 0.0
    for i in range(5):
        for j in range(5):
            c = local_map[i, j]
            is_monster = (65 <= c <= 90) or (97 <= c <= 122)
            if is_monster and not (i == 2 and j == 2):
                distance = max(abs(i - 2), abs(j - 2))
                penalty += 1.0 / distance
    return {"avoid": -0.05 * penalty, "hp": 0.02 * (hp - prev_hp)}
""",
    "BoulderPush": """
import numpy as np

def compute_reward(local_map, prev_local_map, hero_xy, prev_hero_xy):
    boulders = np.argwhere(local_map == 48)
    before = np.argwhere(prev_local_map == 48)
    pushed = len(boulders) > 0 and len(before) > 0 and not np.array_equal(boulders, before)
    step = np.abs(hero_xy - prev_hero_xy).sum()
    return {"pushed": 0.2 * pushed, "step": 0.01 * step}
""",
    "LevelUp": """
import numpy as np

def compute_reward(xp_level, prev_xp_level, xp_points, prev_xp_points, attributes, prev_attributes):
    thresholds = [20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10000]
    target = thresholds[0]
    for t in thresholds:
        if xp_points >= t:
            target = t * 2
    progress = xp_points / target
    attribute_gain = np.sum(attributes - prev_attributes)
    return {"progress": 0.1 * progress, "level": 5.0 * (xp_level - prev_xp_level), "attributes": 0.2 * attribute_gain}
""",
    "Rest": """
import numpy as np

def compute_reward(hp, prev_hp, max_hp, monsters_near, hunger, action):
    ratio = hp / max_hp
    healing = hp - prev_hp
    searching = action == 22
    should_rest = ratio < 0.4 and monsters_near == 0 and hunger < 2
    rest_reward = 0.02 if (should_rest and searching) else 0.0
    return {"heal": 0.05 * np.maximum(healing, 0), "rest": rest_reward}
""",
    "Balanced": """
import numpy as np

WEIGHTS = {"depth": 1.0, "gold": 0.1, "xp": 0.5, "hp": 0.3, "explore": 0.2}

def compute_reward(depth, prev_depth, gold, prev_gold, xp_points, prev_xp_points, hp, prev_hp, max_hp, seen_cells, prev_seen_cells):
    raw = {
        "depth": max(depth - prev_depth, 0),
        "gold": np.tanh((gold - prev_gold) / 50.0),
        "xp": np.tanh((xp_points - prev_xp_points) / 20.0),
        "hp": (hp - prev_hp) / max_hp,
        "explore": np.tanh((seen_cells - prev_seen_cells) / 10.0),
    }
    return {name: WEIGHTS[name] * value for name, value in raw.items()}
""",
    "Milestones": """
import numpy as np

def compute_reward(depth, prev_depth, xp_level, turn):
    bonus = 0.0
    for milestone in (2, 5, 10, 20):
        if prev_depth < milestone <= depth:
            bonus += milestone ** 0.5
    pace = depth / (1.0 + turn / 1000.0)
    under_levelled = max(0, depth - xp_level - 2)
    return {"milestone": bonus, "pace": 0.01 * pace, "risk": -0.01 * under_levelled ** 2}
""",
    "Search": """
import numpy as np

def compute_reward(seen_cells, prev_seen_cells, local_map, stairs_seen, turn):
    walls = np.isin(local_map, [124, 45]).sum()
    dead_end = walls >= 6 and not stairs_seen
    revealed = seen_cells > prev_seen_cells
    curiosity = 1.0 / np.sqrt(1.0 + turn / 100.0)
    return {"revealed": 0.1 * revealed * curiosity, "dead_end": -0.01 * dead_end}
""",
}
"""Task to a program for it."""
