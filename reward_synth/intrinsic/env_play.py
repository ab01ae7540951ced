"""Plays environments and compares games; what the doctor looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from gymnasium import spaces

Make: TypeAlias = Callable[[], Any]
"""Makes an environment."""
_KEPT = 8
"""Observations that are kept to see whether they change."""


@dataclass(frozen=True, slots=True)
class Episode:
    """How one episode ended."""

    length: int
    terminated: bool
    truncated: bool
    status: str = ""
    """What ``info`` says of the end, such as ``ABORTED``."""


@dataclass(slots=True)
class Played:
    """What was met while playing."""

    steps: int = 0
    ends: list[Episode] = field(default_factory=list)
    outside: str = ""
    """The first observation outside its space, in words."""
    payments: str = ""
    """The first reward that is no finite number."""
    raised: str = ""
    """What a step raised."""
    changed: set[str] = field(default_factory=set)
    """Parts of observations that changed after they were returned."""


def play(env: Any, seed: int, steps: int) -> Played:
    """Play with random actions, and note what a learner would not."""
    played = Played()
    kept: list[tuple[dict[str, Any], dict[str, Any]]] = []
    env.action_space.seed(seed)
    obs, _ = env.reset(seed=seed)
    length = 0
    for _ in range(steps):
        played.outside = played.outside or outside(env.observation_space, obs)
        parts = dict(_arrays(obs))
        kept.append((parts, {name: part.copy() for name, part in parts.items()}))
        try:
            obs, reward, terminated, truncated, info = env.step(
                env.action_space.sample()
            )
        except Exception as cause:
            played.raised = f"{type(cause).__name__}: {cause}"
            break
        _compare(kept, played)
        kept = kept[:1] + kept[1:][-_KEPT:]  # resets may reuse the first one's arrays
        length += 1
        played.steps += 1
        played.payments = played.payments or _no_number(reward)
        if terminated or truncated:
            status = _status(info)
            ended = Episode(length, bool(terminated), bool(truncated), status)
            played.ends.append(ended)
            played.outside = played.outside or outside(env.observation_space, obs)
            obs, _ = env.reset()
            _compare(kept, played)
            kept, length = [], 0
    return played


def _compare(kept: list[Any], played: Played) -> None:
    for parts, copies in kept:
        for name, part in parts.items():
            if name not in played.changed and not _same(part, copies[name]):
                played.changed.add(name)


def game(
    make: Make, seed: int, steps: int, actions: int | None = None
) -> list[tuple[Any, ...]]:
    """Return what a game of one seed gives, with actions of one seed, resets included."""
    env = make()
    try:
        env.action_space.seed(seed if actions is None else actions)
        obs, _ = env.reset(seed=seed)
        seen: list[tuple[Any, ...]] = [(_frozen(obs),)]
        for _ in range(steps):
            action = env.action_space.sample()
            try:
                obs, reward, terminated, truncated, _ = env.step(action)
            except Exception as cause:  # told by play
                seen.append((type(cause).__name__,))
                break
            seen.append((_frozen(obs), reward, terminated, truncated))
            if terminated or truncated:
                obs, _ = env.reset()
                seen.append((_frozen(obs),))
    finally:
        env.close()
    return seen


def outside(space: Any, obs: Any, name: str = "The observation") -> str:
    """Say how an observation lies outside its space; ``""`` if it does not.

    Example:
        >>> outside(spaces.Box(0, 1, (2,)), np.array([0.5, 7.0], np.float32))
        'The observation holds 7.0 at [1]; the space allows 0.0 to 1.0.'
    """
    if space.contains(obs):
        return ""
    if isinstance(space, spaces.Dict) and isinstance(obs, Mapping):
        if set(obs) != set(space.spaces):
            strange = ", ".join(sorted(set(obs) ^ set(space.spaces)))
            return f"{name} has other keys than the space: {strange}."
        told = (outside(part, obs[key], f"{key!r}") for key, part in space.items())
        return next((text for text in told if text), f"{name} is outside its space.")
    if not isinstance(space, spaces.Box):
        return f"{name}, {obs!r:.80}, is not in {space}."
    return _outside_box(space, obs, name)


def _outside_box(space: spaces.Box, obs: Any, name: str) -> str:
    array = np.asarray(obs)
    if array.shape != space.shape or not np.can_cast(
        array.dtype, np.dtype(space.dtype)
    ):
        return (
            f"{name} has shape {array.shape} and type {array.dtype}; the space says "
            f"{space.shape} and {space.dtype}."
        )
    bad = ~((array >= space.low) & (array <= space.high))  # NaN too
    if not bad.any():
        return f"{name} is {type(obs).__name__}, which the space does not take."
    place = tuple(int(index) for index in np.argwhere(bad)[0])
    return (
        f"{name} holds {array[place]} at {list(place)}; the space allows "
        f"{space.low[place]} to {space.high[place]}."
    )


def _no_number(reward: Any) -> str:
    try:
        finite = bool(np.isfinite(float(reward)))
    except (TypeError, ValueError):
        return f"A step paid {reward!r}, which is no number."
    return "" if finite else f"A step paid {reward!r}."


def _status(info: Mapping[str, Any]) -> str:
    return str(getattr(info.get("end_status"), "name", ""))


def _arrays(obs: Any, name: str = "observation") -> Iterator[tuple[str, Any]]:
    if isinstance(obs, Mapping):
        for key, value in obs.items():
            yield from _arrays(value, str(key))
    elif isinstance(obs, tuple):
        for number, value in enumerate(obs):
            yield from _arrays(value, f"{name}[{number}]")
    elif isinstance(obs, np.ndarray):
        yield name, obs


def _frozen(obs: Any) -> Any:
    if isinstance(obs, Mapping):
        return {key: _frozen(value) for key, value in obs.items()}
    if isinstance(obs, tuple):
        return tuple(map(_frozen, obs))
    return np.array(obs)


def apart(first: list[Any], second: list[Any]) -> int | None:
    """Return at which entry two games differ first, None: nowhere.

    Example:
        >>> apart([(1, 2.0), (1, 2.0)], [(1, 2.0), (1, 3.0)])
        1
    """
    for number, (one, two) in enumerate(zip(first, second, strict=False)):
        if not equal(one, two):
            return number
    return None if len(first) == len(second) else min(len(first), len(second))


def equal(one: Any, two: Any) -> bool:
    """Tell whether two observations, or entries of a game, are the same.

    Example:
        >>> equal({"x": np.array([np.nan])}, {"x": np.array([np.nan])})
        True
    """
    if isinstance(one, Mapping):
        return set(one) == set(two) and all(equal(one[key], two[key]) for key in one)
    if isinstance(one, tuple):
        pairs = zip(one, two, strict=False)
        return len(one) == len(two) and all(equal(a, b) for a, b in pairs)
    return _same(np.asarray(one), np.asarray(two))


def _same(one: Any, two: Any) -> bool:
    kind = one.dtype.kind
    return bool(
        np.array_equal(one, two, equal_nan=kind in "fc" and two.dtype.kind in "fc")
    )
