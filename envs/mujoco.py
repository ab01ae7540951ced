"""Notes on Gymnasium's MuJoCo tasks.

How the distances of the locomotion tasks were chosen: in 100 episodes (50 of random
actions, seeds 0 to 49, and 50 of held actions, seeds 50 to 99, played to the end) the
torso never came further than ``luck`` metres. Success asks for more than twice that,
and for at least 2 m; agents that have learned the task go several times further.
"""

from __future__ import annotations

from reward_synth.envs.notes import TaskNotes
from reward_synth.task import Field, Success

_SURVIVE = "Surviving is the task, so no single state is success."


def _forward(what: str, metres: float, luck: float) -> TaskNotes:
    words = (
        f"the torso is at least {metres:g} m ahead of the start; random and held "
        f"actions came no further than {luck:g} m in 100 episodes"
    )
    return TaskNotes(
        instruction=f"{what} forward, along the positive x-axis, as fast as possible.",
        success=Success(f"torso_pos[0] >= {metres:g}", words),
        ends_on_success=False,
    )


def _with_fields(notes: TaskNotes, sizes: tuple[int, ...], *fields: Field) -> TaskNotes:
    return TaskNotes(
        instruction=notes.instruction,
        success=notes.success,
        fields=fields,
        sizes=sizes,
        ends_on_success=notes.ends_on_success,
    )


def _torso(orientation: int, velocity: int) -> tuple[Field, ...]:
    """Group what the observation of a free torso holds entry by entry."""
    return (
        Field(
            "torso_orientation",
            (4,),
            meaning="Orientation of the torso, quaternion w, x, y, z.",
            source=f"obs[{orientation}:{orientation + 4}]",
        ),
        Field(
            "torso_velocity",
            (3,),
            unit="m/s",
            meaning="Velocity of the torso, in the world's axes.",
            source=f"obs[{velocity}:{velocity + 3}]",
        ),
        Field(
            "torso_angular_velocity",
            (3,),
            unit="rad/s",
            meaning="Angular velocity of the torso, in its own axes.",
            source=f"obs[{velocity + 3}:{velocity + 6}]",
        ),
    )


def _left(part: str, index: int) -> Field:
    return Field(
        f"left_{part}_hinge_angular_velocity",
        unit="rad/s",
        meaning=f"Angular velocity of the left {part} hinge.",
        source=f"obs[{index}]",
    )


_HUMANOID = _torso(orientation=1, velocity=22)
_STAND = TaskNotes(
    instruction="Stand up from lying on the ground, and stay standing.",
    success=Success(
        "torso_pos[2] >= 1.2",
        "the torso is at least 1.2 m high (it is 1.4 m standing); random and held "
        "actions came no higher than 0.76 m in 40 episodes",
    ),
    ends_on_success=False,
)
_REACHER = (
    Field(
        "target_xy",
        (2,),
        unit="m",
        meaning="Position of the target.",
        source="obs[4:6]",
    ),
    Field(
        "fingertip_to_target",
        (2,),
        unit="m",
        meaning="Fingertip minus target, x and y.",
        source="obs[8:10]",
    ),
)
_PUSHER = (
    Field(
        "tips_arm_pos",
        (3,),
        unit="m",
        meaning="World position of the arm's fingertip.",
        source="obs[14:17]",
        check="body.tips_arm.xpos",
    ),
    Field(
        "object_pos",
        (3,),
        unit="m",
        meaning="World position of the object to be pushed.",
        source="obs[17:20]",
        check="body.object.xpos",
    ),
    Field(
        "goal_pos",
        (3,),
        unit="m",
        meaning="World position where the object is to be.",
        source="obs[20:23]",
        check="body.goal.xpos",
    ),
)

NOTES = {
    "Hopper-v5": _forward("Hop on one leg without falling,", 2, luck=0.51),
    "HalfCheetah-v5": _forward("Run", 10, luck=4.5),
    # Gymnasium's table calls the left leg's speeds by the right leg's names.
    "Walker2d-v5": _with_fields(
        _forward("Walk on two legs without falling,", 2, luck=0.07),
        (17,),
        _left("thigh", 14),
        _left("leg", 15),
        _left("foot", 16),
    ),
    "Ant-v5": _with_fields(
        _forward("Walk on four legs", 12, luck=5.7),
        (105, 27),
        *_torso(orientation=1, velocity=13),
    ),
    "Humanoid-v5": _with_fields(
        _forward("Walk on two legs without falling,", 2, luck=0.73), (348,), *_HUMANOID
    ),
    "HumanoidStandup-v5": _with_fields(_STAND, (348,), *_HUMANOID),
    "Swimmer-v5": _forward("Swim", 5, luck=2.2),
    "Reacher-v5": TaskNotes(
        instruction="Move the fingertip of the two-link arm to the target.",
        success=Success(
            "np.linalg.norm(fingertip_to_target) < 0.05",
            "the fingertip is closer than 5 cm to the target",
        ),
        fields=_REACHER,
        sizes=(10,),
        ends_on_success=False,
    ),
    "Pusher-v5": TaskNotes(
        instruction="Push the object with the arm's fingertip to the goal on the table.",
        success=Success(
            "np.linalg.norm(object_pos[0:2] - goal_pos[0:2]) < 0.1",
            "the object is closer than 10 cm to the goal, seen from above",
        ),
        fields=_PUSHER,
        sizes=(23,),
        ends_on_success=False,
    ),
    "InvertedPendulum-v5": TaskNotes(
        instruction=(
            "Keep the pole on the cart upright. The episode ends when it leans more "
            "than 0.2 rad."
        ),
        sparse=False,
        remarks=(_SURVIVE,),
    ),
    "InvertedDoublePendulum-v5": TaskNotes(
        instruction=(
            "Keep two linked poles on the cart upright. The episode ends when the tip "
            "is no higher than 1 m."
        ),
        sparse=False,
        remarks=(_SURVIVE,),
    ),
}
