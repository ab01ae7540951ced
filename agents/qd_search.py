"""Quality-Diversity: many different policies, found where almost nothing is paid.

Example:
    >>> import gymnasium as gym
    >>> from reward_synth.agents.qd_policy import VectorPolicy
    >>> envs = gym.make_vec("CartPole-v1", 4, vectorization_mode="sync")
    >>> policy = VectorPolicy(
    ...     envs.single_observation_space, envs.single_action_space, (2,))
    >>> player = Player(envs, policy, horizon=20)
    >>> found = explore(RandomSearch(policy.size, seed=0, population=8), player, 8)
    >>> found.played, found.first
    (8, 1)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np

from reward_synth.agents.qd_descriptor import Autoencoder, Descriptor
from reward_synth.agents.qd_novelty import NoveltySearch, joined, rows_of
from reward_synth.agents.qd_play import Played, Player
from reward_synth.agents.qd_policy import Table
from reward_synth.agents.qd_serene import Serene
from reward_synth.errors import UsageError, did_you_mean

Method: TypeAlias = Literal["random", "novelty", "taxons", "serene", "stax"]


class Searcher(Protocol):
    """Asks for policies to be played, and is told what they did."""

    @property
    def archive(self) -> Played:
        """What is kept."""

    def ask(self) -> Table:
        """Return policies, shape ``(n, size)``."""

    def tell(self, played: Played, /) -> None:
        """Take what they did."""


class RandomSearch:
    """Draws every policy anew: what the others must beat.

    Args:
        size: Numbers of a policy.
        seed: Of all that is drawn.
        population: Policies at once.
        spread: Deviation of their numbers.

    Example:
        >>> RandomSearch(3, seed=0, population=5).ask().shape
        (5, 3)
    """

    def __init__(
        self, size: int, *, seed: int, population: int = 50, spread: float = 1.0
    ) -> None:
        self.shape = population, size
        self.spread = spread
        self._rng = np.random.default_rng(seed)
        self._kept: Played | None = None

    def ask(self) -> Table:
        """Return fresh policies."""
        return self._rng.normal(0.0, self.spread, self.shape)

    def tell(self, played: Played, /) -> None:
        """Keep them all."""
        self._kept = played if self._kept is None else joined(self._kept, played)

    @property
    def archive(self) -> Played:
        """All that were played."""
        return self._kept or Played(
            np.zeros((0, self.shape[1])), np.zeros((0, 0)), np.zeros(0)
        )


def searcher_of(
    method: Method,
    size: int,
    descriptor: Descriptor | None,
    *,
    seed: int,
    looked: int = 0,
    chunk: int = 1000,
    **settings: Any,
) -> Searcher:
    """Return a method by its name.

    Args:
        method: ``taxons`` and ``stax`` learn what tells behaviours apart; ``serene`` and
            ``stax`` exploit what was paid.
        size: Numbers of a policy.
        descriptor: Tells behaviours apart; None for methods that learn it.
        seed: Of all that is drawn.
        looked: Numbers of a look, for methods that learn.
        chunk: Of :class:`Serene`.
        settings: Of :class:`NoveltySearch`; of ``random``, population and spread.

    Raises:
        UsageError: There is no such method, or it lacks a descriptor.
        MissingExtraError: ``ribs`` is not installed.

    Example:
        >>> searcher_of("random", 3, None, seed=0).ask().shape
        (50, 3)
        >>> searcher_of("novel", 3, None, seed=0)
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: There is no method 'novel'; take one of random, \
novelty, taxons, serene, stax. Did you mean 'novelty'?
    """
    known = get_args(Method)
    if method not in known:
        raise UsageError(
            f"There is no method {method!r}; take one of {', '.join(known)}."
            f"{did_you_mean(method, known)}"
        )
    if method == "random":
        return RandomSearch(size, seed=seed, **settings)
    if method in {"taxons", "stax"}:
        descriptor = descriptor or Autoencoder(looked, seed=seed)
    if descriptor is None:
        raise UsageError(
            f"{method} needs a descriptor that tells behaviours apart, such as "
            'field_descriptor([task.field("position")]).'
        )
    explorer = NoveltySearch(size, descriptor, seed=seed, **settings)
    if method in {"serene", "stax"}:
        return Serene(explorer, seed=seed, chunk=chunk)
    return explorer


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search found."""

    played: int
    """Policies."""
    first: int | None
    """Policies played up to the first that was paid, itself included; None: none was."""
    paid: int
    """Policies that were paid."""
    best: Played
    """The one that was paid most, the earliest of equals."""
    archive: Played

    def save(self, path: str | Path) -> None:
        """Write best and archive as a NumPy file without pickle.

        A reader sees the whole file or none.
        """
        fresh = Path(path).with_suffix(".tmp")
        best, kept = self.best, self.archive
        with fresh.open("wb") as file:
            np.savez(
                file,
                best=best.params,
                best_reward=best.rewards,
                params=kept.params,
                looks=kept.looks,
                rewards=kept.rewards,
            )
        os.replace(fresh, path)


def explore(
    searcher: Searcher,
    player: Player,
    evaluations: int,
    *,
    until_paid: bool = False,
    tell: Callable[[int, Played], None] | None = None,
) -> Explored:
    """Search until so many policies were played.

    Args:
        searcher: Which.
        player: Plays them.
        evaluations: At least so many; the last generation is played in full.
        until_paid: End with the first generation of which a policy was paid.
        tell: Is told how many were played, and each generation.

    Raises:
        UsageError: ``evaluations`` is below 1.
    """
    if evaluations < 1:
        raise UsageError(f"evaluations must be at least 1; received {evaluations}.")
    count, paid, first = 0, 0, None
    best: Played | None = None
    while count < evaluations:
        played = player(searcher.ask())
        searcher.tell(played)
        hits = np.flatnonzero(played.rewards > 0)
        if first is None and hits.size:
            first = count + int(hits[0]) + 1
        count, paid = count + len(played), paid + hits.size
        top = rows_of(played, [int(played.rewards.argmax())])
        if best is None or top.rewards[0] > best.rewards[0]:
            best = top
        if tell is not None:
            tell(count, played)
        if until_paid and hits.size:
            break
    if best is None:
        raise UsageError("The searcher asked for no policy.")
    return Explored(count, first, paid, best, searcher.archive)
