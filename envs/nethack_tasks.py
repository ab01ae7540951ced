"""NetHack's and MiniHack's tasks: their names, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reward_synth.envs.notes import TaskNotes
from reward_synth.task import Field

ONI: Mapping[str, str] = {
    "NetHackONI-Score-v0": "Score",
    "NetHackONI-Oracle-v0": "Oracle",
    "NetHackONI-OracleSober-v0": "OracleSober",
    "NetHackONI-StaircaseLvl3-v0": "StaircaseLevel3",
    "NetHackONI-StaircaseLvl4-v0": "StaircaseLevel4",
    "NetHackONI-RewardFree-v0": "RewardFree",
}
"""Ids of the tasks after ONI (arXiv 2410.23022), and the classes that make them."""
NETHACK = (
    *ONI,
    "NetHackScore-v0",
    "NetHackStaircase-v0",
    "NetHackStaircasePet-v0",
    "NetHackOracle-v0",
    "NetHackGold-v0",
    "NetHackEat-v0",
    "NetHackScout-v0",
)
"""The default first; the challenge is left out, as it forbids seeds."""
BONUS_TASKS = tuple(
    f"MiniHack-{name}-v0"
    for name in (
        "Levitate-Potion-Restricted",
        "Levitate-Boots-Restricted",
        "Freeze-Horn-Restricted",
        "Freeze-Wand-Restricted",
        "Freeze-Random-Restricted",
        "LavaCross-Restricted",
        "WoD-Hard-Restricted",
        "MultiRoom-N4-Locked",
        "MultiRoom-N6-Lava",
        "MultiRoom-N6-Lava-OpenDoor",
        "MultiRoom-N6-LavaMonsters",
        "MultiRoom-N10-OpenDoor",
        "MultiRoom-N10-Lava-OpenDoor",
        "LavaCrossingS19N13",
        "LavaCrossingS19N17",
        "Labyrinth-Big",
    )
)
"""The 16 tasks of "A Study of Global and Episodic Bonuses" (arXiv 2306.03236)."""
MINIHACK = (
    "MiniHack-KeyRoom-S5-v0",
    "MiniHack-KeyRoom-S15-v0",
    "MiniHack-KeyRoom-Dark-S5-v0",
    "MiniHack-KeyRoom-Dark-S15-v0",
    "MiniHack-Corridor-R2-v0",
    "MiniHack-Corridor-R3-v0",
    "MiniHack-Corridor-R5-v0",
    *BONUS_TASKS,
)
"""The default first."""
LONGEST: Mapping[str, int] = {"NetHackChallenge-v0": 1_000_000}


@dataclass(frozen=True, slots=True)
class Stat:
    """One number of the bottom line."""

    name: str
    index: int
    """Place in ``blstats``."""
    meaning: str


STATS = (
    Stat("hero_x", 0, "Column of the hero on the map."),
    Stat("hero_y", 1, "Row of the hero on the map; row 0 is the top."),
    Stat("strength", 2, "Strength."),
    Stat("dexterity", 4, "Dexterity."),
    Stat("constitution", 5, "Constitution."),
    Stat("intelligence", 6, "Intelligence."),
    Stat("wisdom", 7, "Wisdom."),
    Stat("charisma", 8, "Charisma."),
    Stat("hp", 10, "Hit points; at 0 the hero dies."),
    Stat("max_hp", 11, "Most hit points that the hero can have."),
    Stat("depth", 12, "Levels below the surface, from 1."),
    Stat("gold", 13, "Gold pieces in the purse."),
    Stat("energy", 14, "Energy for spells."),
    Stat("max_energy", 15, "Most energy that the hero can have."),
    Stat("armor_class", 16, "Armour class; lower protects better."),
    Stat("xp_level", 18, "Experience level."),
    Stat("xp_points", 19, "Experience points."),
    Stat("turn", 20, "Turns of the game so far."),
    Stat("hunger", 21, "0 satiated, 1 not hungry, 2 hungry, 3 weak, 4 fainting."),
    Stat("burden", 22, "0 unencumbered, 1 burdened, up to 5 overloaded."),
    Stat("branch", 23, "Number of the dungeon's branch; 0 is the main one."),
    Stat("level", 24, "Number of the level within the branch."),
    Stat("condition", 25, "Bits of what ails the hero, such as hallucination."),
)
"""Places as in NLE's ``NLE_BL_*`` constants; the score is left out, as it is the reward
of some tasks."""
_WORDS = {
    "Score": "Raise the game's score as far as you can before you die.",
    "OracleSober": "Reach the Oracle and stand beside it, without hallucinating.",
    "Oracle": "Reach the Oracle and stand beside it.",
    "StaircaseLvl3": "Descend to the third level of the dungeon.",
    "StaircaseLvl4": "Descend to the fourth level of the dungeon.",
    "StaircasePet": "Stand on a staircase down with the pet beside you.",
    "Staircase": "Stand on a staircase down.",
    "RewardFree": "Play NetHack; the environment pays nothing.",
    "Gold": "Collect gold.",
    "Eat": "Eat, so that the hero is less hungry.",
    "Scout": "See as much of the dungeon as you can.",
    "KeyRoom": "Take the key, unlock the door of the small room with it, and stand on "
    "the staircase down inside.",
    "Corridor": "Find the room with the staircase down through the corridors.",
    "MultiRoom": "Cross the rooms through their doors to the staircase down.",
    "Lava": "Get across the lava to the staircase down.",
    "Levitate": "Levitate over the water or lava to the staircase down.",
    "Freeze": "Freeze the lava, and cross it to the staircase down.",
    "WoD": "Kill the monster with the wand of death and reach the staircase down.",
    "Labyrinth": "Find the staircase down in the labyrinth.",
}
_PAYING = ("Score", "Gold", "Eat", "Scout")


def instruction(task: str) -> str:
    """Return what is to be done in a task, in words; ``""`` if nothing is known.

    Example:
        >>> instruction("NetHackStaircasePet-v0")
        'Stand on a staircase down with the pet beside you.'
        >>> instruction("CartPole-v1")
        ''
    """
    if not task.startswith(("NetHack", "MiniHack")):
        return ""
    fits = [text for name, text in _WORDS.items() if name in task]
    return fits[0] if fits else "Reach the goal of the level, mostly a staircase down."


def notes(task: str) -> TaskNotes:
    """Return what describers are told of a task.

    Example:
        >>> notes("MiniHack-KeyRoom-S5-v0").sparse, notes("NetHackGold-v0").sparse
        (True, False)
    """
    numbers = tuple(
        Field(item.name, (), "int", meaning=item.meaning, source=_source(item))
        for item in STATS
    )
    pays = any(name in task for name in _PAYING)
    return TaskNotes(instruction(task), fields=numbers, sparse=not pays)


def _source(item: Stat) -> str:
    return f"obs.blstats[{item.index}]"
