"""Holds learning until labels are there: labels that come late can lose the run."""

from __future__ import annotations

from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.metrics import Metrics


@dataclass(slots=True)
class WarmStart:
    """Says how fast to learn, until enough of the recent steps have labels.

    Once open it stays open: new places bring captions without labels all the time.

    Args:
        share: Of the recent steps that must have a label.
        most_steps: After which it opens in any case, as a model may abstain from much.
        meanwhile: The factor until then: 0 holds learning, 0.1 slows it.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> from reward_synth.intrinsic.annotation import AnnotationService, task_rules
        >>> gate, service = WarmStart(0.5), AnnotationService(task_rules("NetHackGold-v0"))
        >>> gate.factor(service.metrics())
        0.0
        >>> service.submit(["You see here 3 gold pieces."]); gate.factor(service.metrics())
        1.0
    """

    share: float = 0.9
    most_steps: int = 50_000
    meanwhile: float = 0.0
    open: bool = False
    """Whether enough was labelled, or waited for."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        shares = 0 <= self.share <= 1 and 0 <= self.meanwhile <= 1
        if not shares or self.most_steps < 0:
            raise UsageError(
                "share and meanwhile must lie in [0, 1] and most_steps be at least 0; "
                f"received {self.share}, {self.meanwhile} and {self.most_steps}."
            )

    def factor(self, metrics: Metrics) -> float:
        """Return the factor of the learning rate: 1 once it is open."""
        return self.factor_of(metrics.coverage_recent, metrics.steps)

    def factor_of(self, coverage: float, steps: int) -> float:
        """Return the same for a share of steps with a label, measured elsewhere."""
        enough = steps > 0 and coverage >= self.share
        self.open = self.open or enough or steps >= self.most_steps
        return 1.0 if self.open else self.meanwhile
