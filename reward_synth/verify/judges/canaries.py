"""Canaries: answers without content that a judge must refuse.

A judge that accepts one pays a policy for saying nothing, and policies find that out.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reward_synth.errors import RewardSynthError, UsageError
from reward_synth.verify.judges.opinion import Opinion, Submission
from reward_synth.verify.master_keys import MASTER_KEYS

_SHOWN = 5


class CanaryError(RewardSynthError):
    """A judge accepted an answer without content: its scores cannot be trained on."""


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """What became of canaries.

    Example:
        >>> CanaryReport(10, 10, ("Solution",)).rate
        0.1
    """

    asked: int = 0
    answered: int = 0
    """Those that the judge gave a score."""
    accepted: tuple[str, ...] = ()
    """Texts that scored above the lowest score, each as often as it did."""

    @property
    def rate(self) -> float:
        """Share of those with a score that were accepted; 0 if there are none."""
        return len(self.accepted) / self.answered if self.answered else 0.0

    def __add__(self, other: CanaryReport) -> CanaryReport:
        """Return both together."""
        return CanaryReport(
            self.asked + other.asked,
            self.answered + other.answered,
            self.accepted + other.accepted,
        )


class Canaries:
    """Sends canaries along with what is judged, and tells which were accepted.

    Args:
        share: How many are sent, as a share of what is judged.
        action: What an accepted one does: ``raise`` ends the training with
            :class:`CanaryError`, ``report`` only counts it in :attr:`report`.
        keys: The texts; by default the master keys of arXiv:2507.08794.
        seed: Of the choice.

    Raises:
        UsageError: The share is not from 0 to 1, the action is unknown, or there is no key.

    Example:
        >>> canaries = Canaries(share=1.0, keys=["Solution"])
        >>> canaries.beside([Submission("4", "2 + 2?", "4")])
        [Submission(candidate='Solution', question='2 + 2?', reference='4')]
    """

    def __init__(
        self,
        share: float = 0.02,
        action: Literal["raise", "report"] = "raise",
        keys: Sequence[str] = MASTER_KEYS,
        seed: int = 0,
    ) -> None:
        if not 0.0 <= share <= 1.0 or action not in ("raise", "report") or not keys:
            raise UsageError(
                "Canaries need a share from 0 to 1, the action 'raise' or 'report', and a "
                f"key at least; received {share!r}, {action!r} and {list(keys)[:3]}."
            )
        self.share = share
        self.action = action
        self.keys = tuple(keys)
        self.report = CanaryReport()
        self._rng = random.Random(seed)
        self._lock = threading.Lock()

    def beside(self, submissions: Sequence[Submission]) -> list[Submission]:
        """Return the canaries to send along: each takes another one's question."""
        with self._lock:
            return [
                replace(item, candidate=self._rng.choice(self.keys))
                for item in submissions
                if self._rng.random() < self.share
            ]

    def tell(
        self, sent: Sequence[Submission], opinions: Sequence[Opinion], low: float = 0.0
    ) -> None:
        """Note what became of canaries; a score above ``low`` is acceptance.

        Raises:
            CanaryError: One was accepted, and the action is ``raise``.
        """
        found = reported(sent, opinions, low)
        with self._lock:
            self.report += found
        if found.accepted and self.action == "raise":
            raise CanaryError(
                f"The judge accepted {len(found.accepted)} of {found.answered} answers "
                f"without content: {list(found.accepted[:_SHOWN])}. Take another model or "
                "more jurors, or leave the question out; action='report' goes on."
            )


def reported(
    sent: Sequence[Submission], opinions: Sequence[Opinion], low: float = 0.0
) -> CanaryReport:
    """Return what became of canaries.

    Example:
        >>> sent = [Submission("Solution"), Submission(".")]
        >>> reported(sent, [Opinion(1.0, "ok"), Opinion(0.0, "infra_error")])
        CanaryReport(asked=2, answered=1, accepted=('Solution',))
    """
    known = [(item, op) for item, op in zip(sent, opinions, strict=True) if op.known]
    accepted = tuple(item.candidate for item, op in known if op.score > low)
    return CanaryReport(len(sent), len(known), accepted)
