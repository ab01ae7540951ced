# Reward program written by reward_synth.
# task: Acrobot-v1
# fields: theta1_velocity: float; theta2_velocity: float
# digest: 41e1053e60ea564d5360c328d3a9787d4f6510f7bae5d7c6bab5ea932b02e625
# provenance: {"proposer": "symbolic", "seed": 0}

import numpy as np


def compute_reward(theta1_velocity, theta2_velocity):
    """Swing the free end of a two-link pendulum above the line that lies one link."""
    speed_theta2_velocity = np.abs(theta2_velocity) / 5.23737
    time = -1.0
    speed_theta1_velocity = np.abs(theta1_velocity) / 3.01918
    return {
        "speed_theta2_velocity": 0.25 * speed_theta2_velocity,
        "time": 2.25 * time,
        "speed_theta1_velocity": 2.0 * speed_theta1_velocity,
    }


def compute_potential(theta1_velocity, theta2_velocity):
    """Potential of the same."""
    speed_theta2_velocity = np.abs(theta2_velocity) / 5.23737
    speed_theta1_velocity = np.abs(theta1_velocity) / 3.01918
    return 0.25 * speed_theta2_velocity + 2.0 * speed_theta1_velocity
