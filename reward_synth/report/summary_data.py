"""What a run's results come to, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import numpy as np

from reward_synth.statistics import Fall, Interval, Normalised, Profile, Reached

FEW = 5
"""With fewer runs than this an interval is marked."""
EQUAL = 1e-9
"""Differences of success up to this one are those of rounding."""
FAILS = 0.5
"""Below this mean success a design is said to fail on a task."""
Place = Literal["wins", "ahead", "level", "behind", "loses", "alone", "missing"]


@dataclass(frozen=True, slots=True)
class Cell:
    """The runs of one task under one design."""

    task: str
    design: str
    scores: tuple[float, ...]
    """``success_any`` of each run that ended well, in the order of trials."""
    failed: int
    """Runs that ended without a result."""
    unfinished: int
    """Runs that wait or are under way."""
    success_any: Interval
    """Mean over runs of the last evaluation; NaN where there is no run."""
    success_last: Interval
    auc: Interval
    """Mean height of the curve of ``success_any``."""
    to_half: Reached
    """Steps to 50 % of ``success_any``."""
    to_most: Reached
    """Steps to 90 %."""
    env_return: Interval
    gap: Interval
    """Mean hacking gap of the runs whose reward has components."""
    seconds: float
    """Of all trainings, summed, also of failed ones."""
    steps: int
    """Environment steps of the runs that ended well, summed."""
    fall: Fall | None = None
    """How success changed after its best step; None where nothing is known of it."""

    @property
    def runs(self) -> int:
        """Runs that ended well."""
        return len(self.scores)

    @property
    def few(self) -> bool:
        """True with fewer than five runs."""
        return self.runs < FEW


@dataclass(frozen=True, slots=True)
class DesignSummary:
    """One design over all tasks that it was trained on."""

    name: str
    kind: str
    tasks: tuple[str, ...]
    """Those with at least one run that ended well."""
    runs: int
    iqm: Interval
    """Of ``success_any``."""
    mean: Interval
    normalised: Mapping[str, Normalised]
    """By task: 0 is the sparse reward, 1 the expert's; only where both were trained."""
    normalised_mean: float
    """Mean over those tasks, each clipped to 0 to 3; NaN where there is none."""
    profile: Profile | None
    """Share of runs above each success rate; None without runs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two designs on the tasks that both have."""

    a: str
    b: str
    tasks: tuple[str, ...]
    ahead: int
    """Tasks on which the mean of a is higher."""
    behind: int
    """Tasks on which it is lower."""
    statistic: Literal["IQM", "mean"]
    """What is compared: the IQM over several tasks, the mean of one."""
    of_a: float
    of_b: float
    difference: Interval
    """``of_a - of_b``."""
    improvement: Interval
    """Probability that a run of a beats a run of b."""

    @property
    def sure(self) -> bool:
        """True if the interval of the difference excludes 0."""
        return self.difference.excludes(0.0)

    def reversed(self) -> Pair:
        """Return the same comparison seen from b."""
        one, two = self.difference, self.improvement
        return Pair(
            self.b,
            self.a,
            self.tasks,
            self.behind,
            self.ahead,
            self.statistic,
            self.of_b,
            self.of_a,
            Interval(-one.value, -one.high, -one.low),
            Interval(1 - two.value, 1 - two.high, 1 - two.low),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """The leading design on one task, beside the best other design there.

    Example:
        >>> Standing("Reach", 0.9, "hand", 0.5, Interval(0.4, -0.1, 0.9)).place
        'ahead'
    """

    task: str
    own: float
    """Mean success of the leader; NaN: no result."""
    rival: str
    """The best other design; empty: none has a result."""
    of_rival: float
    difference: Interval
    """``own - of_rival``."""
    wins: bool = False
    """True if the interval of the difference to every other design is above 0."""
    loses: bool = False
    """True if that to any other design is below 0."""

    @property
    def place(self) -> Place:
        """Where the leader stands, in a word."""
        if math.isnan(self.own):
            return "missing"
        if not self.rival:
            return "alone"
        if self.wins or self.loses:
            return "wins" if self.wins else "loses"
        gap = self.difference.value
        if abs(gap) <= EQUAL:
            return "level"
        return "ahead" if gap > 0.0 else "behind"

    @property
    def fails(self) -> bool:
        """True if fewer than half of the leader's episodes succeed."""
        return self.own < FAILS


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run's results come to.

    Example:
        >>> Summary().to_dict()["cells"]
        []
    """

    cells: tuple[Cell, ...] = ()
    """In the order of tasks, then of designs; only where there are trials."""
    designs: tuple[DesignSummary, ...] = ()
    """Those with trials."""
    pairs: tuple[Pair, ...] = ()
    """Each two designs that share a task, once."""
    leader: str = ""
    """The design with the highest score on the tasks that all designs have."""
    standings: tuple[Standing, ...] = ()
    """The leader on each task that has results."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def winner(self) -> str:
        """The leader, if every interval against another design excludes 0; else ""."""
        others = [pair for pair in self.pairs if self.leader in (pair.a, pair.b)]
        rivals = sum(bool(design.runs) for design in self.designs) - 1
        won = [pair for pair in others if _wins(pair, self.leader)]
        return self.leader if rivals and len(won) == rivals else ""

    @property
    def level(self) -> tuple[str, ...]:
        """The designs that reached exactly what the leader did."""
        pairs = [self.pair(self.leader, design.name) for design in self.designs]
        return tuple(p.b for p in pairs if p is not None and p.of_a == p.of_b)

    def pair(self, a: str, b: str) -> Pair | None:
        """Return the comparison of two designs, seen from a; None if there is none."""
        for pair in self.pairs:
            if (pair.a, pair.b) == (a, b):
                return pair
            if (pair.b, pair.a) == (a, b):
                return pair.reversed()
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data; what is not known is None."""
        found: dict[str, Any] = _plain(self)
        return {**found, "winner": self.winner}


def _wins(pair: Pair, name: str) -> bool:
    seen = pair if pair.a == name else pair.reversed()
    return seen.sure and seen.difference.value > 0.0


def _plain(item: Any) -> Any:
    if is_dataclass(item):
        return {field.name: _plain(getattr(item, field.name)) for field in fields(item)}
    if isinstance(item, np.ndarray):
        return _plain(item.tolist())
    if isinstance(item, Mapping):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, tuple | list):
        return [_plain(value) for value in item]
    return None if isinstance(item, float) and not math.isfinite(item) else item
