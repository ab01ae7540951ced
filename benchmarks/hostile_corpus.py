"""All hostile programs in one list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from reward_synth.benchmarks import (
    hostile_files,
    hostile_jails,
    hostile_outside,
    hostile_restricted,
    hostile_rewards,
    hostile_smolagents,
)
from reward_synth.benchmarks.hostile_case import Aim, Hostile
from reward_synth.benchmarks.hostile_files import Escape

_QUICK = 16
"""Of so many programs, a quick run takes one."""


def _outside(family: str, escapes: Iterable[Escape]) -> Iterator[Hostile]:
    for item in escapes:
        yield Hostile(item.name, family, "escape", "own", item.body, item.unrestricted)


def _bodies(
    family: str, aim: Aim, bodies: Iterable[tuple[str, str]]
) -> Iterator[Hostile]:
    for name, body in bodies:
        yield Hostile(name, family, aim, "own", body)


def corpus(*, quick: bool = False) -> list[Hostile]:
    """Return the programs; names are ``family/name`` and distinct.

    Example:
        >>> len({case.name for case in corpus()}) == len(corpus())
        True
    """
    endings = ((name, text) for name, (text, _) in hostile_outside.RAISES.items())
    found = [
        *_outside("ways out", hostile_files.WAYS_OUT),
        *_outside("files", [*hostile_files.READS, *hostile_files.WRITES]),
        *_outside("network", hostile_outside.NETWORK),
        *_outside("processes", hostile_outside.PROCESSES),
        *_bodies("resources", "stop", hostile_outside.HANGS.items()),
        *_bodies("resources", "stop", hostile_outside.MEMORY.items()),
        *_bodies("endings", "stop", hostile_outside.CRASHES.items()),
        *_bodies("endings", "stop", endings),
        *hostile_restricted.PROGRAMS,
        *hostile_smolagents.PROGRAMS,
        *hostile_jails.PROGRAMS,
        *hostile_rewards.PROGRAMS,
    ]
    named = [
        case._replace(name=f"{case.family}/{case.origin}/{case.name}") for case in found
    ]
    return named[::_QUICK] if quick else named


def counts(cases: Iterable[Hostile], key: str) -> dict[str, int]:
    """Return how many cases have each value of a field, most first.

    Example:
        >>> sum(counts(corpus(), "family").values()) == len(corpus())
        True
    """
    return dict(Counter(str(getattr(case, key)) for case in cases).most_common())
