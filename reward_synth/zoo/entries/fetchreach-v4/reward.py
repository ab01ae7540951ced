# Reward program written by reward_synth.
# task: Robotics/FetchReach-v4
# fields: desired_goal: float[3]; grip_pos: float[3]; action: float[4]
# digest: f4f1d82cb5fc303622c5ade18ea81c061a18f2d169c9b43cdabedb0f9bf3ef31
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(desired_goal, grip_pos, action):
    """Move the gripper to desired_goal."""
    near_grip_desired_goal = 1.0 / (1.0 + 5.0 * np.linalg.norm(grip_pos - desired_goal))
    control = -np.mean(np.square(action))
    return {
        "near_grip_desired_goal": 2.0 * near_grip_desired_goal,
        "control": 0.05 * control,
    }


def compute_potential(desired_goal, grip_pos):
    """Potential of the same."""
    near_grip_desired_goal = 1.0 / (1.0 + 5.0 * np.linalg.norm(grip_pos - desired_goal))
    return 2.0 * near_grip_desired_goal
