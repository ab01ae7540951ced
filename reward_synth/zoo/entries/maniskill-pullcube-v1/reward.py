# Reward program written by reward_synth.
# task: ManiSkill/PullCube-v1
# fields: tcp_pos: float[3]; cube_pos: float[3]; goal_pos: float[3]
# digest: 6b94799687c291ce035f49b43b9d41f084fc5f98cd63c90aed40abc443363dad
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(cube_pos, goal_pos, prev_cube_pos, prev_goal_pos, tcp_pos):
    """Pull the cube towards the robot (along -x) into the goal region."""
    near_tcp_cube = 1.0 / (1.0 + 10.0 * np.linalg.norm(tcp_pos - cube_pos))
    near_cube_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(cube_pos - goal_pos))
    progress_cube_goal = 5.0 * (np.linalg.norm(prev_cube_pos - prev_goal_pos) - np.linalg.norm(cube_pos - goal_pos))
    time = -1.0
    return {
        "near_tcp_cube": 1.0 * near_tcp_cube,
        "near_cube_goal": 2.0 * near_cube_goal * near_tcp_cube,
        "progress_cube_goal": 1.0 * progress_cube_goal,
        "time": 3.0 * time,
    }


def compute_potential(cube_pos, goal_pos, tcp_pos):
    """Potential of the same."""
    near_tcp_cube = 1.0 / (1.0 + 10.0 * np.linalg.norm(tcp_pos - cube_pos))
    near_cube_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(cube_pos - goal_pos))
    return 1.0 * near_tcp_cube + 2.0 * near_cube_goal * near_tcp_cube
