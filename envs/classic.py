"""Notes on Gymnasium's classic control tasks."""

from __future__ import annotations

from reward_synth.envs.notes import TaskNotes
from reward_synth.task import Field, Success

_CAR = (
    Field("position", unit="m", meaning="Position along the track.", source="obs[0]"),
    Field(
        "velocity",
        unit="m/step",
        meaning="Change of position a step, positive to the right.",
        source="obs[1]",
    ),
)
_DRIVE = (
    "Drive an underpowered car out of a valley to the flag on the right hill. The "
    "engine is too weak to climb directly: swing back and forth to gain momentum."
)

NOTES = {
    "MountainCarContinuous-v0": TaskNotes(
        instruction=_DRIVE,
        success=Success("position >= 0.45", "the car reaches the flag at 0.45"),
        fields=_CAR,
        sizes=(2,),
        sparse=False,
        ends_on_success=True,
        remarks=(
            "The environment pays 100 at the flag and charges 0.1 action² a step.",
        ),
    ),
    "MountainCar-v0": TaskNotes(
        instruction=_DRIVE,
        success=Success("position >= 0.5", "the car reaches the flag at 0.5"),
        fields=_CAR,
        sizes=(2,),
        sparse=True,
        ends_on_success=True,
    ),
    "CartPole-v1": TaskNotes(
        instruction=(
            "Keep the pole upright on the cart as long as possible. The episode ends "
            "when the pole leans more than 12 degrees or the cart leaves ±2.4 m."
        ),
        fields=(
            Field("cart_position", unit="m", source="obs[0]"),
            Field("cart_velocity", unit="m/s", source="obs[1]"),
            Field("pole_angle", unit="rad", meaning="0 is upright.", source="obs[2]"),
            Field("pole_angular_velocity", unit="rad/s", source="obs[3]"),
        ),
        sizes=(4,),
        dt=0.02,
        sparse=False,
        remarks=("Surviving is the task, so no single state is success.",),
    ),
    "Pendulum-v1": TaskNotes(
        instruction=(
            "Swing the pendulum up and hold it upright and still. The torque is too "
            "weak to lift it directly: swing back and forth to gain momentum."
        ),
        success=Success(
            "cos_theta > 0.95 and np.abs(angular_velocity) < 1.0",
            "the pendulum is within 18 degrees of upright and slower than 1 rad/s",
        ),
        fields=(
            Field(
                "cos_theta",
                meaning="Cosine of the angle; 1 is upright.",
                source="obs[0]",
            ),
            Field("sin_theta", meaning="Sine of the angle.", source="obs[1]"),
            Field("angular_velocity", unit="rad/s", source="obs[2]"),
        ),
        sizes=(3,),
        ends_on_success=False,
    ),
    "Acrobot-v1": TaskNotes(
        instruction=(
            "Swing the free end of a two-link pendulum above the line that lies one "
            "link length over its fixed joint; only the middle joint is driven."
        ),
        # cos(theta1 + theta2) written out in what the observation holds.
        success=Success(
            "-cos_theta1 - (cos_theta1 * cos_theta2 - sin_theta1 * sin_theta2) > 1.0",
            "the free end is more than one link length above the fixed joint",
        ),
        fields=(
            Field("cos_theta1", meaning="First joint; 1 hangs down.", source="obs[0]"),
            Field("sin_theta1", source="obs[1]"),
            Field(
                "cos_theta2",
                meaning="Second, relative; 1 is straight.",
                source="obs[2]",
            ),
            Field("sin_theta2", source="obs[3]"),
            Field("theta1_velocity", unit="rad/s", source="obs[4]"),
            Field("theta2_velocity", unit="rad/s", source="obs[5]"),
        ),
        sizes=(6,),
        sparse=True,
        ends_on_success=True,
    ),
}
