"""Replays searches on a pool of candidates that were trained beforehand.

A search draws its candidates from the pool, without repeats, until none is left; it ranks,
trains and chooses them as its method says, and reads what a training came to from the pool in the place of making
it. So hundreds of searches cost nothing, and methods are compared on the same trainings.
What a replay cannot show is how well a method's questions improve candidates: all draw
from one pool.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from pathlib import Path

import numpy as np

from reward_synth.search import Method, Rung
from reward_synth.search.loop import shares

Curve = tuple[tuple[int, float], ...]
"""Steps, and success in the evaluation there; the last one is the final one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One program of a pool, and its trainings.

    Example:
        >>> found = Candidate("c0ffee", 0.5, {0: ((50, 0.25), (100, 1.0))})
        >>> found.at(0, 0.34), found.at(0, 1.0)
        ((50, 0.25), (100, 1.0))
    """

    name: str
    screen: float
    """Its rank on stored rollouts."""
    curves: Mapping[int, Curve]
    """By seed."""
    alike: frozenset[str] = frozenset()
    """Names of those that order the rollouts as it does."""

    def at(self, seed: int, share: float) -> tuple[int, float]:
        """Return the first evaluation at a share of the training, or after it."""
        curve = self.curves[seed]
        wanted = share * curve[-1][0]
        return next(point for point in curve if point[0] >= wanted - 1e-9)

    def fresh(self, used: Sequence[int]) -> float:
        """Return mean success at the end over seeds that chose nothing.

        Where each of them did, over all.
        """
        left = [seed for seed in self.curves if seed not in used] or [*self.curves]
        return float(np.mean([self.curves[seed][-1][1] for seed in left]))


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates of one task."""

    task: str
    candidates: tuple[Candidate, ...]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        rows = [
            {
                "name": item.name,
                "screen": item.screen,
                "alike": sorted(item.alike),
                "curves": {str(seed): curve for seed, curve in item.curves.items()},
            }
            for item in self.candidates
        ]
        data = {"task": self.task, "candidates": rows}
        path.write_text(json.dumps(data, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Pool:
        """Read what :meth:`save` wrote."""
        data = json.loads(path.read_text())
        return cls(
            data["task"],
            tuple(
                Candidate(
                    row["name"],
                    row["screen"],
                    {
                        int(seed): tuple((int(s), float(v)) for s, v in curve)
                        for seed, curve in row["curves"].items()
                    },
                    frozenset(row["alike"]),
                )
                for row in data["candidates"]
            ),
        )


@dataclass(slots=True)
class _Known:
    """What a search knows of one of its candidates."""

    candidate: Candidate
    seeds: list[int]
    """In the order of use, drawn for this search."""
    used: list[int] = field(default_factory=list)
    trained: float | None = None
    rung: int = 0

    @property
    def score(self) -> float:
        """As :class:`reward_synth.search.Outcome` ranks."""
        if self.trained:
            return 1.0 + self.trained + 2.0 * self.rung
        return self.candidate.screen


class Replay:
    """One search after another on a pool, until what it would choose is good enough.

    Args:
        pool: The candidates.
        method: The search; its restarts follow each other until the target is reached.
        target: Mean success at the end of training on seeds that chose nothing.
        most: Environment steps after which it is given up.
    """

    def __init__(self, pool: Pool, method: Method, target: float, most: float) -> None:
        self.pool = pool
        self.method = method
        self.target = target
        self.most = most

    def steps(self, seed: int) -> float:
        """Return the environment steps until the target is reached; infinity: never.

        The choice is looked at after each step of trainings, when the method ranks what it
        has trained; steps of a training count as far as the evaluation that was read.
        """
        rng = np.random.default_rng(seed)
        spent = 0.0
        while spent < self.most:
            spent, reached = self._search(rng, spent)
            if reached:
                return spent
        return math.inf

    def _search(self, rng: np.random.Generator, spent: float) -> tuple[float, bool]:
        each, final = self.method.rungs()
        count = self.method.samples * self.method.rounds
        order = rng.permutation(len(self.pool.candidates))[:count]
        drawn = [self._known(int(place), rng) for place in order]
        seen: list[_Known] = []
        for size in shares(count, self.method.rounds):
            new, drawn = drawn[:size], drawn[size:]
            seen += new
            spent, reached = self._climb(new, each, 0, seen, spent)
            if reached:
                return spent, True
        return self._climb(seen, final, len(each), seen, spent)

    def _known(self, place: int, rng: np.random.Generator) -> _Known:
        candidate = self.pool.candidates[place]
        seeds = rng.permutation(sorted(candidate.curves)).tolist()
        return _Known(candidate, seeds)

    def _climb(
        self,
        items: Sequence[_Known],
        rungs: Sequence[Rung],
        first: int,
        seen: Sequence[_Known],
        spent: float,
    ) -> tuple[float, bool]:
        climbing = _ranked(items)
        for number, rung in enumerate(rungs, start=first):
            chosen = (
                _distinct(climbing, rung.keep)
                if number == first
                else climbing[: rung.keep]
            )
            spent += sum(_train(item, rung, number) for item in chosen)
            climbing = _ranked(chosen)
            best = _ranked(seen)[0]
            if best.trained and best.candidate.fresh(best.used) >= self.target:
                return spent, True
        return spent, False


def _train(item: _Known, rung: Rung, number: int) -> float:
    """Read what a step of trainings would come to; return what it costs."""
    left = [seed for seed in item.seeds if seed not in item.used] or item.seeds
    chosen = left[: rung.seeds]
    points = [item.candidate.at(seed, rung.share) for seed in chosen]
    item.used += [seed for seed in chosen if seed not in item.used]
    item.trained = float(np.mean([success for _, success in points]))
    item.rung = number
    return float(sum(step for step, _ in points))


def _ranked(items: Sequence[_Known]) -> list[_Known]:
    return sorted(items, key=lambda item: (-item.score, item.candidate.name))


def _distinct(items: Sequence[_Known], most: int) -> list[_Known]:
    """Return the best that are not alike; where these are too few, others fill up."""
    chosen: list[_Known] = []
    for item in items:
        if not any(item.candidate.name in x.candidate.alike for x in chosen):
            chosen.append(item)
    rest = [item for item in items if item not in chosen]
    return _ranked([*chosen, *rest][:most])


def median_interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """Return the median and its distribution-free interval, by order statistics.

    Values may be infinite: a search that never came to its target.

    Example:
        >>> median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
        (4.0, 1.0, 7.0)
    """
    ordered = sorted(values)
    count = len(ordered)
    tail, below = 0.0, 0
    while below < count // 2:
        tail += comb(count, below) / 2.0**count
        if tail > (1.0 - confidence) / 2.0:
            break
        below += 1
    first = max(0, below - 1)
    middle = ordered[(count - 1) // 2], ordered[count // 2]
    median = middle[0] if middle[0] == middle[1] else sum(middle) / 2.0
    return median, ordered[first], ordered[count - 1 - first]
