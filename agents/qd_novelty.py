"""Novelty search: policies are kept for doing what no other did, whatever they are paid.

J. Lehman and K. Stanley, "Abandoning Objectives", 2011. With a learned descriptor it is
TAXONS (G. Paolo and others, arXiv 1909.05508).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from reward_synth.agents.qd_descriptor import Descriptor
from reward_synth.agents.qd_play import Played
from reward_synth.agents.qd_policy import Table
from reward_synth.errors import MissingExtraError, UsageError


def novelty(points: Table, others: Table, k: int) -> Table:
    """Return each point's mean distance to the nearest k of others, itself left out.

    Args:
        points: Shape ``(n, width)``; they are among ``others``.
        others: Shape ``(m, width)``.
        k: Neighbours; fewer where there are fewer.

    Example:
        >>> line = np.array([[0.0], [1.0], [3.0]])
        >>> novelty(line, line, 1).tolist(), novelty(line, line, 9).tolist()
        ([1.0, 1.0, 2.0], [2.0, 1.5, 2.5])
    """
    near = min(k, len(others) - 1)
    if near < 1:
        return np.zeros(len(points))
    # The nearest is the point itself, or one that is as near as that.
    distances = cKDTree(others).query(points, near + 1)[0]
    found: Table = distances[:, 1:].mean(1)
    return found


class NoveltySearch:
    """A population that moves towards the new, and an archive of where it was.

    Each generation every policy has a child with other weights; those that are farthest
    from their neighbours, among population, children and archive, live on. Some children,
    drawn at random, enter the archive (``ribs``) for good.

    With a descriptor that learns, as in TAXONS, it learns anew every ``every``
    generations, all points are told again, and a coin decides each generation whether
    novelty or surprise selects.

    Args:
        size: Numbers of a policy.
        descriptor: Tells behaviours apart.
        seed: Of all that is drawn.
        population: Policies that live.
        spread: Deviation of the first policies' numbers.
        sigma: Of a child's from its parent's.
        k: Neighbours that novelty is measured by.
        kept: Children a generation that enter the archive.
        every: Generations between rounds of learning.

    Raises:
        UsageError: A number is out of range.
        MissingExtraError: ``ribs`` is not installed.

    Example:
        >>> from reward_synth.agents.qd_descriptor import Scaled
        >>> search = NoveltySearch(3, Scaled([0.0], [1.0]), seed=0, population=4)
        >>> search.tell(Played(search.ask(), np.ones((4, 1)), np.zeros(4)))
        >>> search.ask().shape
        (4, 3)
    """

    def __init__(
        self,
        size: int,
        descriptor: Descriptor,
        *,
        seed: int,
        population: int = 50,
        spread: float = 1.0,
        sigma: float = 0.3,
        k: int = 15,
        kept: int = 6,
        every: int = 30,
    ) -> None:
        if min(size, population, k, kept, every) < 1 or min(spread, sigma) <= 0:
            raise UsageError(
                "size, population, k, kept and every must be at least 1, spread and sigma "
                f"above 0; received {size}, {population}, {k}, {kept}, {every}, {spread} "
                f"and {sigma}."
            )
        self.size, self.descriptor = size, descriptor
        self.population, self.spread, self.sigma = population, spread, sigma
        self.k, self.kept, self.every = k, kept, every
        self.generation = 0
        self.alive: Played | None = None
        """The population; None before the first generation."""
        self._rng = np.random.default_rng(seed)
        self._archive = archive_of(size, descriptor.width, k, None)

    def ask(self) -> Table:
        """Return policies to be played, shape ``(population, size)``."""
        shape = self.population, self.size
        if self.alive is None:
            return self._rng.normal(0.0, self.spread, shape)
        return self.alive.params + self._rng.normal(0.0, self.sigma, shape)

    def tell(self, played: Played) -> None:
        """Take what they did, and select."""
        if self._archive.field_list and not self.generation:
            width = played.looks.shape[1]
            self._archive = archive_of(self.size, self.descriptor.width, self.k, width)
        pool = played if self.alive is None else joined(self.alive, played)
        scores = self._scores(pool)
        best = np.argsort(-scores, kind="stable")[: self.population]
        self.alive = rows_of(pool, np.sort(best))
        self._keep(played)
        self.generation += 1
        if self.descriptor.learns and (
            self.generation == 1 or self.generation % self.every == 0
        ):
            self._relearn()

    @property
    def archive(self) -> Played:
        """All that was kept."""
        data = self._archive.data()
        looks = data.get("look", np.zeros((len(data["solution"]), 0)))
        return Played(data["solution"], looks, data["objective"])

    def _scores(self, pool: Played) -> Table:
        surprise = self.descriptor.surprise(pool.looks)
        if surprise is not None and self._rng.random() < 0.5:  # noqa: PLR2004 - a coin
            return surprise
        points = self.descriptor(pool.looks)
        kept = self._archive.data("measures")
        return novelty(points, np.concatenate([points, kept]), self.k)

    def _keep(self, played: Played) -> None:
        number = min(self.kept, len(played))
        chosen = rows_of(played, self._rng.permutation(len(played))[:number])
        self._add(chosen)

    def _add(self, played: Played) -> None:
        self._archive.add(
            played.params,
            played.rewards,
            self.descriptor(played.looks),
            look=played.looks,
        )

    def _relearn(self) -> None:
        """Learn from all that is kept, and tell the archive's points again."""
        kept = self.archive
        alive = kept if self.alive is None else joined(kept, self.alive)
        self.descriptor.learn(alive.looks)
        self._archive.clear()
        self._add(kept)


def archive_of(size: int, width: int, k: int, looked: int | None, **more: Any) -> Any:
    """Return an empty archive that takes whatever is not the same as it holds.

    Raises:
        MissingExtraError: ``ribs`` is not installed.

    Example:
        >>> archive_of(3, 2, 15, None).empty
        True
    """
    try:
        from ribs.archives import ProximityArchive  # noqa: PLC0415 - an extra
    except ImportError as cause:
        raise MissingExtraError("ribs", "qd") from cause
    fields = {} if looked is None else {"look": ((looked,), np.float64)}
    given = {"k_neighbors": k, "novelty_threshold": 0.0, "extra_fields": fields, **more}
    return ProximityArchive(solution_dim=size, measure_dim=width, **given)


def joined(one: Played, other: Played) -> Played:
    """Return both, one after the other.

    Example:
        >>> one = Played(np.zeros((1, 2)), np.zeros((1, 1)), np.zeros(1))
        >>> len(joined(one, one))
        2
    """
    return Played(
        np.concatenate([one.params, other.params]),
        np.concatenate([one.looks, other.looks]),
        np.concatenate([one.rewards, other.rewards]),
    )


def rows_of(played: Played, rows: Any) -> Played:
    """Return some of the policies.

    Example:
        >>> some = Played(np.zeros((3, 2)), np.zeros((3, 1)), np.arange(3.0))
        >>> rows_of(some, [2]).rewards.tolist()
        [2.0]
    """
    return Played(played.params[rows], played.looks[rows], played.rewards[rows])
