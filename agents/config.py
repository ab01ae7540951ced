"""How an agent learns: the same for every arm of a comparison."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from reward_synth.errors import UsageError, did_you_mean

Algorithm = Literal["auto", "sac", "ppo", "two-value-ppo"]
TWO_VALUES = "two-value-ppo"
"""Our PPO, which alone learns from labels and bonuses."""
_SMALL = 8
"""Observations of so many numbers are learned by small networks, several times faster."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """Settings of agents; what is not named here has Stable-Baselines3's defaults.

    Example:
        >>> AgentConfig("td3")
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: algorithm 'td3' is not one of auto, sac, ppo, \
two-value-ppo.
    """

    algorithm: Algorithm = "auto"
    """``auto`` is SAC for continuous actions, PPO for the others. ``two-value-ppo`` is
    ours; it learns what labels and bonuses pay apart from the environment's pay."""
    gamma: float | None = None
    """Discount; None: the task's own."""
    net_arch: tuple[int, ...] | None = None
    """Hidden layers of actor and critic; None: two of 64 for observations of at most 8
    numbers, else two of 256."""
    learning_rate: float = 3e-4
    batch_size: int = 256
    """SAC: transitions of one gradient step."""
    learning_starts: int = 1000
    """SAC: random steps before learning."""
    train_freq: int | None = None
    """SAC: environment steps between two gradient steps; None: 1 for observations of at
    most 8 numbers, whose networks are small, else 2."""
    buffer_size: int = 200_000
    """SAC: transitions kept."""
    ent_coef: str | float = "auto"
    """SAC: weight of the entropy; ``auto_0.1`` is learned, beginning with 0.1."""

    def __post_init__(self) -> None:
        """Refuse what cannot train."""
        known = get_args(Algorithm)
        if self.algorithm not in known:
            raise UsageError(
                f"algorithm {self.algorithm!r} is not one of {', '.join(known)}."
                f"{did_you_mean(self.algorithm, known)}"
            )
        for name in ("batch_size", "train_freq", "buffer_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, received {value}.")

    def layers(self, observation_size: int) -> list[int]:
        """Return the hidden layers for observations of this size.

        Example:
            >>> AgentConfig().layers(2), AgentConfig().layers(35)
            ([64, 64], [256, 256])
        """
        if self.net_arch is not None:
            return list(self.net_arch)
        return [64, 64] if observation_size <= _SMALL else [256, 256]

    def steps_an_update(self, observation_size: int) -> int:
        """Return SAC's environment steps between two gradient steps.

        Example:
            >>> AgentConfig().steps_an_update(2), AgentConfig().steps_an_update(35)
            (1, 2)
        """
        if self.train_freq is not None:
            return self.train_freq
        return 1 if observation_size <= _SMALL else 2

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)
