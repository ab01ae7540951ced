"""Where two rewards disagree most, as a map over two numbers of a task's states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reward_synth.api.comparison import Comparison
from reward_synth.errors import UsageError, did_you_mean
from reward_synth.report.plots_data import Axis, Map, Values, binned, nearest

ALL = 2**31 - 1
"""The ``top`` with which ``compare`` tells every state, as a map needs them."""
_TWO = 2
_CELLS = 8


@dataclass(frozen=True, slots=True)
class Apart:
    """What the picture of a comparison shows."""

    found: Comparison
    """With the states that are told, the furthest apart first."""
    across: Axis | None
    """None: no two rewards differ, so there is no picture."""
    up: Axis | None
    map: Map | None
    """Root mean square of the canonical rewards' gaps, in units of their own one. Plain
    means would not do: canonical rewards average to 0 over the actions of a state."""
    marks: tuple[tuple[float, float], ...] = ()
    """Where the told states lie."""


def disagreement_map(
    found: Comparison, fields: Sequence[str] = (), top: int = 5
) -> Apart:
    """Return a map of how differently the two rewards furthest apart judge states.

    Args:
        found: From ``compare(..., top=ALL)``.
        fields: Two numbers of the states, such as ``agent_pos[0]``; by default those
            that tell most about the gap.
        top: How many states are marked and told.

    Raises:
        UsageError: There are no such numbers, or they never change.

    Example:
        >>> from reward_synth.api.compare import compare
        >>> from reward_synth.api.config import EnvConfig
        >>> found = compare([lambda t: float(t.after["agent_pos"][0])],
        ...                 EnvConfig("Gridworld/GridCliff"), top=ALL, episodes=1)
        >>> apart = disagreement_map(found, ("agent_pos[0]", "agent_pos[1]"))
        >>> apart.map.values.shape, len(apart.marks)
        ((12, 4), 5)
    """
    told = replace(found, disagreements=found.disagreements[:top])
    if not found.disagreements:
        return Apart(told, None, None, None)
    table = _table([item.state for item in found.disagreements])
    gaps = np.array([item.gap for item in found.disagreements])
    names = tuple(fields) or _telling(table, gaps**2)
    first, second = _chosen(names, table)
    axes = (_axis(first, table[first]), _axis(second, table[second]))
    places = (table[first], table[second])
    a, b = found.disagreements[0].rewards
    squares = binned(f"gap of {a} and {b}", places, axes, gaps**2)
    drawn = replace(squares, values=np.sqrt(squares.values))
    marks = zip(places[0][:top].tolist(), places[1][:top].tolist(), strict=True)
    return Apart(told, *axes, drawn, tuple(marks))


def _table(states: Sequence[Mapping[str, Any]]) -> dict[str, Values]:
    """Return every number of the states as a column, by its name."""
    columns: dict[str, Values] = {}
    for name in states[0]:
        values = np.array([state[name] for state in states], np.float64)
        for index in np.ndindex(values.shape[1:]):
            inside = ",".join(map(str, index))
            column = values[(slice(None), *index)]
            columns[f"{name}[{inside}]" if index else name] = column
    return columns


def _telling(table: Mapping[str, Values], gaps: Values) -> tuple[str, ...]:
    """Return the two changing columns that explain most of how the squared gap varies."""
    parts = {
        name: _explained(values, gaps)
        for name, values in table.items()
        if np.ptp(values) > 0
    }
    best = sorted(parts, key=lambda name: -parts[name])[:_TWO]
    return tuple(name for name in table if name in best)


def _explained(values: Values, gaps: Values) -> float:
    """Return how much the gaps' means differ from cell to cell of a column."""
    low, high = float(values.min()), float(values.max())
    cell = nearest(values, Axis("", low, high).cells(_CELLS))
    count = np.bincount(cell, minlength=_CELLS)
    sums = np.bincount(cell, weights=gaps, minlength=_CELLS)
    mean = sums / np.maximum(count, 1)
    return float((count * (mean - gaps.mean()) ** 2).sum())


def _chosen(names: Sequence[str], table: Mapping[str, Values]) -> tuple[str, str]:
    if len(names) != _TWO or len(set(names)) != _TWO:
        raise UsageError(
            f"A map needs two different fields that change; received {len(names)}"
            f"{': ' + ', '.join(names) if names else ''}. The states hold "
            f"{', '.join(table)}."
        )
    for name in names:
        if name not in table:
            raise UsageError(
                f"The states have no number {name!r}.{did_you_mean(name, table)} They "
                f"hold {', '.join(table)}."
            )
    return names[0], names[1]


def _axis(name: str, values: Values) -> Axis:
    low, high = float(values.min()), float(values.max())
    if not high > low:
        raise UsageError(
            f"{name} was {low:g} in all {len(values)} states, so there is nothing to draw "
            "over. Choose another field, or play more with --episodes."
        )
    whole = bool((values == np.round(values)).all())
    return Axis(name, low, high, whole=whole)
