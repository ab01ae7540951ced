"""What becomes of refused programs once the printed hint is followed.

Each repair changes the refused lines alone, as the hint says, and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple


class Repair(NamedTuple):
    """One round: pieces of text and what they are replaced by."""

    hint: str
    """A part of the hint that was followed; the campaign asserts that it was printed."""
    changes: tuple[tuple[str, str], ...]


REPAIRS: dict[str, tuple[Repair, ...]] = {
    "PullCubeTool": (Repair("Leave it out", ((", dtype=np.float32", ""),)),),
    "HumanoidPlaceApple": (
        Repair(
            "Assign to a plain name",
            (
                ("int(is_grasped)", "float(is_grasped)"),
                ("bowl_above = other_pos.copy()", "x, y, z = other_pos"),
                (
                    "bowl_above[2] += 0.15",
                    "bowl_above = np.array([x, y, z + 0.15])",
                ),
            ),
        ),
    ),
    "basketball": (
        Repair(
            "Build a new vector with np.array([...])",
            (
                ("target = goal.copy()", "target = np.array([goal[0], goal[1], 0.3])"),
                ("    target[2] = 0.3\n", ""),
            ),
        ),
    ),
    "Scissors": (
        Repair(
            "Compare the values with np.where",
            (
                (
                    "nearest = np.argmin(np.linalg.norm(fingertips - object_pos, axis=1))",
                    "distance = np.min(np.linalg.norm(fingertips - object_pos, axis=1))",
                ),
                (
                    "np.linalg.norm(fingertips[nearest] - object_pos)",
                    "distance",
                ),
            ),
        ),
    ),
    "BoulderPush": (
        Repair(
            "test with np.any(x == 1)",
            (
                ("np.argwhere(local_map == 48)", "local_map == 48"),
                ("np.argwhere(prev_local_map == 48)", "prev_local_map == 48"),
                (
                    "len(boulders) > 0 and len(before) > 0 "
                    "and not np.array_equal(boulders, before)",
                    "np.any(boulders) and np.any(before) and np.any(boulders != before)",
                ),
            ),
        ),
    ),
    "Balanced": (
        Repair(
            'for example {"reach": reach, "grasp": 0.5}',
            (
                (
                    "{name: WEIGHTS[name] * value for name, value in raw.items()}",
                    '{"depth": WEIGHTS["depth"] * raw["depth"], '
                    '"gold": WEIGHTS["gold"] * raw["gold"], '
                    '"xp": WEIGHTS["xp"] * raw["xp"], '
                    '"hp": WEIGHTS["hp"] * raw["hp"], '
                    '"explore": WEIGHTS["explore"] * raw["explore"]}',
                ),
            ),
        ),
    ),
    "two_pegs": (
        Repair(
            "Use np.min and np.max",
            (
                ("    order = np.argsort(distances)\n", ""),
                ("distances[order[0]]", "np.min(distances)"),
            ),
        ),
    ),
    "juggle": (
        Repair(
            "Use min and max",
            (
                (
                    "heights = sorted([object_pos[2], target_pos[2]])",
                    "lower = min(object_pos[2], target_pos[2])",
                ),
                ("heights[0]", "lower"),
            ),
        ),
    ),
    "dig_down": (
        Repair(
            "choose numbers with a if test else b",
            (
                ('    danger = {"low": 0.1, "high": 0.5}\n', ""),
                (
                    'level = "high" if depth > 2 * xp_level else "low"',
                    "danger = 0.5 if depth > 2 * xp_level else 0.1",
                ),
                ("danger[level]", "danger"),
            ),
        ),
    ),
    "attributes": (
        Repair(
            "Leave it out",
            (('NAMES = ["strength", "dexterity", "constitution"]\n', ""),),
        ),
        Repair(
            "as many different names as there are",
            (
                (
                    "strength, dexterity, constitution, *_ = change",
                    "strength, dexterity, constitution, _, _, _ = change",
                ),
            ),
        ),
    ),
}
"""Name of a program to its rounds of repair."""


def repaired(text: str, repair: Repair) -> str:
    """Return the text after one round.

    Raises:
        ValueError: A piece is not there.

    Example:
        >>> repaired("a = 1", Repair("", (("1", "2"),)))
        'a = 2'
    """
    for old, new in repair.changes:
        if old not in text:
            raise ValueError(f"{old!r} is not in the text that is repaired.")
        text = text.replace(old, new)
    return text
