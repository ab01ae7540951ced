# Reward program written by reward_synth.
# task: MountainCarContinuous-v0
# fields: position: float; velocity: float
# digest: 9bd466d49794e7b99909e3f88627dee93e1ee0080d1f975bb85ec2101c4d6cf1
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(position, velocity):
    """Drive an underpowered car out of a valley to the flag on the right hill."""
    away = np.maximum(0.45 - position, 0.0) / 1.65
    limit_position = 1.0 - np.tanh(2.0 * away)
    bonus_position = 1.0 if position >= 0.45 else 0.0
    speed_velocity = np.abs(velocity) / 0.0645622
    return {
        "limit_position": 2.0 * limit_position,
        "bonus_position": 500.0 * bonus_position,
        "speed_velocity": 2.0 * speed_velocity,
    }


def compute_potential(position, velocity):
    """Potential of the same."""
    away = np.maximum(0.45 - position, 0.0) / 1.65
    limit_position = 1.0 - np.tanh(2.0 * away)
    speed_velocity = np.abs(velocity) / 0.0645622
    return 2.0 * limit_position + 2.0 * speed_velocity
