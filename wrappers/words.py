"""Keys and messages that all wrappers share."""

from __future__ import annotations

import warnings

SPARSE_REWARD = "sparse_reward"
"""Key of ``info``: what the environment itself paid."""
COMPONENTS = "reward_components"
"""Key of ``info``: the dense parts by name."""
EPISODE = "reward_synth"
"""Key of ``info`` at the end of an episode: its sums."""
SHAPING = "shaping"
"""The one component under ``combine="potential"``."""


class NonFiniteRewardWarning(UserWarning):
    """A reward was NaN or infinite; the step was scored without it."""


def warn_not_finite(what: str) -> None:
    """Warn the caller's caller's caller."""
    warnings.warn(
        f"The {what} is not finite; the step is scored without it. "
        "`info['reward_synth']['faults']` counts such steps.",
        NonFiniteRewardWarning,
        stacklevel=4,
    )
