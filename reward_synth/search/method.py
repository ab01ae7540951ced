"""Search methods as data: readable TOML files, shipped or a user's own."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from reward_synth.errors import UsageError, did_you_mean

_SHIPPED = files("reward_synth.search") / "methods"
DEFAULT = "default"
PROPOSERS = ("any", "llm", "symbolic")
"""``any``: a language model where one is configured, else symbolic."""
HISTORIES = ("none", "best", "last", "evolution")
"""What a model is shown of earlier attempts; see :mod:`~reward_synth.search.prompting`."""


_HOTTEST = 2.0
"""The largest temperature of the protocol."""


def _require(true: bool, key: str, value: object, expected: str) -> None:
    if not true:
        raise UsageError(f"{key} must be {expected}, received {value!r}.")


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder of trainings: who is trained, how long, how often.

    Example:
        >>> ladder([Rung(8, share=0.25), Rung(2, seeds=3)])[1].first
        1
    """

    keep: int
    """How many candidates are trained at most: the best so far."""
    share: float = 1.0
    """Of the steps of a full training."""
    seeds: int = 1
    """Trainings of each."""
    first: int = 0
    """The first of the seeds, above the user's; each step has fresh ones."""
    last: bool = False
    """Whether the sparse arm is trained beside it, and the result is what is told."""

    def __post_init__(self) -> None:
        """Refuse what trains nothing."""
        _require(self.keep >= 1, "keep", self.keep, "1 or more")
        _require(self.seeds >= 1, "seeds", self.seeds, "1 or more")
        _require(0.0 < self.share <= 1.0, "share", self.share, "above 0 and at most 1")


