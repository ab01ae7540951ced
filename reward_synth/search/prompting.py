"""What a model is asked next, from what became of earlier programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reward_synth.combine import DECODED
from reward_synth.prompts import (
    Message,
    example,
    factor_messages,
    first_messages,
    neutralise,
)
from reward_synth.search.feedback import feedback
from reward_synth.search.method import Method
from reward_synth.search.outcome import Outcome
from reward_synth.task import TaskSpec
from reward_synth.zoo import nearest

_MUTATE = (
    "Write a variation of this program: change one component alone (its form, its scale or "
    "its condition), and say before the code which one and why. Keep the others as they are."
)
_CROSS = (
    "Write a program that joins the best components of these two: say before the code which "
    "component is from which and why. No two components may work against each other."
)
_JOIN = (
    "Write one program that joins the best of all these: say before the code what is from "
    "which and why. No two components may work against each other."
)
_REMEMBERED = 4
"""Refinements that are shown: a history of four turns."""
_KEPT = 8
"""Programs of an island from which parents are drawn."""


_WISH = (
    "A person has watched what an agent does with this program, and says what stands after "
    "it. Think what in the code leads to that, then write the program that mends it, and "
    "keep what was not complained about."
)
_WISH_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a person said of a program."""

    source: str
    """The program."""
    behaviour: str
    """What was found and measured of it, as text."""
    wish: str
    """The person's words."""


@dataclass(frozen=True, slots=True)
class Told:
    """A program that became known, and which sample it was."""

    slot: int
    outcome: Outcome


class Prompting(Protocol):
    """Writes the question for one sample."""

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

    def messages(
        self, task: TaskSpec, _: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the same question for every sample of a round."""
        every = [item for told in rounds for item in told]
        return first_messages(task, _shown(every, self.shown))


@dataclass(frozen=True, slots=True)
class Last:
    """Shows the best attempts of the last round alone: a Markov chain of programs."""

    shown: int

    def messages(
        self, task: TaskSpec, _: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the same question for every sample of a round."""
        return first_messages(task, _shown(rounds[-1] if rounds else (), self.shown))


@dataclass(frozen=True, slots=True)
class Evolution:
    """Asks for mutations and crossovers of parents, on islands.

    Sample number ``slot`` lives on island ``slot % islands``; its parents are drawn there,
    the better the likelier, by a generator that the seed and the slot decide.
    """

    islands: int
    mutation: float
    seed: int

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


@dataclass(frozen=True, slots=True)
class Refining:
    """Shows what a person said of earlier programs, and then what another asker shows.

    After the interactive setting of Text2Reward (Xie et al., 2024), whose history holds
    code, behaviour and feedback.
    """

    refinements: tuple[Refinement, ...]
    then: Prompting
    ask: Callable[[TaskSpec, Sequence[str], str], tuple[Message, ...]] = first_messages
    """Asks for what the programs are: rewards, or factors."""

    def messages(
        self, task: TaskSpec, slot: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the question for one sample."""
        if any(rounds):
            return self.then.messages(task, slot, rounds)
        parts = [
            f"```python\n{item.source.strip()}\n```\n{item.behaviour}\n"
            f"A person says of it: {neutralise(item.wish, _WISH_LIMIT, signs=True)}"
            for item in self.refinements[-_REMEMBERED:]
        ]
        return self.ask(task, parts, _WISH)


@dataclass(frozen=True, slots=True)
class FewShot:
    """Puts programs of other tasks before what another asker says."""

    count: int
    then: Prompting

    def messages(
        self, task: TaskSpec, slot: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the question for one sample."""
        *before, (role, text) = self.then.messages(task, slot, rounds)
        shown = [
            part
            for entry in nearest(task, self.count)
            for part in example(entry.task, entry.program.source)
        ]
        return (*before, (role, "\n\n".join([*shown, text])))


@dataclass(frozen=True, slots=True)
class Factors:
    """Asks for latent factors; then, after some rounds, to join all drafts into one."""

    rounds: int
    """Rounds of drafts; every later question joins them."""

    def messages(
        self, task: TaskSpec, _: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the same question for every sample of a round."""
        if len(rounds) < self.rounds:
            return factor_messages(task)
        told = [item for drafts in rounds for item in drafts]
        usable = [item for item in told if item.outcome.usable] or told
        texts = {x.outcome.program.digest: x.outcome.program.source for x in usable}
        drafts = [f"```python\n{text.strip()}\n```" for text in texts.values()]
        return factor_messages(task, drafts)


@dataclass(frozen=True, slots=True)
class Joining:
    """Asks to join all programs into one, after some rounds of what another asker asks."""

    rounds: int
    then: Prompting

    def messages(
        self, task: TaskSpec, slot: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the question for one sample."""
        if len(rounds) < self.rounds:
            return self.then.messages(task, slot, rounds)
        told = [item for part in rounds for item in part]
        return first_messages(task, _shown(told, len(told)), _JOIN)


def prompting(
    method: Method,
    seed: int,
    refinements: Sequence[Refinement] = (),
    rounds: int | None = None,
) -> Prompting:
    """Return what a method asks with.

    Args:
        method: The method.
        seed: Decides what is drawn.
        refinements: What a person said of earlier programs, oldest first.
        rounds: Rounds of a search, after which programs are joined where the method
            does so; the method's own by default.

    Example:
        >>> from reward_synth.search.method import load_method
        >>> prompting(load_method("eureka"), 0)
        Last(shown=1)
    """
    before = method.rounds if rounds is None else rounds
    ask = factor_messages if method.combine == DECODED else first_messages
    asker = _asker(method, seed, before)
    if method.examples:
        asker = FewShot(method.examples, asker)
    return Refining(tuple(refinements), asker, ask) if refinements else asker


def _asker(method: Method, seed: int, rounds: int) -> Prompting:
    if method.combine == DECODED:
        return Factors(rounds)
    asker = _shower(method, seed)
    return asker if method.merge is None else Joining(rounds, asker)


def _shower(method: Method, seed: int) -> Prompting:
    if method.history == "evolution":
        return Evolution(method.islands, method.mutation, seed)
    if method.history == "last":
        return Last(method.shown)
    return Best(method.shown if method.history == "best" else 0)


def _shown(told: Sequence[Told], most: int) -> list[str]:
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
