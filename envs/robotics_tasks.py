"""What is known about Gymnasium-Robotics' tasks, by the beginning of their ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reward_synth.envs import robotics_fields as known_fields
from reward_synth.envs.notes import TaskNotes
from reward_synth.envs.robotics_fields import Fields
from reward_synth.envs.simulator import LAG

_NEAR = "np.linalg.norm(achieved_goal - desired_goal)"


@dataclass(frozen=True, slots=True)
class Known:
    """Tasks whose ids begin alike."""

    instruction: str
    """What is to be done, in words."""
    rule: str
    """When success is reported, over fields; ``{radius}`` is the environment's own."""
    fields: Fields
    """Without what only newer versions observe."""
    notes: tuple[str, ...] = ()
    """What differs from the package's own description."""


_WRONG_SIGN = (
    "In gymnasium-robotics 1.4.2 the expert arm's reward grows with the distance of the "
    "palm to the {}: its first term has the wrong sign."
)
_MANIPULATE = (
    "object_pos is within {radius} m of goal_pos and object_quat within {turn} rad of "
    "goal_quat, as far as the task gives a goal for them{but}"
)
STEMS: dict[str, Known] = {
    "FetchReach": Known(
        "Move the gripper to desired_goal.",
        f"{_NEAR} < {{radius}}",
        known_fields.REACH,
    ),
    "FetchPush": Known(
        "Push the block over the table to desired_goal; the gripper is shut.",
        f"{_NEAR} < {{radius}}",
        known_fields.OBJECT,
    ),
    "FetchSlide": Known(
        "Hit the puck so that it slides over the table and stops at desired_goal, "
        "which the arm cannot reach.",
        f"{_NEAR} < {{radius}}",
        known_fields.OBJECT,
    ),
    "FetchPickAndPlace": Known(
        "Grasp the block and bring it to desired_goal, on the table or in the air.",
        f"{_NEAR} < {{radius}}",
        known_fields.OBJECT,
    ),
    "HandReach": Known(
        "Bring the five fingertips of the hand to desired_goal.",
        f"{_NEAR} < {{radius}}",
        known_fields.HAND_REACH,
    ),
    "HandManipulateBlock": Known(
        "Turn and move the block in the hand until it lies as the goal says.",
        _MANIPULATE,
        known_fields.HAND_MANIPULATE,
    ),
    "HandManipulateEgg": Known(
        "Turn and move the egg in the hand until it lies as the goal says.",
        _MANIPULATE,
        known_fields.HAND_MANIPULATE,
    ),
    "HandManipulatePen": Known(
        "Turn and move the pen in the hand until it lies as the goal says.",
        _MANIPULATE,
        known_fields.HAND_MANIPULATE,
    ),
    "AdroitHandDoor": Known(
        "Undo the latch and swing the door open.",
        "door_angle >= 1.35",
        known_fields.DOOR,
        (LAG, _WRONG_SIGN.format("handle")),
    ),
    "AdroitHandHammer": Known(
        "Take the hammer and drive the nail into the board.",
        "np.linalg.norm(nail_pos - nail_goal_pos) < 0.01",
        known_fields.HAMMER,
        (LAG, _WRONG_SIGN.format("hammer")),
    ),
    "AdroitHandPen": Known(
        "Turn the pen in the hand to the target's orientation.",
        "np.linalg.norm(pen_rel_pos) < 0.075 and np.sum(pen_dir * goal_dir) > 0.95",
        known_fields.PEN,
        (LAG,),
    ),
    "AdroitHandRelocate": Known(
        "Grasp the ball and move it to the target position.",
        "np.linalg.norm(goal_to_ball) < 0.1",
        known_fields.RELOCATE,
        (LAG, _WRONG_SIGN.format("ball")),
    ),
    "PointMaze_": Known(
        "Roll the ball through the maze to desired_goal.",
        f"{_NEAR} <= 0.45",
        known_fields.POINT,
    ),
    "AntMaze_": Known(
        "Walk the four-legged robot through the maze to desired_goal.",
        f"{_NEAR} <= 0.45",
        known_fields.ANT,
    ),
}
_OLD_ANT = ("-v3", "-v4")
"""Versions of AntMaze that do not observe forces."""
_MAZES = (
    "UMaze",
    "Open",
    "Open_Diverse_G",
    "Open_Diverse_GR",
    "Medium",
    "Medium_Diverse_G",
    "Medium_Diverse_GR",
    "Large",
    "Large_Diverse_G",
    "Large_Diverse_GR",
)
_MANIPULATED = (
    *("Block", "BlockRotateZ", "BlockRotateParallel", "BlockRotateXYZ", "BlockFull"),
    *("Egg", "EggRotate", "EggFull"),
    *("Pen", "PenRotate", "PenFull"),
)


def _ids() -> Iterator[str]:
    yield from ("FetchReach-v4", "FetchPush-v4", "FetchSlide-v4")
    yield from ("FetchPickAndPlace-v4", "HandReach-v3")
    yield from (f"HandManipulate{name}-v1" for name in _MANIPULATED)
    yield from (
        f"AdroitHand{n}Sparse-v1" for n in ("Door", "Hammer", "Pen", "Relocate")
    )
    yield from (f"PointMaze_{name}-v3" for name in _MAZES)
    yield from (f"AntMaze_{name}-v5" for name in _MAZES)
    yield "FrankaKitchen-v1"


TASKS = tuple(_ids())
"""The sparse ones, the default first."""


def known_of(task: str) -> Known | None:
    """Return what is known of a task, also in older versions and in dense variants.

    Example:
        >>> known_of("PointMaze_Large-v3").rule
        'np.linalg.norm(achieved_goal - desired_goal) <= 0.45'
        >>> known_of("FrankaKitchen-v1") is None
        True
    """
    fits = [stem for stem in STEMS if task.startswith(stem)]
    return STEMS[fits[0]] if fits else None


def fields_of(task: str) -> Fields:
    """Return a task's fields, none if nothing is known of it.

    Example:
        >>> fields_of("AntMaze_UMaze-v5")[-1].name, fields_of("AntMaze_UMaze-v4")[-1].name
        ('cfrc_ext', 'leg_joint_vel')
    """
    known = known_of(task)
    if known is None:
        return ()
    newer = task.startswith("AntMaze_") and not task.endswith(_OLD_ANT)
    return (*known.fields, known_fields.FORCES) if newer else known.fields


def notes_of(task: str) -> TaskNotes:
    """Return our notes on a task.

    Example:
        >>> notes_of("FetchReach-v4").instruction
        'Move the gripper to desired_goal.'
    """
    known = known_of(task)
    if known is None:
        return TaskNotes()
    return TaskNotes(known.instruction, fields=fields_of(task), remarks=known.notes)


NOTES = {task: notes_of(task) for task in TASKS if known_of(task)}
