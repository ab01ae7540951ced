"""Keys and messages that all wrappers share."""

from __future__ import annotations

SPARSE_REWARD = "sparse_reward"
"""Key of ``info``: what the environment itself paid."""
COMPONENTS = "reward_components"
"""Key of ``info``: the dense parts by name."""
EPISODE = "reward_synth"
"""Key of ``info`` at the end of an episode: its sums."""
STEP_REWARD = "step_reward"
"""Key of ``info``: what a step paid whose reward is told at the end of its episode."""
SHAPING = "shaping"
"""The one component under ``combine="potential"``."""


class RewardFaultWarning(UserWarning):
    """A reward was too large, or raised; the step was scored without it."""


class NonFiniteRewardWarning(RewardFaultWarning):
    """A reward was NaN or infinite; the step was scored without it."""
