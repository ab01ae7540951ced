# Reward program written by reward_synth.
# task: MetaWorld/handle-press-v3
# fields: hand_pos: float[3]; left_pad_pos: float[3]; goal_pos: float[3]
# digest: 3fccb10e2435345d12e47287e8f8ed1286ad272af4f5b2739d2f23a5f96f3234
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(goal_pos, hand_pos, left_pad_pos, prev_goal_pos, prev_left_pad_pos):
    """Press the handle down."""
    way = goal_pos - left_pad_pos
    ahead = way / (np.linalg.norm(way) + 1e-6)
    contact = left_pad_pos - 0.025 * ahead
    behind_hand_left_pad_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(hand_pos - contact))
    near_left_pad_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(left_pad_pos - goal_pos))
    progress_left_pad_goal = 20.0 * (np.linalg.norm(prev_left_pad_pos - prev_goal_pos) - np.linalg.norm(left_pad_pos - goal_pos))
    return {
        "behind_hand_left_pad_goal": 0.5 * behind_hand_left_pad_goal,
        "near_left_pad_goal": 2.0 * near_left_pad_goal,
        "progress_left_pad_goal": 1.0 * progress_left_pad_goal,
    }


def compute_potential(goal_pos, hand_pos, left_pad_pos):
    """Potential of the same."""
    way = goal_pos - left_pad_pos
    ahead = way / (np.linalg.norm(way) + 1e-6)
    contact = left_pad_pos - 0.025 * ahead
    behind_hand_left_pad_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(hand_pos - contact))
    near_left_pad_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(left_pad_pos - goal_pos))
    return 0.5 * behind_hand_left_pad_goal + 2.0 * near_left_pad_goal
