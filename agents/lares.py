"""One replay buffer for a population of reward programs, and whose policy acts next.

Every transition is stored once, with what any program of the task may read, and scored for
all programs in one pass of the population kernel. Who acts is drawn by how often each
policy has succeeded lately. After LaRes (Li et al., "LaRes: Evolutionary Reinforcement
Learning with LLM-based Adaptive Reward Search", NeurIPS 2025).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from reward_synth.agents.lares_steps import Rows, Transitions
from reward_synth.errors import UsageError
from reward_synth.kernels import Population
from reward_synth.wrappers.guard import Guard, Quarantine

_MOST = 1e6
"""A larger reward of a step is left out, as the wrappers do."""


@dataclass(frozen=True, slots=True)
class Lares:
    """Settings; those without a remark are the released scripts'.

    Raises:
        UsageError: One is out of range.

    Example:
        >>> Lares().window
        100
    """

    window: int = 100
    """Newest episodes of a policy that its chances count; the scripts take 20 to 500."""
    pull: float = 1.0
    """Of an inherited policy's square distance to the best elite, in the loss of each
    step. The value is ours."""
    batch: int = 128

    def __post_init__(self) -> None:
        """Refuse settings that cannot be used."""
        if min(self.window, self.batch) < 1 or self.pull < 0.0:
            raise UsageError(
                "Lares needs window and batch of at least 1 and pull of at least 0; "
                f"received {self}."
            )


class Thompson:
    """Draws who acts: each by a Beta posterior of its lately seen successes.

    Args:
        arms: How many policies there are.
        window: Newest episodes that count, of each.
        rng: Decides.

    Example:
        >>> draws = Thompson(2, 100, np.random.default_rng(0))
        >>> for _ in range(50):
        ...     draws.tell(0, success=False)
        ...     draws.tell(1, success=True)
        >>> draws.chosen()
        [1]
    """

    def __init__(self, arms: int, window: int, rng: np.random.Generator) -> None:
        self.seen: list[deque[bool]] = [deque(maxlen=window) for _ in range(arms)]
        self._rng = rng

    def tell(self, arm: int, *, success: bool) -> None:
        """Count an episode of a policy."""
        self.seen[arm].append(success)

    def draw(self) -> int:
        """Return the policy whose draw from Beta(1 + successes, 1 + failures) is largest."""
        won = np.array([sum(item) for item in self.seen], np.float64)
        played = np.array([len(item) for item in self.seen], np.float64)
        return int(np.argmax(self._rng.beta(1.0 + won, 1.0 + played - won)))

    def chosen(self) -> list[int]:
        """Return who plays an episode each: as many draws as policies, without repeats."""
        return list(dict.fromkeys(self.draw() for _ in self.seen))


@dataclass(frozen=True, slots=True)
class Matching:
    """An affine map of rewards: ``scale * r + shift``.

    Example:
        >>> to = Matching.of(np.array([0.0, 2.0]), np.array([10.0, 30.0]))
        >>> to(np.array([0.0, 1.0, 2.0]))
        array([10., 20., 30.])
    """

    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, rewards: Rows) -> Rows:
        """Return the mapped rewards."""
        return self.scale * rewards + self.shift

    @classmethod
    def of(cls, rewards: Rows, elite: Rows) -> Matching:
        """Return the map that gives rewards the mean and the spread of an elite's.

        Rewards that do not vary keep their spread of 0, and get the mean.

        Args:
            rewards: Of a new program, on the stored steps.
            elite: Of the best elite's program, on the same.
        """
        spread = float(np.std(rewards))
        scale = float(np.std(elite)) / spread if spread > 0.0 else 1.0
        return cls(scale, float(np.mean(elite) - scale * np.mean(rewards)))


class SharedReplay:
    """Steps of all policies, stored once and scored for every program.

    Args:
        population: The programs.
        known: Steps of earlier periods.
        inherited: How many of the programs, the first, are elites of the period before;
            the others' rewards are matched to the first one's.
        sparse: Whether the sparse reward is added to the programs'.
        weight: Factor of what programs pay.
    """

    def __init__(
        self,
        population: Population,
        known: Transitions | None = None,
        *,
        inherited: int = 0,
        sparse: bool = True,
        weight: float = 1.0,
    ) -> None:
        self.population = population
        self.sparse, self.weight = sparse, weight
        count = len(population.functions)
        self.matching = [Matching()] * count
        self.faults = Quarantine(Guard(_MOST, stop_after=None))
        self.fresh: list[Transitions] = []
        """Steps of this period, episode by episode."""
        self._parts: list[tuple[Transitions, Rows]] = []
        if known is not None and len(known):
            totals = self._totals(known)
            if inherited:
                self.matching = [
                    Matching()
                    if row < inherited
                    else Matching.of(totals[row], totals[0])
                    for row in range(count)
                ]
            self._parts.append((known, self._paid(known, totals)))

    def __len__(self) -> int:
        """Number of steps."""
        return sum(len(steps) for steps, _ in self._parts)

    def extend(self, steps: Transitions) -> None:
        """Keep an episode's steps, scored for every program in one pass."""
        self.fresh.append(steps)
        self._parts.append((steps, self._paid(steps, self._totals(steps))))

    def rows(self) -> tuple[Transitions, Rows]:
        """Return all steps, and rewards of shape ``(programs, N)``.

        Parts are joined once, so that asking again costs nothing.
        """
        if len(self._parts) > 1:
            steps = Transitions.joined([item for item, _ in self._parts])
            paid = np.concatenate([item for _, item in self._parts], axis=1)
            self._parts = [(steps, paid)]
        return self._parts[0]

    def _totals(self, steps: Transitions) -> Rows:
        """Return what the programs say; what is no good counts as 0, and as a fault."""
        found = np.asarray(self.population.totals(steps.values), np.float64)
        wide = np.broadcast_to(found, (len(found), len(steps)))
        usable = np.abs(wide) <= _MOST  # False for NaN
        for row in np.flatnonzero(~usable.all(axis=1)):
            bad = wide[row][~usable[row]]
            self.faults.add(f"reward of program {row}", float(bad[0]), times=len(bad))
        return self.weight * np.where(usable, wide, 0.0)

    def _paid(self, steps: Transitions, totals: Rows) -> Rows:
        matched = np.stack(
            [m(row) for m, row in zip(self.matching, totals, strict=True)]
        )
        return matched + steps.sparse if self.sparse else matched
