"""How annotation goes, in numbers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_KEPT = 4096
_RECENT = 10_000.0
"""Steps after which what was seen counts e times less in the recent coverage."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """A picture of one moment.

    ``nan`` stands where nothing was measured yet.
    """

    steps: int
    """Captions that were submitted: one a step of one environment."""
    coverage: float
    """Share of all steps whose caption had a label when it was submitted."""
    coverage_recent: float
    """The same over the last ten thousand steps or so."""
    known: int
    abstained: int
    failed: int
    """Different captions with such a label."""
    waiting: int
    in_flight: int
    dropped: int
    """Captions that were dropped because too many waited."""
    spared: int
    """Submissions that needed no question: the caption was known, waiting or asked."""
    age_p50: float
    age_p95: float
    """Seconds from a caption's first submission to its label."""
    lag_p50: float
    lag_p95: float
    """The same in steps."""
    calls: float = 0.0
    """HTTP requests, over all runs of the journal."""
    tokens: float = 0.0
    money: float = 0.0
    money_per_1k_steps: float = math.nan
    """In the currency of the prices; of the whole journal."""
    agreement: float = math.nan
    """Share of labels that a reference gives too."""
    share_of_pace: float = 1.0
    """By how much the pace is cut because the server complained."""


@dataclass(slots=True)
class Counters:
    """What the service counts; changed under its lock."""

    steps: int = 0
    covered: int = 0
    recent: float = 0.0
    recent_weight: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    ages: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    agreed: int = 0
    compared: int = 0

    def count(self, steps: int, covered: int) -> None:
        """Count submissions.

        Example:
            >>> counters = Counters()
            >>> counters.count(10, 5); counters.metrics(0, 0, 0).coverage
            0.5
        """
        self.steps += steps
        self.covered += covered
        kept = math.exp(-steps / _RECENT)
        self.recent = self.recent * kept + covered
        self.recent_weight = self.recent_weight * kept + steps

    def note(self, status: str, same: bool | None) -> None:
        """Count a label, and whether a reference gives the same."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if same is not None:
            self.compared += 1
            self.agreed += same

    def age(self, seconds: float, first: int) -> None:
        """Count how long a label took for a caption first seen at step ``first``."""
        self.ages.append((seconds, self.steps - first))

    def metrics(
        self,
        waiting: int,
        in_flight: int,
        dropped: int,
        costs: Mapping[str, float] | None = None,
    ) -> Metrics:
        """Return the picture; ``costs`` are those fields of :class:`Metrics`."""
        ages, lags = self._quantiles(0), self._quantiles(1)
        judged = {n: self.statuses.get(n, 0) for n in ("known", "abstained", "failed")}
        entered = sum(judged.values()) + waiting + in_flight + dropped
        thousands = self.steps / 1000
        given: dict[str, Any] = dict(costs or {})
        money = given.get("money", math.nan)
        return Metrics(
            steps=self.steps,
            coverage=self.covered / self.steps if self.steps else math.nan,
            coverage_recent=self.recent / self.recent_weight
            if self.steps
            else math.nan,
            waiting=waiting,
            in_flight=in_flight,
            dropped=dropped,
            spared=max(0, self.steps - entered),
            age_p50=ages[0],
            age_p95=ages[1],
            lag_p50=lags[0],
            lag_p95=lags[1],
            money_per_1k_steps=money / thousands if thousands else math.nan,
            agreement=self.agreed / self.compared if self.compared else math.nan,
            **judged,
            **given,
        )

    def _quantiles(self, column: int) -> tuple[float, float]:
        """Return median and 95th percentile of the ages: 0 in seconds, 1 in steps."""
        if not self.ages:
            return math.nan, math.nan
        values = [pair[column] for pair in self.ages]
        half, most = np.quantile(values, [0.5, 0.95]).tolist()
        return half, most
