"""Notes on motions of Hopper and Ant: what is asked, and when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.envs.mujoco import NOTES as MUJOCO
from reward_synth.envs.notes import TaskNotes
from reward_synth.task import Field, Success

_TURN = 6.0
"""Radians: a whole turn, less what a landing leans."""
_UP = "1 - 2 * (torso_orientation[1] ** 2 + torso_orientation[2] ** 2)"
"""How far the torso's own upward axis points up: 1 upright, -1 on its back."""
_AHEAD = "1 - 2 * (torso_orientation[2] ** 2 + torso_orientation[3] ** 2)"
"""How far its forward axis points along x."""
_NOSE = (
    "2 * (torso_orientation[1] * torso_orientation[3] "
    "- torso_orientation[0] * torso_orientation[2])"
)
"""How far its forward axis points up."""
_STILL = (
    "np.linalg.norm(torso_velocity) <= 0.1 "
    "and np.linalg.norm(torso_angular_velocity) <= 0.5"
)
_OTHERS = "np.max(foot_heights[1:4]) <= 0.15"
_LANDED = "torso_z >= 1.0 and np.cos(torso_angle) >= 0.9"
"""Standing it is 1.25 m high."""
_FEET = Field(
    "foot_heights",
    (4,),
    unit="m",
    meaning="Height of the feet's tips: front left, front right, back left, back right.",
    source="sim.get_foot_heights()",
)
_SWINGS = Field(
    "swings",
    meaning="How often the front left leg, its foot lifted by 0.2 m and the others on the "
    "ground, has swung to its other side.",
    source="sim.get_swings()",
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One motion."""

    entry: str
    """The class that is made."""
    notes: TaskNotes
    falls: bool = True
    """Whether an episode ends where the robot's own rule calls it unhealthy."""
    after: str = "Text2Reward"


def _success(rule: str, words: str, luck: int) -> Success:
    by_chance = f"random and held actions did so in {luck} of 20 episodes"
    return Success(rule, f"{words}; {by_chance}")


def _hopper(instruction: str, rule: str, words: str) -> Behaviour:
    notes = TaskNotes(
        instruction=instruction,
        success=_success(rule, words, luck=0),
        ends_on_success=False,
    )
    return Behaviour("gymnasium.envs.mujoco.hopper_v5:HopperEnv", notes, falls=False)


def _ant(
    instruction: str,
    rule: str,
    words: str,
    *fields: Field,
    luck: int,
    after: str = "Text2Reward",
) -> Behaviour:
    known = MUJOCO["Ant-v5"]
    notes = TaskNotes(
        instruction=instruction,
        success=_success(rule, words, luck),
        fields=(*known.fields, *fields),
        sizes=known.sizes,
        ends_on_success=False,
    )
    entry = "reward_synth.envs.behaviours:MovingAnt"
    return Behaviour(entry, notes, falls=False, after=after)


_L2R = "Language to Rewards"
TASKS = {
    "HopperForward-v0": Behaviour(
        "gymnasium.envs.mujoco.hopper_v5:HopperEnv", MUJOCO["Hopper-v5"]
    ),
    "HopperFrontFlip-v0": _hopper(
        "Turn a somersault forward, and land on the foot.",
        f"torso_angle >= {_TURN} and {_LANDED}",
        "the torso has turned forward by a whole turn, is upright again and 1 m high",
    ),
    "HopperBackFlip-v0": _hopper(
        "Turn a somersault backward, and land on the foot.",
        f"torso_angle <= -{_TURN} and {_LANDED}",
        "the torso has turned backward by a whole turn, is upright again and 1 m high",
    ),
    "AntForward-v0": Behaviour("gymnasium.envs.mujoco.ant_v5:AntEnv", MUJOCO["Ant-v5"]),
    "AntLieDown-v0": _ant(
        "Lie down on the belly, and lie still.",
        f"torso_z <= 0.4 and {_UP} >= 0.9 and {_STILL}",
        "the torso is at most 0.4 m high, level and still",
        luck=4,
    ),
    "AntWaveLeg-v0": _ant(
        "Lift the front left leg and wave it to and fro.",
        f"swings >= 4 and {_UP} >= 0.7",
        "the lifted front left leg has swung four times while the other feet stood",
        _FEET,
        _SWINGS,
        luck=1,
    ),
    "AntTurnBack-v0": _ant(
        "Turn on the spot until the torso faces along the negative x-axis.",
        f"{_AHEAD} <= -0.9 and {_UP} >= 0.8",
        "the torso's forward axis points along -x, and the torso is upright",
        luck=4,
        after=_L2R,
    ),
    "AntRollOver-v0": _ant(
        "Roll over onto the back.",
        f"{_UP} <= -0.8 and {_STILL}",
        "the torso's upward axis points down, and it lies still",
        luck=15,
        after=_L2R,
    ),
    "AntSit-v0": _ant(
        "Sit: keep the back low and raise the front.",
        f"{_NOSE} >= 0.4 and {_UP} >= 0.5 and {_STILL}",
        "the torso's forward axis points up by 24 degrees or more, and it is still",
        _FEET,
        luck=1,
        after=_L2R,
    ),
    "AntLiftPaw-v0": _ant(
        "Stand still and lift the front left foot.",
        f"foot_heights[0] >= 0.35 and {_UP} >= 0.8 and {_OTHERS} and {_STILL}",
        "the front left foot is 0.35 m high, the others stand, the torso level and still",
        _FEET,
        luck=3,
        after=_L2R,
    ),
}
NOTES = {name: task.notes for name, task in TASKS.items()}
