"""The cross-entropy method: draws, keeps the best, draws near them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.errors import UsageError
from reward_synth.probe.arena import Arena, Played, Start

Values = npt.NDArray[np.float64]
Decode = Callable[[Values], tuple[npt.NDArray[Any], Start | None]]
_LEAST = 0.02
"""Smallest spread, so that the search does not stand still."""
_PUSH = 0.5


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """How long is searched.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> CrossEntropy(population=32).elites
        4
    """

    population: int = 48
    """Draws of a generation."""
    generations: int = 8
    knots: int = 8
    """Actions of an episode, each held for the same time."""

    def __post_init__(self) -> None:
        """Refuse a search of nothing."""
        if self.population < 8 or self.generations < 1 or self.knots < 1:  # noqa: PLR2004 - an elite
            raise UsageError(
                f"A search needs a population of at least 8, a generation and a knot; "
                f"received {self}."
            )

    @property
    def elites(self) -> int:
        """How many of a generation the next one is drawn near."""
        return self.population // 8


def best_actions(
    arena: Arena, horizon: int, seed: int, settings: CrossEntropy
) -> Played | None:
    """Return the best-paid episode without success that is found over action sequences.

    Args:
        arena: Plays actions.
        horizon: Steps of an episode.
        seed: Of the reset and of the search.
        settings: How long to search.

    Raises:
        UsageError: Actions are neither numbers with bounds nor choices.
    """
    space: Any = arena.env.action_space
    knots = min(settings.knots, horizon)
    held = np.minimum(np.arange(horizon) * knots // horizon, knots - 1)
    size, act = _actor(space)

    def decode(point: Values) -> tuple[npt.NDArray[Any], Start | None]:
        return act(point.reshape(knots, size))[held], None

    return _search(arena, decode, knots * size, seed, settings)


def best_start(
    arena: Arena, horizon: int, seed: int, settings: CrossEntropy
) -> Played | None:
    """Return the best-paid episode without success over states of MuJoCo.

    States are drawn around the first one and may not be reachable from it; the action is
    held.

    Args:
        arena: As for :func:`best_actions`; its environment can be placed.
        horizon: Likewise.
        seed: Likewise.
        settings: Likewise.
    """
    base: Any = arena.env.unwrapped
    qpos, qvel = np.array(base.init_qpos), np.array(base.init_qvel)
    size, act = _actor(arena.env.action_space)

    def decode(point: Values) -> tuple[npt.NDArray[Any], Start | None]:
        moved, fast, push = np.split(point, [len(qpos), len(qpos) + len(qvel)])
        start = Start(qpos + _PUSH * moved, qvel + _PUSH * fast)
        return np.repeat(act(push[None]), horizon, 0), start

    return _search(arena, decode, len(qpos) + len(qvel) + size, seed, settings)


def _search(
    arena: Arena, decode: Decode, size: int, seed: int, settings: CrossEntropy
) -> Played | None:
    rng = np.random.default_rng(seed)
    centre, spread = np.zeros(size), np.ones(size)
    best: Played | None = None
    for _ in range(settings.generations):
        points = centre + spread * rng.normal(size=(settings.population, size))
        points[0] = centre
        scores = np.full(settings.population, -np.inf)
        for number, point in enumerate(points):
            actions, start = decode(point)
            played = arena.play(actions, seed, start)
            if played.succeeded or not np.isfinite(played.paid).all():
                continue
            scores[number] = played.worth(arena.gamma)
            if best is None or scores[number] > best.worth(arena.gamma):
                best = played
        elite = points[np.argsort(-scores, kind="stable")[: settings.elites]]
        centre, spread = elite.mean(0), np.maximum(elite.std(0), _LEAST)
    return best


def _actor(space: Any) -> tuple[int, Callable[[Values], npt.NDArray[Any]]]:
    """Return how many numbers an action takes, and what makes actions of them."""
    if isinstance(space, gym.spaces.Discrete):
        return int(space.n), lambda rows: np.argmax(rows, 1) + int(space.start)
    if not isinstance(space, gym.spaces.Box) or not space.is_bounded():
        raise UsageError(
            f"probe searches bounded Box and Discrete actions; received {space}."
        )
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)

    def act(rows: Values) -> npt.NDArray[Any]:
        shaped = rows.reshape(-1, *low.shape)
        moved = (low + high) / 2 + (high - low) / 2 * shaped
        return np.clip(moved, low, high).astype(space.dtype)

    return int(low.size), act
