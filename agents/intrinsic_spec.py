"""What a trial's agent is paid beside the environment: labels by rules, and bonuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from reward_synth.errors import UsageError


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """Labels and bonuses of a trial; picklable.

    Labels are those that rules of the task give, for a training process has no network.

    Example:
        >>> Intrinsic("oni-retrieval").config()["power"]
        3.0
    """

    model: str = "none"
    """``oni-retrieval``, ``oni-classification`` or ``oni-ranking``; ``none``: no labels."""
    bonuses: tuple[str, ...] = ()
    """``count``, ``global-count``, ``product``, ``e3b``, ``rnd`` or ``noveld``."""
    weight: float = 1.0
    """Factor of all that is intrinsic."""
    bonus_weight: float = 0.1
    """Factor of the bonuses' sum within it."""
    power: float = 3.0
    """Of a caption's count in the episode, by which what its label pays is divided."""

    def __post_init__(self) -> None:
        """Refuse what pays nothing, or cannot be paid."""
        if self.model == "none" and not self.bonuses:
            raise UsageError(
                "An intrinsic reward needs a model of labels or a bonus; received neither. "
                "Set model to oni-retrieval, or name bonuses."
            )
        for name in ("weight", "bonus_weight", "power"):
            if not math.isfinite(getattr(self, name)):
                raise UsageError(f"{name} must be finite; got {getattr(self, name)}.")

    def config(self) -> Mapping[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)
