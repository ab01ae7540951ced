"""What a model is shown of earlier programs: the best, the last, or parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reward_synth.prompts import Message, first_messages
from reward_synth.search.feedback import feedback
from reward_synth.search.outcome import Outcome
from reward_synth.task import TaskSpec

_MUTATE = (
    "Write a variation of this program: change one component alone (its form, its scale or "
    "its condition), and say before the code which one and why. Keep the others as they are."
)
_CROSS = (
    "Write a program that joins the best components of these two: say before the code which "
    "component is from which and why. No two components may work against each other."
)
_KEPT = 8
"""Programs of an island from which parents are drawn."""


@dataclass(frozen=True, slots=True)
class Told:
    """A program that became known, and which sample it was."""

    slot: int
    outcome: Outcome


class Prompting(Protocol):
    """Writes the question for one sample."""

    @property
    def shared(self) -> bool:
        """Whether every sample of a round is asked the same."""

    def messages(
        self, task: TaskSpec, slot: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the messages.

        Args:
            task: The task.
            slot: The number of the sample in the whole run.
            rounds: What became of earlier samples, by round, oldest first.
        """


@dataclass(frozen=True, slots=True)
class Best:
    """Shows the best attempts of all rounds, at most ``shown``; 0: none."""

    shown: int

    @property
    def shared(self) -> bool:
        """Every sample of a round is asked the same."""
        return True

    def messages(
        self, task: TaskSpec, _: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the same question for every sample of a round."""
        every = [item for told in rounds for item in told]
        return first_messages(task, shown(every, self.shown))


@dataclass(frozen=True, slots=True)
class Last:
    """Shows the best attempts of the last round alone: a Markov chain of programs."""

    shown: int

    @property
    def shared(self) -> bool:
        """Every sample of a round is asked the same."""
        return True

    def messages(
        self, task: TaskSpec, _: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the same question for every sample of a round."""
        return first_messages(task, shown(rounds[-1] if rounds else (), self.shown))


@dataclass(frozen=True, slots=True)
class Evolution:
    """Asks for mutations and crossovers of parents, on islands.

    Sample number ``slot`` lives on island ``slot % islands``; its parents are drawn there,
    the better the likelier, by a generator that the seed and the slot decide.
    """

    islands: int
    mutation: float
    seed: int

    @property
    def shared(self) -> bool:
        """Each sample has parents of its own."""
        return False

    def messages(
        self, task: TaskSpec, slot: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the question for one child; a first question where there is no parent."""
        island = slot % self.islands
        living = [
            item.outcome
            for told in rounds
            for item in told
            if item.slot % self.islands == island and item.outcome.usable
        ]
        living.sort(key=lambda item: (-item.score, item.program.digest))
        if not living:
            return first_messages(task)
        rng = np.random.default_rng([self.seed, slot])
        wants = 1 if rng.random() < self.mutation else 2
        parents = _draw(living[:_KEPT], wants, rng)
        request = _MUTATE if len(parents) == 1 else _CROSS
        return first_messages(task, [feedback(item) for item in parents], request)


def shown(told: Sequence[Told], most: int) -> list[str]:
    """Return the texts of the best attempts, at most so many."""
    outcomes = {item.outcome.program.digest: item.outcome for item in told}
    best = sorted(outcomes.values(), key=lambda x: (-x.score, x.program.digest))
    return [feedback(outcome) for outcome in best[:most]]


def _draw(
    living: Sequence[Outcome], wants: int, rng: np.random.Generator
) -> list[Outcome]:
    """Draw without repeats; the chance is the rank's reciprocal."""
    chance = 1.0 / np.arange(1, len(living) + 1)
    count = min(wants, len(living))
    picks = rng.choice(len(living), count, replace=False, p=chance / chance.sum())
    return [living[int(number)] for number in picks]
