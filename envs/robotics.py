"""Notes on Gymnasium-Robotics: instructions; fields and success come by themselves."""

from __future__ import annotations

from reward_synth.envs.notes import TaskNotes

_INSTRUCTIONS = {
    "FetchReach-v4": "Move the gripper to desired_goal.",
    "FetchPush-v4": "Push the block over the table to desired_goal; the gripper is shut.",
    "FetchSlide-v4": (
        "Hit the puck so that it slides over the table and stops at desired_goal, "
        "which the arm cannot reach."
    ),
    "FetchPickAndPlace-v4": (
        "Grasp the block and bring it to desired_goal, on the table or in the air."
    ),
    "HandReach-v3": "Bring the five fingertips of the hand to desired_goal.",
    "AdroitHandDoorSparse-v1": "Undo the latch and swing the door open.",
    "AdroitHandHammerSparse-v1": "Take the hammer and drive the nail into the board.",
    "AdroitHandPenSparse-v1": "Turn the pen in the hand to the target's orientation.",
    "AdroitHandRelocateSparse-v1": "Grasp the ball and move it to the target position.",
    "PointMaze_UMaze-v3": "Roll the ball through the maze to desired_goal.",
    "AntMaze_UMaze-v5": "Walk the four-legged robot through the maze to desired_goal.",
}

NOTES = {task: TaskNotes(instruction=text) for task, text in _INSTRUCTIONS.items()}
