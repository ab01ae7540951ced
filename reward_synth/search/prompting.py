"""What a model is asked next, from what became of earlier programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reward_synth.combine import DECODED
from reward_synth.prompts import (
    Message,
    example,
    factor_messages,
    first_messages,
    neutralise,
)
from reward_synth.search.asking import Best, Evolution, Last, Prompting, Told, shown
from reward_synth.search.method import Method
from reward_synth.task import TaskSpec
from reward_synth.zoo import nearest

_JOIN = (
    "Write one program that joins the best of all these: say before the code what is from "
    "which and why. No two components may work against each other."
)
_REMEMBERED = 4
"""Refinements that are shown: a history of four turns."""


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
class Refining:
    """Shows what a person said of earlier programs, and then what another asker shows.

    After the interactive setting of Text2Reward (Xie et al., 2024), whose history holds
    code, behaviour and feedback.
    """

    refinements: tuple[Refinement, ...]
    then: Prompting
    ask: Callable[[TaskSpec, Sequence[str], str], tuple[Message, ...]] = first_messages
    """Asks for what the programs are: rewards, or factors."""

    @property
    def shared(self) -> bool:
        """As what is asked later."""
        return self.then.shared

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

    @property
    def shared(self) -> bool:
        """As what is asked after the examples."""
        return self.then.shared

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

    @property
    def shared(self) -> bool:
        """Every sample of a round is asked the same."""
        return True

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

    @property
    def shared(self) -> bool:
        """As what is asked before."""
        return self.then.shared

    def messages(
        self, task: TaskSpec, slot: int, rounds: Sequence[Sequence[Told]], /
    ) -> tuple[Message, ...]:
        """Return the question for one sample."""
        if len(rounds) < self.rounds:
            return self.then.messages(task, slot, rounds)
        told = [item for part in rounds for item in part]
        return first_messages(task, shown(told, len(told)), _JOIN)


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