def ladder(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """Give each step seeds that no step before has used, and mark the last one."""
    found: list[Rung] = []
    first = 0
    for number, rung in enumerate(rungs, start=1):
        found.append(replace(rung, first=first, last=number == len(rungs)))
        first += rung.seeds
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Method:
    """How candidates are proposed, shown, trained and chosen.

    Example:
        >>> eureka = load_method("eureka")
        >>> eureka.samples, eureka.rounds, eureka.restarts
        (16, 5, 5)
    """

    name: str
    title: str
    about: str
    """Where it is from and what differs here."""
    proposer: str = "any"
    samples: int = 4
    """Programs asked for in a round."""
    rounds: int = 2
    restarts: int = 1
    """Independent searches; the best of all is chosen."""
    history: str = "best"
    shown: int = 4
    """Earlier attempts that the model is shown at most."""
    examples: int = 0
    """Programs of other tasks that are shown, from the zoo."""
    islands: int = 1
    """Of ``evolution``: groups that breed among themselves."""
    mutation: float = 0.5
    """Of ``evolution``: the share of mutations; the others are crossovers."""
    critic: bool = False
    """Whether the model examines a program before it is used."""
    analyst: bool = False
    """Whether the model is asked why a trained agent failed, from what it did."""
    elites: int = 0
    """Of trainings after a round: its programs train together, on one replay buffer,
    beside so many elites of the rounds before; 0: each program alone."""
    planner: bool = False
    """Whether the model describes a motion as terms, and a planner acts by them: nothing
    is trained."""
    merge: float | None = None
    """The temperature at which, after the last round, the model is asked to join all
    programs into one, which alone is trained; None: it is not asked."""
    temperature: float | None = None
    repairs: int | None = None
    combine: str | None = None
    each_round: tuple[Rung, ...] = ()
    """Trainings after each round, of its candidates."""
    final: tuple[Rung, ...] = (Rung(2),)
    """Trainings at the end, of the best of all."""

    def __post_init__(self) -> None:
        """Refuse what is no method."""
        counts = ("samples", "rounds", "restarts", "islands")
        for key in counts:
            _require(getattr(self, key) >= 1, key, getattr(self, key), "1 or more")
        for key in ("shown", "examples", "elites"):
            _require(getattr(self, key) >= 0, key, getattr(self, key), "0 or more")
        _require(0 <= self.mutation <= 1, "mutation", self.mutation, "from 0 to 1")
        for key, allowed in (("proposer", PROPOSERS), ("history", HISTORIES)):
            value = getattr(self, key)
            _require(value in allowed, key, value, f"one of {', '.join(allowed)}")
        merge = 0.0 if self.merge is None else self.merge
        _require(0 <= merge <= _HOTTEST, "merge", self.merge, "from 0 to 2")
        together = len(self.each_round) == 1 and self.each_round[0].seeds == 1
        _require(
            not self.elites or (together and self.restarts == 1),
            "elites",
            self.elites,
            "0, or there must be one search with one step of each_round and one seed",
        )
        _require(bool(self.final), "final", "empty", "at least one step of trainings")

    def rungs(self) -> tuple[tuple[Rung, ...], tuple[Rung, ...]]:
        """Return the trainings of a round and those at the end, with their seeds."""
        both = ladder([*self.each_round, *self.final])
        return both[: len(self.each_round)], both[len(self.each_round) :]


def method_names() -> tuple[str, ...]:
    """Return the names of the shipped methods.

    Example:
        >>> "eureka" in method_names()
        True
    """
    found = (item.name.removesuffix(".toml") for item in _SHIPPED.iterdir())
    return tuple(sorted(found))


def load_method(name: str) -> Method:
    """Return a shipped method, or a user's own from a file.

    Args:
        name: The name of a shipped method, or a path that ends in ``.toml``.

    Raises:
        UsageError: There is none, or it cannot be used.
    """
    if name.endswith(".toml"):
        path = Path(name)
        try:
            return parse_method(path.stem, path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The method file {name} cannot be read: {error}."
            ) from None
    if name not in method_names():
        raise UsageError(
            f"There is no method {name!r}.{did_you_mean(name, method_names())} There are "
            f"{', '.join(method_names())}, and --method-file FILE for one of your own."
        )
    return parse_method(name, method_text(name))


def method_text(name: str) -> str:
    """Return the file of a shipped method."""
    return (_SHIPPED / f"{name}.toml").read_text("utf-8")


def parse_method(name: str, text: str) -> Method:
    r"""Return a method from the text of its file.

    Raises:
        UsageError: It is no TOML, or holds what no method has.

    Example:
        >>> parse_method("mine", 'title = "Mine"\nsamples = 3').samples
        3
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The method {name!r} is not valid TOML: {error}.") from None
    known = {item.name: item for item in fields(Method) if item.name != "name"}
    _require_known(name, "", data, known)
    given = {key: data.pop(key) for key in _LADDERS if key in data}
    plain = {key: _typed(name, key, value) for key, value in data.items()}
    whole = {"title": name, "about": "", **plain}
    _require_tables(name, given)
    try:
        steps: dict[str, Any] = {
            key: tuple(Rung(**x) for x in value) for key, value in given.items()
        }
        return Method(name, **whole, **steps)
    except UsageError as error:
        raise UsageError(f"The method {name!r}: {error}") from None


_LADDERS = ("each_round", "final")
_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("title", "about", "proposer", "history", "combine"), str),
    **dict.fromkeys(
        ("samples", "rounds", "restarts", "shown", "islands", "examples", "elites"), int
    ),
    **dict.fromkeys(("repairs", "keep", "seeds"), int),
    **dict.fromkeys(("mutation", "temperature", "share", "merge"), float),
    **dict.fromkeys(("critic", "analyst", "planner"), bool),
}


def _typed(name: str, key: str, value: Any) -> Any:
    kind = _KINDS[key]
    right = type(value) is kind or (kind is float and type(value) is int)
    if not right or (kind is float and not math.isfinite(value)):
        raise UsageError(
            f"The method {name!r}: {key} must be of type {kind.__name__}, received "
            f"{value!r}."
        )
    return value


def _require_tables(name: str, ladders: Mapping[str, Any]) -> None:
    for key, value in ladders.items():
        if not isinstance(value, list) or not all(isinstance(x, dict) for x in value):
            raise UsageError(
                f"The method {name!r}: {key} must be tables, such as [[{key}]] and then "
                "keep = 2, share = 1.0, seeds = 1."
            )
        for item in value:
            _require_known(name, f" in {key}", item, ("keep", "share", "seeds"))
            for part, number in item.items():
                _typed(name, part, number)
            if "keep" not in item:
                raise UsageError(f"The method {name!r}: a step of {key} lacks keep.")


def _require_known(
    name: str,
    where: str,
    given: Mapping[str, Any],
    known: Sequence[str] | Mapping[str, Any],
) -> None:
    for key in given:
        if key not in known:
            raise UsageError(
                f"The method {name!r} holds an unknown key{where}: {key!r}."
                f"{did_you_mean(key, tuple(known))} There are {', '.join(known)}."
            )
