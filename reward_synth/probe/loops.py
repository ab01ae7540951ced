"""The loop that pays most a step, on any graph of known steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError

Values = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
_GAIN = 1e-10


@dataclass(frozen=True, slots=True)
class Cycle:
    """A loop."""

    mean: float
    """What it pays a step."""
    edges: tuple[int, ...]
    """Numbers of its steps, in order."""


def best_cycle(tail: Any, head: Any, pays: Any) -> Cycle | None:
    """Return the loop with the highest mean pay a step, None if there is no loop.

    By policy iteration (Howard's; Cochet-Terrasson et al., "Numerical Computation of
    Spectral Elements in Max-Plus Algebra", 1998).

    Args:
        tail: Where each step begins, shape ``(E,)``.
        head: Where it leads.
        pays: What it pays.

    Raises:
        UsageError: The three differ in length, or a number is not finite.

    Example:
        >>> best_cycle([0, 1, 1], [1, 0, 1], [3.0, -1.0, 0.5])
        Cycle(mean=1.0, edges=(0, 1))
    """
    tails, heads = np.asarray(tail, np.int64), np.asarray(head, np.int64)
    pay = np.asarray(pays, np.float64)
    if not len(tails) == len(heads) == len(pay) or not np.isfinite(pay).all():
        raise UsageError(
            f"A graph needs equally many tails, heads and finite pays; received "
            f"{len(tails)}, {len(heads)} and {len(pay)}."
        )
    kept = _on_endless_ways(tails, heads)
    if not len(kept):
        return None
    names, places = np.unique(
        np.concatenate([tails[kept], heads[kept]]), return_inverse=True
    )
    size = len(kept)
    found = _howard(places[:size], places[size:], pay[kept], len(names))
    return Cycle(found.mean, tuple(int(kept[edge]) for edge in found.edges))


def _on_endless_ways(tail: Numbers, head: Numbers) -> Numbers:
    """Return the edges that do not lead into a dead end."""
    kept = np.arange(len(tail))
    while len(kept):
        going = np.isin(head[kept], tail[kept])
        if going.all():
            break
        kept = kept[going]
    return kept


def _howard(tail: Numbers, head: Numbers, pay: Values, count: int) -> Cycle:
    chosen = np.zeros(count, np.int64)
    order = np.argsort(pay, kind="stable")
    chosen[tail[order]] = order  # the best-paid step of each place
    best = Cycle(-np.inf, ())
    while True:
        mean, value, cycles = _evaluated(chosen, head, pay, count)
        top = max(cycles, key=lambda item: item.mean)
        if top.mean > best.mean + _GAIN * max(1.0, abs(top.mean)):
            best = top
        better = _improved(chosen, tail, head, pay, mean, value)
        if better is None:
            return best
        chosen = better


def _improved(
    chosen: Numbers,
    tail: Numbers,
    head: Numbers,
    pay: Values,
    mean: Values,
    value: Values,
) -> Numbers | None:
    """Return better steps: to better loops, else on better ways to the same ones."""
    scale = _GAIN * max(1.0, float(np.abs(pay).max()))
    for gain in (
        mean[head] - mean[tail],
        np.where(
            np.abs(mean[head] - mean[tail]) <= scale,
            pay - mean[tail] + value[head] - value[tail],
            -np.inf,
        ),
    ):
        good = np.flatnonzero(gain > scale * len(value))
        if len(good):
            order = good[np.argsort(gain[good], kind="stable")]
            changed = chosen.copy()
            changed[tail[order]] = order
            return changed
    return None


def _evaluated(
    chosen: Numbers, head: Numbers, pay: Values, count: int
) -> tuple[Values, Values, list[Cycle]]:
    """Return each place's mean pay, its value relative to its loop, and the loops."""
    mean, value = np.full(count, np.nan), np.zeros(count)
    cycles = []
    for first in range(count):
        way: list[int] = []
        place = first
        seen: dict[int, int] = {}
        while np.isnan(mean[place]) and place not in seen:
            seen[place] = len(way)
            way.append(place)
            place = int(head[chosen[place]])
        if np.isnan(mean[place]):  # a new loop
            loop = way[seen[place] :]
            edges = tuple(int(chosen[x]) for x in loop)
            cycles.append(Cycle(float(pay[list(edges)].mean()), edges))
            mean[place] = cycles[-1].mean
        for x in reversed(way):
            after = int(head[chosen[x]])
            if x != place or np.isnan(mean[x]):
                mean[x] = mean[after]
                value[x] = pay[chosen[x]] - mean[x] + value[after]
    return mean, value, cycles
