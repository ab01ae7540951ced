"""What becomes of a candidate, and who proposes candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reward_synth.checks import Report
from reward_synth.program import RewardProgram
from reward_synth.search.screening import Screen


@dataclass(frozen=True, slots=True)
class Outcome:
    """One candidate and everything that is known of it."""

    program: RewardProgram
    report: Report
    screen: Screen | None = None
    """How it ranks on rollouts, or None: it has errors."""
    trained: float | None = None
    """Measured success rate after training, or None: not trained."""
    feedback: str = ""
    """What a proposer is told of its components on the stored rollouts."""
    rung: int = 0
    """Which step of the ladder of trainings it was last measured at; 0: the first."""
    taught: str = ""
    """What a proposer is told of its training."""
    rollouts: tuple[str, ...] = ()
    """What the trained agent did in its best and its worst episode."""
    preferred: float | None = None
    """How likely its agent is preferred to a middling one, or None: nobody was asked."""

    @property
    def usable(self) -> bool:
        """Whether it can be trained: it has no errors."""
        return self.report.ok and self.screen is not None

    @property
    def score(self) -> float:
        """Rank among candidates: measured success first, then the screen.

        Candidates with errors score minus infinity. Training counts by a whole number
        above any screen, so that a measured candidate is never beaten by a guess
        unless its measured success is zero. A later step of the ladder counts more: it
        trains longer, and with seeds that have chosen nothing. Where people were asked,
        their preference counts in the place of success.
        """
        if not self.report.ok or self.screen is None:
            return float("-inf")
        worth = self.trained if self.preferred is None else self.preferred
        if worth:
            return 1.0 + worth + 2.0 * self.rung
        return self.screen.score


class Proposer(Protocol):
    """Proposes reward programs; never runs an environment or an agent."""

    name: str
    """``symbolic`` or ``llm``."""

    def ask(self, n: int) -> Sequence[RewardProgram]:
        """Return at most ``n`` new programs."""

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn what became of the programs that were asked for."""

    def restart(self) -> None:
        """Begin an independent search: propose as if nothing had been told."""
