# Reward program written by reward_synth.
# task: Robotics/AdroitHandPenSparse-v1
# fields: pen_dir: float[3]; goal_dir: float[3]; pen_rel_pos: float[3]
# digest: 0f72c076f46667455b9857946311e4ff5f6ad0e1d6eb2ad22b40c6906597ea01
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(goal_dir, pen_dir, pen_rel_pos):
    """Turn the pen in the hand to the target's orientation."""
    away = np.maximum(np.linalg.norm(pen_rel_pos) - (0.075), 0.0) / 0.3306
    limit_norm_pen_rel_pos_max = -1.0 * away
    away = np.maximum(0.95 - np.sum(pen_dir * goal_dir), 0.0) / 2.81727
    limit_sum_pen_dir_goal_dir = 1.0 - np.tanh(5.0 * away)
    bonus_norm_pen_rel_pos_sum_pen_dir_goal_dir = 1.0 if np.linalg.norm(pen_rel_pos) <= 0.075 and np.sum(pen_dir * goal_dir) >= 0.95 else 0.0
    return {
        "limit_norm_pen_rel_pos_max": 2.0 * limit_norm_pen_rel_pos_max,
        "limit_sum_pen_dir_goal_dir": 2.0 * limit_sum_pen_dir_goal_dir,
        "bonus_norm_pen_rel_pos_sum_pen_dir_goal_dir": 5.0 * bonus_norm_pen_rel_pos_sum_pen_dir_goal_dir,
    }


def compute_potential(goal_dir, pen_dir, pen_rel_pos):
    """Potential of the same."""
    away = np.maximum(np.linalg.norm(pen_rel_pos) - (0.075), 0.0) / 0.3306
    limit_norm_pen_rel_pos_max = -1.0 * away
    away = np.maximum(0.95 - np.sum(pen_dir * goal_dir), 0.0) / 2.81727
    limit_sum_pen_dir_goal_dir = 1.0 - np.tanh(5.0 * away)
    return 2.0 * limit_norm_pen_rel_pos_max + 2.0 * limit_sum_pen_dir_goal_dir
