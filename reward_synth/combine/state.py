"""States of combiners: one part a lane, one part for all, and how they are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.combine.protocol import Mask, State
from reward_synth.errors import UsageError


@dataclass(frozen=True, slots=True)
class Split:
    """A state in two parts."""

    lanes: Mapping[str, Any] = field(default_factory=dict)
    """Begin anew with each episode: numbers, or arrays of shape ``(num_envs,)``."""
    shared: Mapping[str, Any] = field(default_factory=dict)
    """Outlive episodes and are saved: numbers, or short arrays."""


def merged(test: Mask, yes: State, no: State) -> State:
    """Return ``yes`` in the marked lanes and ``no`` in the others.

    What all lanes share is that of ``yes``.

    Example:
        >>> merged(np.array([True, False]), np.ones(2), np.zeros(2))
        array([1., 0.])
    """
    if yes is None:
        return None
    if isinstance(yes, Split):
        kept = {n: np.where(test, v, no.lanes[n]) for n, v in yes.lanes.items()}
        return Split(kept, yes.shared)
    return np.where(test, yes, no)


def restarted(fresh: State, old: State, lanes: Mask | None = None) -> State:
    """Return the state after the marked lanes, or all, began new episodes.

    Args:
        fresh: What ``init`` returned.
        old: The state before; None: there was none.
        lanes: Which began; None: all.

    Example:
        >>> old = Split({"sum": np.ones(2)}, {"steps": 7})
        >>> state = restarted(Split({"sum": 0.0}, {"steps": 0}), old, np.array([True, False]))
        >>> state.lanes["sum"], state.shared["steps"]
        (array([0., 1.]), 7)
    """
    if old is None or fresh is None:
        return fresh
    if isinstance(fresh, Split):
        everywhere = lanes is None
        kept = fresh if everywhere else merged(np.asarray(lanes), fresh, old)
        return Split(kept.lanes, old.shared)
    return fresh if lanes is None else np.where(lanes, fresh, old)


def shared_of(state: State) -> dict[str, Any]:
    """Return what outlives episodes, as JSON data; empty if there is nothing.

    Example:
        >>> shared_of(Split({}, {"mean": np.array([1.0])}))
        {'mean': [1.0]}
    """
    if not isinstance(state, Split):
        return {}
    return {name: _plain(value) for name, value in state.shared.items()}


def with_shared(state: State, saved: Mapping[str, Any]) -> State:
    """Return a state with what :func:`shared_of` returned.

    Raises:
        UsageError: It belongs to another combiner.

    Example:
        >>> with_shared(Split({}, {"steps": 0}), {"steps": 5}).shared
        {'steps': 5}
    """
    own = set(state.shared) if isinstance(state, Split) else set()
    if own != set(saved):
        raise UsageError(
            f"The saved state holds {sorted(saved)}, this combiner keeps {sorted(own)}. "
            "Load it into a combiner of the kind that saved it."
        )
    if not isinstance(state, Split):
        return state
    return Split(state.lanes, {name: _rich(value) for name, value in saved.items()})


def save_state(path: str | Path, state: State) -> None:
    """Write what outlives episodes as JSON."""
    Path(path).write_text(json.dumps(shared_of(state), indent=1) + "\n")


def load_state(path: str | Path, state: State) -> State:
    """Return a state with what a file holds.

    Args:
        path: What :func:`save_state` wrote.
        state: A state of the same combiner, for example what ``init`` returns.

    Raises:
        UsageError: The file cannot be read, or belongs to another combiner.
    """
    try:
        saved = json.loads(Path(path).read_text())
    except (OSError, ValueError) as cause:
        raise UsageError(f"Cannot read the state {path}: {cause}") from cause
    if not isinstance(saved, dict):
        raise UsageError(f"{path} holds no state of a combiner.")
    return with_shared(state, saved)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _rich(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rich(item) for name, item in value.items()}
    return np.array(value) if isinstance(value, list) else value
