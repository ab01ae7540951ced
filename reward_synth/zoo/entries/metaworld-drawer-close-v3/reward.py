# Reward program written by reward_synth.
# task: MetaWorld/drawer-close-v3
# fields: hand_pos: float[3]; tcp_pos: float[3]; left_pad_pos: float[3]; right_pad_pos: float[3]; goal_pos: float[3]
# digest: e4e7871b2b3405afef41b6b94b67d103058a644fa73432dbac7ff154632343a5
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(goal_pos, hand_pos, left_pad_pos, prev_goal_pos, prev_left_pad_pos, prev_right_pad_pos, right_pad_pos, tcp_pos):
    """Push the drawer shut."""
    near_hand_right_pad = 1.0 / (1.0 + 10.0 * np.linalg.norm(hand_pos - right_pad_pos))
    near_right_pad_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(right_pad_pos - goal_pos))
    progress_right_pad_goal = 20.0 * (np.linalg.norm(prev_right_pad_pos - prev_goal_pos) - np.linalg.norm(right_pad_pos - goal_pos))
    way = goal_pos - left_pad_pos
    ahead = way / (np.linalg.norm(way) + 1e-6)
    contact = left_pad_pos - 0.025 * ahead
    behind_tcp_left_pad_goal = np.exp(-10.0 * np.linalg.norm(tcp_pos - contact))
    progress_left_pad_goal = 20.0 * (np.linalg.norm(prev_left_pad_pos - prev_goal_pos) - np.linalg.norm(left_pad_pos - goal_pos))
    return {
        "near_hand_right_pad": 1.0 * near_hand_right_pad,
        "near_right_pad_goal": 2.0 * near_right_pad_goal,
        "progress_right_pad_goal": 0.5 * progress_right_pad_goal,
        "behind_tcp_left_pad_goal": 1.0 * behind_tcp_left_pad_goal,
        "progress_left_pad_goal": 1.0 * progress_left_pad_goal,
    }


def compute_potential(goal_pos, hand_pos, left_pad_pos, right_pad_pos, tcp_pos):
    """Potential of the same."""
    near_hand_right_pad = 1.0 / (1.0 + 10.0 * np.linalg.norm(hand_pos - right_pad_pos))
    near_right_pad_goal = 1.0 / (1.0 + 10.0 * np.linalg.norm(right_pad_pos - goal_pos))
    way = goal_pos - left_pad_pos
    ahead = way / (np.linalg.norm(way) + 1e-6)
    contact = left_pad_pos - 0.025 * ahead
    behind_tcp_left_pad_goal = np.exp(-10.0 * np.linalg.norm(tcp_pos - contact))
    return 1.0 * near_hand_right_pad + 2.0 * near_right_pad_goal + 1.0 * behind_tcp_left_pad_goal
