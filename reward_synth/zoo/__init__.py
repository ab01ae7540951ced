"""Reward programs that come with the package, each with what was measured of it.

A program of the zoo is used by its name wherever a file of a program is: ``"zoo:NAME"``.

Example:
    >>> from reward_synth.program import RewardProgram
    >>> entry = load("mountaincarcontinuous-v0")
    >>> entry.task.id, RewardProgram.load("zoo:mountaincarcontinuous-v0") == entry.program
    ('MountainCarContinuous-v0', True)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from reward_synth.errors import UsageError, did_you_mean
from reward_synth.program import ZOO, RewardProgram, packaged
from reward_synth.task import TaskSpec

_WORD = re.compile(r"[a-z]{3,}")
_COMMON = frozenset(
    [
        "the",
        "and",
        "its",
        "for",
        "with",
        "into",
        "from",
        "that",
        "this",
        "one",
        "two",
        "lies",
        "are",
        "has",
        "pos",
        "vel",
        "prev",
    ]
)


@dataclass(frozen=True, slots=True)
class Arm:
    """What one arm of a comparison earned."""

    name: str
    """``sparse``, ``expert``, or ``program``: the one of the zoo."""
    success: tuple[float, ...]
    """Success rate after training, a seed each; any step of an episode counts."""

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return sum(self.success) / len(self.success)


@dataclass(frozen=True, slots=True)
class Entry:
    """A program, the task that it is for, and what was measured."""

    name: str
    task: TaskSpec
    program: RewardProgram
    arms: tuple[Arm, ...]
    steps: int
    """Environment steps of each training."""
    results: str
    """The committed file that holds every training."""
    command: str
    """What made that file."""

    def arm(self, name: str) -> Arm | None:
        """Return an arm; None if it was not measured."""
        return next((item for item in self.arms if item.name == name), None)


def names() -> tuple[str, ...]:
    """Return the names of all entries, sorted."""
    return tuple(sorted(item.name for item in ZOO.iterdir() if item.is_dir()))


@cache
def load(name: str) -> Entry:
    """Return an entry.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in names():
        raise UsageError(
            f"The zoo holds no {name!r}.{did_you_mean(name, names())} It holds "
            f"{', '.join(names())}."
        )
    place = ZOO / name
    measured: Mapping[str, Any] = json.loads(
        place.joinpath("measured.json").read_text()
    )
    return Entry(
        name,
        TaskSpec.from_dict(json.loads(place.joinpath("task.json").read_text())),
        RewardProgram.from_text(packaged(name)),
        tuple(Arm(key, tuple(rates)) for key, rates in measured["arms"].items()),
        measured["steps"],
        measured["results"],
        measured["command"],
    )


def nearest(task: TaskSpec, count: int) -> list[Entry]:
    """Return the entries of the most alike other tasks, best first.

    Alike are tasks that share words, of instructions and of names of fields. The task
    itself is never among them, nor another version of it: an example must not be the
    answer.

    Example:
        >>> [item.task.id for item in nearest(load(names()[0]).task, 99)].count(
        ...     load(names()[0]).task.id)
        0
    """
    others = [entry for entry in map(load, names()) if not _same(entry.task, task)]
    words = _words(task)
    ranked = sorted(
        others, key=lambda item: (-_share(words, _words(item.task)), item.name)
    )
    return ranked[:count]


def _same(first: TaskSpec, second: TaskSpec) -> bool:
    stems = {
        re.sub(r"-v\d+$", "", item.id.rpartition("/")[2]).lower()
        for item in (first, second)
    }
    return len(stems) == 1 or first.instruction == second.instruction


def _words(task: TaskSpec) -> frozenset[str]:
    text = " ".join((task.instruction, *(item.name for item in task.fields))).lower()
    return frozenset(_WORD.findall(text.replace("_", " "))) - _COMMON


def _share(first: frozenset[str], second: frozenset[str]) -> float:
    both: Sequence[str] = sorted(first | second)
    return len(first & second) / max(1, len(both))
