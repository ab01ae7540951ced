"""How our PPO learns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reward_synth.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class PPOConfig:
    """Settings of :class:`~reward_synth.agents.ppo.PPO`.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> PPOConfig(gamma=1.5)
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: gamma must lie in [0, 1]; received 1.5.
    """

    rollout: int = 128
    """Steps of each environment between updates."""
    epochs: int = 4
    batches: int = 4
    """Minibatches of an epoch; with memory they are made of whole environments."""
    rate: float = 3e-4
    """Of learning (Adam)."""
    anneal: bool = False
    """Whether the rate comes down to 0, in a straight line."""
    gamma: float = 0.99
    """Discount of what the environment pays."""
    intrinsic_gamma: float = 0.99
    """Discount of all else."""
    lam: float = 0.95
    """λ of the advantages of both."""
    extrinsic_weight: float = 1.0
    intrinsic_weight: float = 0.1
    """Factors of the two advantages in their sum."""
    episodic: bool = True
    """Whether the intrinsic return ends with the episode; False after arXiv 1810.12894."""
    clip: float = 0.2
    entropy: float = 0.01
    value: float = 0.5
    """Weight of the values' loss."""
    longest: float = 0.5
    """Most length of a gradient."""
    hidden: tuple[int, ...] = (64, 64)
    memory: int = 0
    """Width of a gated recurrent unit; 0: none."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("rollout", "epochs", "batches"):
            if getattr(self, name) < 1:
                raise UsageError(
                    f"{name} must be at least 1; received {getattr(self, name)}."
                )
        for name in ("gamma", "intrinsic_gamma", "lam"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(
                    f"{name} must lie in [0, 1]; received {getattr(self, name)}."
                )
        for name in ("rate", "clip", "longest"):
            if not 0 < getattr(self, name) < math.inf:
                raise UsageError(
                    f"{name} must be above 0; received {getattr(self, name)}."
                )
        weights = self.extrinsic_weight, self.intrinsic_weight, self.entropy, self.value
        if not all(math.isfinite(weight) for weight in weights):
            raise UsageError(f"Weights must be finite; received {weights}.")
        if self.memory < 0 or min(self.hidden, default=1) < 1:
            raise UsageError(
                "memory must be at least 0 and hidden layers at least 1 wide; received "
                f"{self.memory} and {self.hidden}."
            )

    def require(self, lanes: int) -> None:
        """Refuse more minibatches than there are parts to make them of.

        Raises:
            UsageError: There are too few environments or steps.

        Example:
            >>> PPOConfig(batches=9, memory=8).require(4)
            Traceback (most recent call last):
            ...
            reward_synth.errors.UsageError: 9 minibatches cannot be made of 4 \
environments. Lower batches, or take more environments.
        """
        parts = lanes if self.memory else lanes * self.rollout
        if self.batches > parts:
            what = "environments" if self.memory else "steps"
            raise UsageError(
                f"{self.batches} minibatches cannot be made of {parts} {what}. Lower "
                "batches, or take more environments."
            )
