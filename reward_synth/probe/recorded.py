"""Loops in what was recorded: places that were left and met again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.probe.arena import Arena, Played
from reward_synth.probe.loops import best_cycle
from reward_synth.reward import Fields, Rollout

_BIG = 8
"""Fields with more numbers are left out of what makes a place."""


def recorded_loop(
    arena: Arena,
    rollouts: Sequence[Rollout],
    replayed: Sequence[Played],
    horizon: int,
    bins: int = 10,
) -> Played | None:
    """Play the best-paid loop of the graph that recorded episodes make.

    States whose numbers fall into the same bins are one place, so that a loop of the
    graph need not close in the environment; it is played, and what it earned counts.

    Args:
        arena: Plays actions.
        rollouts: The episodes.
        replayed: The same, played in the arena.
        horizon: The most steps.
        bins: Of each number, over what it ranges.
    """
    used = [
        (item, played)
        for item, played in zip(rollouts, replayed, strict=True)
        if len(item) == len(played.paid) and item.success is not None
    ]
    if not used:
        return None
    before = np.concatenate([_table(x.steps.before, x.steps) for x, _ in used])
    after = np.concatenate([_table(x.steps.after, x.steps) for x, _ in used])
    places = _places(np.concatenate([before, after]), bins)
    done = np.concatenate(
        [
            np.asarray(x.success) | x.steps.terminated | x.steps.truncated
            for x, _ in used
        ]
    )
    going = np.flatnonzero(~done)
    pays = np.concatenate([played.paid for _, played in used])[going]
    tail, head = places[: len(before)][going], places[len(before) :][going]
    found = best_cycle(tail, head, pays)
    if found is None or found.mean <= 0:
        return None
    edges = going[list(found.edges)]
    starts = np.cumsum([0] + [len(x) for x, _ in used])
    owner = int(np.searchsorted(starts, edges[0], "right")) - 1
    actions = np.concatenate([x.steps.action for x, _ in used])
    rounds = horizon // len(edges) + 1
    whole = [*range(starts[owner], edges[0]), *(edges.tolist() * rounds)]
    return arena.play(actions[whole[:horizon]], used[owner][0].seed)


def _table(fields: Fields, steps: Any) -> npt.NDArray[np.float64]:
    names = [
        name
        for name in steps.before
        if name in steps.after and steps.before[name][0].size <= _BIG
    ]
    count = steps.num_envs
    parts = [np.asarray(fields[n], np.float64).reshape(count, -1) for n in names]
    return np.concatenate(parts, 1) if parts else np.zeros((count, 1))


def _places(table: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.int64]:
    low, span = table.min(0), np.ptp(table, 0)
    scaled = (table - low) / np.where(span > 0, span, 1.0) * bins
    _, place = np.unique(np.floor(scaled), axis=0, return_inverse=True)
    return place.reshape(-1)
