"""Fitness from preferences: which of two agents did it better, in a person's eyes.

As in the human setting of REvolve (Hazra et al., 2025), where Elo ratings of preferences
are the fitness; here all answers are fitted together by the model of Bradley and Terry
(1952), so that neither the order of questions nor who was asked first matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reward_synth.search.outcome import Outcome
from reward_synth.store.rows import short_digest

Values = npt.NDArray[np.float64]
FIRST, TIE, SECOND = 1.0, 0.5, 0.0
_ROUNDS = 10_000
_CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Duel:
    """What a person is asked to compare."""

    task: str
    """What the agents should do, in words."""
    first: str
    """What the one agent did in its best and its worst episode, as text."""
    second: str
    """What the other one did."""
    number: int = 1
    """Which question of the search it is, from 1."""


class Referee(Protocol):
    """Says which of two agents did it better."""

    def __call__(self, duel: Duel, /) -> float:
        """Return 1 for the first, 0 for the second, 0.5 for a tie; may raise to stop."""


class Answers(Protocol):
    """Keeps what a referee said, before it is used."""

    def find(self, key: str, /) -> Mapping[str, Any] | None:
        """Return the answer to a question, None: it was not asked."""

    def record(self, key: str, answer: Mapping[str, Any], /) -> None:
        """Keep an answer; on return it survives a crash."""


def bradley_terry(wins: npt.ArrayLike, prior: float = 1.0) -> Values:
    """Return how likely each player wins against one of middling strength.

    The most likely strengths, found by minorisation (Hunter, "MM algorithms for
    generalized Bradley-Terry models", 2004). So that they are finite also where somebody
    won always, everybody has played that many ties against the middling one before.

    Args:
        wins: How often the row's player won against the column's, shape ``(n, n)``; a tie
            is half a win for each.
        prior: Ties against the middling player; above 0.

    Returns:
        Chances, shape ``(n,)``.

    Example:
        >>> bradley_terry([[0, 2, 1], [0, 0, 1], [1, 1, 0]]).round(3).tolist()
        [0.65, 0.35, 0.5]
    """
    won = np.asarray(wins, np.float64)
    played = won + won.T
    total = won.sum(axis=1) + 0.5 * prior
    strength = np.ones(len(won))
    for _ in range(_ROUNDS):
        pairs = strength[:, None] + strength[None, :]
        met = (played / pairs).sum(axis=1) + prior / (strength + 1.0)
        new = total / met
        done = bool(np.max(np.abs(np.log(new / strength)), initial=0.0) < _CLOSE)
        strength = new
        if done:
            break
    chances: Values = strength / (strength + 1.0)
    return chances


class Tournament:
    """Lets a referee compare agents, and turns the answers into fitness.

    A newly trained agent meets the one that is best so far, and the next of the new ones.
    Which of the two is shown first is drawn by their texts. An answer is kept, and no
    question is asked twice.

    Args:
        task: What the agents should do, in words.
        referee: Says who did it better.
        answers: Keeps what it said.
    """

    def __init__(self, task: str, referee: Referee, answers: Answers) -> None:
        self.task = task
        self.referee = referee
        self.answers = answers
        self._known: list[str] = []
        self._results: list[tuple[str, str, float]] = []

    def __call__(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return all outcomes with what their agents are worth, where one was trained.

        Args:
            outcomes: Everything that is known, in an order that does not change.
        """
        players = {_player(item): _shown(item) for item in outcomes if item.rollouts}
        fresh = [name for name in players if name not in self._known]
        best = self._best([name for name in players if name in self._known])
        for one, other in _pairs(fresh, best):
            self._meet(one, other, players)
        self._known += fresh
        chances = self._chances()
        return [
            replace(item, preferred=chances[_player(item)]) if item.rollouts else item
            for item in outcomes
        ]

    def _best(self, names: Sequence[str]) -> str | None:
        chances = self._chances()
        return max(names, key=lambda name: (chances[name], name), default=None)

    def _chances(self) -> dict[str, float]:
        return chances(self._results, self._known)

    def _meet(self, one: str, other: str, players: Mapping[str, str]) -> None:
        key = short_digest(" ".join(sorted((one, other))))
        first, second = sorted((one, other), reverse=int(key, 16) % 2 == 1)
        kept = self.answers.find(key)
        if kept is None:
            number = len(self._results) + 1
            duel = Duel(self.task, players[first], players[second], number)
            kept = {"first": first, "second": second, "result": self.referee(duel)}
            self.answers.record(key, kept)
        self._results.append((first, second, float(kept["result"])))


def chances(
    results: Sequence[tuple[str, str, float]], names: Sequence[str] = ()
) -> dict[str, float]:
    """Return how likely each of those that met is preferred to a middling one.

    Args:
        results: Who met whom, and what the first one got of it.
        names: Those who may have met nobody yet.

    Example:
        >>> found = chances([("a", "b", 1.0), ("b", "a", 0.0)], ["c"])
        >>> found["a"] > 0.5 > found["b"], found["c"]
        (True, 0.5)
    """
    met = [name for one, other, _ in results for name in (one, other)]
    place = {name: number for number, name in enumerate(dict.fromkeys([*names, *met]))}
    wins = np.zeros((len(place), len(place)))
    for one, other, result in results:
        wins[place[one], place[other]] += result
        wins[place[other], place[one]] += 1.0 - result
    found = bradley_terry(wins).round(12).tolist()
    return dict(zip(place, found, strict=True))


def standing(answers: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return how likely each program's newest agent is preferred, from kept answers.

    Returns:
        By the first 16 digits of the program's digest.

    Example:
        >>> standing([{"first": "aa-1", "second": "bb-1", "result": 1.0}])["aa"] > 0.5
        True
    """
    met = [(item["first"], item["second"], float(item["result"])) for item in answers]
    return {name.partition("-")[0]: value for name, value in chances(met).items()}


def _player(outcome: Outcome) -> str:
    """Return who an agent is: trained anew it is another one."""
    return f"{outcome.program.digest[:16]}-{short_digest(_shown(outcome))}"


def _shown(outcome: Outcome) -> str:
    return "\n\n".join(outcome.rollouts)


def _pairs(fresh: Sequence[str], best: str | None) -> list[tuple[str, str]]:
    """Return who meets whom: neighbours among the new ones, each of them and the best.

    Example:
        >>> _pairs(["a", "b"], "x"), _pairs(["a", "b", "c"], None)
        ([('a', 'b'), ('x', 'a'), ('x', 'b')], [('a', 'b'), ('b', 'c'), ('c', 'a')])
    """
    pairs = list(pairwise(fresh))
    if best is not None:
        return [*pairs, *((best, name) for name in fresh)]
    if len(fresh) > 2:  # noqa: PLR2004 - two have met already
        pairs.append((fresh[-1], fresh[0]))
    return pairs
