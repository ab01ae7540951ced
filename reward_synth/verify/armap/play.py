"""Play of environments whose observations and actions are texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from reward_synth.errors import UsageError

_LONGEST = 20_000
"""Characters of an observation that are kept."""


class TextEnv(Protocol):
    """A Gymnasium environment of texts; its reward is not looked at."""

    def reset(self, *, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode."""

    def step(self, action: str, /) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        """Do what an action says."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An action, and what was seen after it."""

    action: str
    observation: str


@dataclass(frozen=True, slots=True)
class Trajectory:
    """An episode.

    Example:
        >>> print(Trajectory("A room.", (Turn("open door", "A hall."),), 3))
        A room.
        > open door
        A hall.
    """

    first: str
    """What was seen at the beginning."""
    turns: tuple[Turn, ...]
    seed: int
    """Of the episode, so that it can be played again."""

    @property
    def actions(self) -> tuple[str, ...]:
        """What was done, in order."""
        return tuple(turn.action for turn in self.turns)

    def __str__(self) -> str:
        """Return it as a text for readers."""
        lines = [f"> {turn.action}\n{turn.observation}" for turn in self.turns]
        return "\n".join([self.first, *lines])


Actor: TypeAlias = Callable[[str, np.random.Generator], str]
"""Gives the next action, from what is seen."""


def random_actor(actions: Sequence[str]) -> Actor:
    """Return an actor that takes any of some actions, each as often.

    Raises:
        UsageError: There is none.

    Example:
        >>> random_actor(["wait"])("A room.", np.random.default_rng(0))
        'wait'
    """
    if not actions:
        raise UsageError("A random actor needs an action at least; received none.")
    return lambda _, rng: actions[int(rng.integers(len(actions)))]


def explore(
    env: TextEnv, actor: Actor, episodes: int, seed: int, longest: int = 20
) -> list[Trajectory]:
    """Return episodes of an actor.

    Args:
        env: The environment.
        actor: Chooses actions.
        episodes: How many; episode k is begun with seed ``seed + k``.
        seed: Of the first episode, and of the actor.
        longest: Most actions of an episode.
    """
    rng = np.random.default_rng(seed)
    return [
        _played(env, seed + number, longest, lambda seen: actor(seen, rng))
        for number in range(episodes)
    ]


def replay(env: TextEnv, seed: int, actions: Iterable[str]) -> Trajectory:
    """Return the episode of given actions; it ends with the environment's."""
    left = list(actions)
    return _played(env, seed, len(left), lambda _: left.pop(0))


def _played(
    env: TextEnv, seed: int, longest: int, choose: Callable[[str], str]
) -> Trajectory:
    seen, _ = env.reset(seed=seed)
    first, turns = seen[:_LONGEST], []
    for _ in range(longest):
        action = choose(seen)
        seen, _, terminated, truncated, _ = env.step(action)
        turns.append(Turn(action, seen[:_LONGEST]))
        if terminated or truncated:
            break
    return Trajectory(first, tuple(turns), seed)
