"""Novelty search until something pays, then emitters around what paid, by turns.

After SERENE (G. Paolo and others, arXiv 2102.03140). With a searcher whose descriptor
learns it is STAX (G. Paolo and others, arXiv 2111.01919).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reward_synth.agents.qd_novelty import NoveltySearch, archive_of, novelty, rows_of
from reward_synth.agents.qd_play import Played
from reward_synth.agents.qd_policy import Table
from reward_synth.errors import UsageError

_THIRD = 3.0
_LEAST_SIGMA = 1e-3
_TIE = 1e-9
"""Share of what is paid that orders equals."""


@dataclass(slots=True)
class Emitting:
    """An emitter around a policy that was paid."""

    emitter: Any
    """Of ``ribs``: CMA-ES on what is paid."""
    look: Table
    """What the policy that it began at came to."""
    rewards: list[float] = field(default_factory=list)
    """Means of its generations."""

    def improvement(self, window: int) -> float:
        """Return how much its last generations gained, the later half on the earlier.

        Example:
            >>> Emitting(None, np.zeros(1), [0.0, 0.0, 1.0, 2.0]).improvement(4)
            1.5
        """
        last = self.rewards[-window:]
        half = len(last) // 2
        if not half:
            return 0.0
        return float(np.mean(last[half:]) - np.mean(last[:half]))


class Serene:
    """Explores by novelty, and exploits what was paid by emitters of ``ribs``, by turns.

    Each policy that is paid while exploring is a candidate. When it is the turn of
    exploiting, candidates are tried for some generations of CMA-ES, whose first deviation
    is a third of the distance to the nearest policy of the population; those that improved
    stay. Which one goes on is drawn from those that no other beats in both novelty, among
    what was paid, and improvement; one that no longer improves ends.

    Args:
        explorer: Searches while nothing else is to be done.
        seed: Of all that is drawn.
        chunk: Policies played before the turn changes.
        window: Generations of a trial.
        batch: Policies of an emitter's generation.

    Raises:
        UsageError: A number is below 1, or ``window`` below 2.
        MissingExtraError: ``ribs`` is not installed.

    Example:
        >>> from reward_synth.agents.qd_descriptor import Scaled
        >>> explorer = NoveltySearch(3, Scaled([0.0], [1.0]), seed=0, population=4)
        >>> search = Serene(explorer, seed=0, chunk=4)
        >>> search.tell(Played(search.ask(), np.ones((4, 1)), np.ones(4)))
        >>> len(search.candidates), search.ask().shape
        (4, (6, 3))
    """

    def __init__(
        self,
        explorer: NoveltySearch,
        *,
        seed: int,
        chunk: int = 1000,
        window: int = 6,
        batch: int = 6,
    ) -> None:
        if min(chunk, batch) < 1 or window < 2:  # noqa: PLR2004 - two halves
            raise UsageError(
                "chunk and batch must be at least 1 and window at least 2; received "
                f"{chunk}, {batch} and {window}."
            )
        self.explorer = explorer
        self.chunk, self.window, self.batch = chunk, window, batch
        self.candidates: list[Played] = []
        """Policies that were paid and not tried, each by itself."""
        self.emitters: list[Emitting] = []
        """Those that improved."""
        self.exploited = 0
        """Policies that emitters played."""
        self._rng = np.random.default_rng(seed)
        self._left = chunk
        self._exploring = True
        self._current: Emitting | None = None
        self._paid: Any = None

    def ask(self) -> Table:
        """Return policies to be played."""
        if self._left <= 0:
            self._exploring, self._left = not self._exploring, self.chunk
        if not self._exploring and self._current is None:
            self._current = self._next()
            self._exploring = self._current is None
        if self._current is not None and not self._exploring:
            return np.asarray(self._current.emitter.ask(), np.float64)
        return self.explorer.ask()

    def tell(self, played: Played) -> None:
        """Take what they did."""
        self._left -= len(played)
        paid = rows_of(played, np.flatnonzero(played.rewards > 0))
        if self._exploring:
            self.explorer.tell(played)
            self.candidates += [rows_of(paid, [n]) for n in range(len(paid))]
        else:
            self.exploited += len(played)
            self._told(played)
        if len(paid):
            self._store(played.looks.shape[1]).add(
                paid.params,
                paid.rewards,
                self.explorer.descriptor(paid.looks),
                look=paid.looks,
            )

    @property
    def archive(self) -> Played:
        """What was kept for being new, and what was paid."""
        return self.explorer.archive

    @property
    def paid(self) -> Played | None:
        """The best policies of different behaviour that were paid; None: none was."""
        if self._paid is None:
            return None
        data = self._paid.data()
        return Played(data["solution"], data["look"], data["objective"])

    def _store(self, looked: int) -> Any:
        if self._paid is None:
            width, k = self.explorer.descriptor.width, self.explorer.k
            near = {"local_competition": True}
            self._paid = archive_of(self.explorer.size, width, k, looked, **near)
        return self._paid

    def _told(self, played: Played) -> None:
        """Let the emitter learn; after its trial, keep it or end it."""
        current = self._current
        if current is None:
            return
        points = self.explorer.descriptor(played.looks)
        added = {"status": (played.rewards > 0).astype(np.int32)}
        ranked = played.rewards + self._ties(played.rewards)
        current.emitter.tell(played.params, ranked, points, added)
        current.rewards.append(float(played.rewards.mean()))
        ended = current.emitter.restarts > 0
        if len(current.rewards) % self.window and not ended:
            return
        if current in self.emitters:
            self.emitters.remove(current)
        if current.improvement(self.window) > 0 and not ended:
            self.emitters.append(current)
        self._current = None

    def _ties(self, rewards: Table) -> Table:
        """Return next to nothing: CMA-ES gives up where all of a generation are equal."""
        most = max(1.0, float(np.abs(rewards).max()))
        return _TIE * most * self._rng.random(len(rewards))

    def _next(self) -> Emitting | None:
        """Return a candidate's emitter, else one of the best; None: there is none."""
        if self.candidates:
            return self._emitting(self.candidates.pop(self._newest()))
        if not self.emitters:
            return None
        fresh = self._novelty(np.stack([one.look for one in self.emitters]))
        gains = np.array([one.improvement(self.window) for one in self.emitters])
        best = np.flatnonzero(unbeaten(np.stack([fresh, gains], 1)))
        return self.emitters[int(self._rng.choice(best))]

    def _newest(self) -> int:
        looks = np.concatenate([one.looks for one in self.candidates])
        return int(self._novelty(looks).argmax())

    def _novelty(self, looks: Table) -> Table:
        """Return how far behaviours are from what was paid."""
        points = self.explorer.descriptor(looks)
        held = self._paid.data("look") if self._paid is not None else looks
        others = self.explorer.descriptor(held)
        return novelty(points, np.concatenate([points, others]), self.explorer.k)

    def _emitting(self, candidate: Played) -> Emitting:
        from ribs.emitters import EvolutionStrategyEmitter  # noqa: PLC0415 - an extra

        emitter = EvolutionStrategyEmitter(
            self._store(candidate.looks.shape[1]),
            x0=candidate.params[0],
            sigma0=self._sigma(candidate.params[0]),
            ranker="obj",
            selection_rule="mu",
            restart_rule="basic",
            batch_size=self.batch,
            seed=int(self._rng.integers(2**31)),
        )
        return Emitting(emitter, candidate.looks[0])

    def _sigma(self, params: Table) -> float:
        alive = self.explorer.alive
        if alive is None:
            return self.explorer.sigma
        distances = np.linalg.norm(alive.params - params, axis=1)
        away = distances[distances > 0]
        nearest = float(away.min()) if away.size else self.explorer.sigma
        # A distance is over all numbers; the deviation is that of one of them.
        return float(max(nearest / _THIRD / np.sqrt(len(params)), _LEAST_SIGMA))


def unbeaten(points: Table) -> Any:
    """Tell which rows no other is at least as high in all columns and higher in one.

    Example:
        >>> unbeaten(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.5]])).tolist()
        [True, True, False]
    """
    above = np.all(points[None] >= points[:, None], axis=2)
    higher = np.any(points[None] > points[:, None], axis=2)
    return ~np.any(above & higher, axis=1)
