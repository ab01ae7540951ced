"""Benchmark suites: tasks, designs, agents and seeds in one readable file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from reward_synth.agents import AgentConfig
from reward_synth.benchmarks.designs import DESIGNS, Design
from reward_synth.errors import UsageError, did_you_mean

_SHIPPED = files("reward_synth.benchmarks") / "suites"
_DEFAULT = "default"
_SETTINGS = ("episodes", "evaluations", "measure")
_ROOT_KEYS = ("title", "about", "seeds", *_SETTINGS)
_MEASURES = ("training", "throughput")


@dataclass(frozen=True, slots=True)
class SuiteTask:
    """One task of a suite."""

    name: str
    """As the suite calls it; the environment's name unless ``env`` says another."""
    steps: int
    """Environment steps of each training."""
    env: str = ""
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    success: str | None = None
    """The success rule; by default the environment's own."""
    agent: str = _DEFAULT
    """Which of the suite's agents learns it."""
    designs: tuple[str, ...] = ()
    """The designs compared on it; empty: all of the suite."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _require_count(f"steps of {self.name!r}", self.steps)


@dataclass(frozen=True, slots=True)
class Suite:
    """What is compared: every design on every task, for every seed."""

    name: str
    title: str
    about: str
    tasks: tuple[SuiteTask, ...]
    designs: Mapping[str, Design]
    agents: Mapping[str, AgentConfig]
    seeds: tuple[int, ...]
    episodes: int = 20
    """Episodes of each evaluation."""
    evaluations: int = 10
    """Evaluations in a training, the last one at its end."""
    measure: str = "training"
    """``training``, or ``throughput``: steps a second, nothing is trained."""

    def __post_init__(self) -> None:
        """Refuse names that nothing is called by, and empty suites."""
        for what, given in (
            ("tasks", self.tasks),
            ("designs", self.designs),
            ("seeds", self.seeds),
        ):
            if not given:
                raise UsageError(f"The suite {self.name!r} has no {what}.")
        for task in self.tasks:
            _known(f"agent of {task.name!r}", (task.agent,), self.agents)
            _known(f"designs of {task.name!r}", task.designs, self.designs)
        _known("measure", (self.measure,), _MEASURES)
        _require_count("episodes", self.episodes)
        _require_count("evaluations", self.evaluations)

    def designs_of(self, task: SuiteTask) -> dict[str, Design]:
        """Return the designs that are compared on a task."""
        names = task.designs or tuple(self.designs)
        return {name: self.designs[name] for name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data: everything that results depend on."""
        return {
            "name": self.name,
            "tasks": [asdict(task) for task in self.tasks],
            "designs": {
                name: {"kind": design.kind, **asdict(design)}  # type: ignore[call-overload]  # designs are dataclasses
                for name, design in self.designs.items()
            },
            "agents": {name: agent.to_dict() for name, agent in self.agents.items()},
            "seeds": list(self.seeds),
            "episodes": self.episodes,
            "evaluations": self.evaluations,
            "measure": self.measure,
        }

    @property
    def digest(self) -> str:
        """Identity of what is compared."""
        text = json.dumps(self.to_dict(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def shipped_suites() -> list[str]:
    """Return the names of the suites that come with the package.

    Example:
        >>> "quick" in shipped_suites()
        True
    """
    return sorted(
        item.name.removesuffix(".toml")
        for item in _SHIPPED.iterdir()
        if item.name.endswith(".toml")
    )


def load_suite(name: str) -> Suite:
    """Return a shipped suite by its name, or one of your own by its file.

    Args:
        name: ``quick``, or a path that ends in ``.toml``.

    Raises:
        UsageError: There is no such suite, or the file says something unknown.

    Example:
        >>> load_suite("quick").seeds
        (0, 1, 2)
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"There is no suite file {name}.")
        return parse_suite(path.stem, path.read_text(encoding="utf-8"), path.parent)
    if name not in shipped_suites():
        raise UsageError(
            f"There is no suite {name!r}.{did_you_mean(name, shipped_suites())} Shipped "
            f"are {', '.join(shipped_suites())}; a suite of your own is named by its "
            ".toml file."
        )
    text = (_SHIPPED / f"{name}.toml").read_text(encoding="utf-8")
    return parse_suite(name, text, Path(str(_SHIPPED)))


def parse_suite(name: str, text: str, folder: Path) -> Suite:
    """Return the suite that a TOML text describes.

    Args:
        name: The suite's name.
        text: Its TOML.
        folder: What file names in it are relative to.

    Raises:
        UsageError: The text is not TOML, or says something unknown.

    Example:
        >>> suite = parse_suite("mine", '''
        ... seeds = 2
        ... [designs.sparse]
        ... [tasks.CartPole-v1]
        ... steps = 1000
        ... success = "abs(cart_position) < 1"
        ... ''', Path())
        >>> suite.seeds, [task.env for task in suite.tasks]
        ((0, 1), ['CartPole-v1'])
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise UsageError(f"The suite {name!r} is not valid TOML: {cause}.") from cause
    _known(f"the suite {name!r}", data, (*_ROOT_KEYS, "tasks", "designs", "agents"))
    agents = {
        key: _built(f"agents.{key}", AgentConfig, _tupled(item))
        for key, item in {_DEFAULT: {}, **_table(data, "agents")}.items()
    }
    return Suite(
        name,
        str(data.get("title", name)),
        " ".join(str(data.get("about", "")).split()),
        tuple(_task(key, item) for key, item in _table(data, "tasks").items()),
        {
            key: _design(key, item, folder)
            for key, item in _table(data, "designs").items()
        },
        agents,
        _seeds(data.get("seeds", 5)),
        **{key: data[key] for key in _SETTINGS if key in data},
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
    table = data.get(key, {})
    if not isinstance(table, dict) or not all(
        isinstance(item, dict) for item in table.values()
    ):
        raise UsageError(f"[{key}] must hold tables such as [{key}.NAME].")
    return table


def _task(name: str, given: Mapping[str, Any]) -> SuiteTask:
    if "steps" not in given:
        raise UsageError(f"[tasks.{name!r}] lacks steps, the length of a training.")
    settings = {"name": name, "env": name, **_tupled(given)}
    task: SuiteTask = _built(f"tasks.{name}", SuiteTask, settings)
    return task


def _design(name: str, given: Mapping[str, Any], folder: Path) -> Design:
    settings = dict(given)
    kind = settings.pop("kind", name)
    _known(f"kind of the design {name!r}", (kind,), DESIGNS)
    if "file" in settings:
        settings["file"] = str(folder / str(settings["file"]))
    design: Design = _built(f"designs.{name}", DESIGNS[kind], _tupled(settings))
    return design


def _built(place: str, kind: Any, given: Mapping[str, Any]) -> Any:
    """Build a dataclass; say which setting of which table it does not have."""
    _known(f"[{place}]", given, kind.__dataclass_fields__)
    try:
        return kind(**given)
    except (TypeError, ValueError) as cause:
        raise UsageError(f"[{place}] cannot be used: {cause}.") from cause


def _known(place: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(
                f"{place[0].upper()}{place[1:]} does not know {name!r}."
                f"{did_you_mean(str(name), known)} Known: {', '.join(known)}."
            )


def _seeds(given: Any) -> tuple[int, ...]:
    """Return seeds given as a list, or how many, counted from 0."""
    seeds = range(given) if type(given) is int else given
    if isinstance(seeds, str) or not isinstance(seeds, Sequence):
        raise UsageError(f"seeds must be a number or a list of them, is {given!r}.")
    for seed in seeds:
        if type(seed) is not int or seed < 0:
            raise UsageError(f"seeds must be whole numbers from 0, one is {seed!r}.")
    return tuple(dict.fromkeys(seeds))


def _require_count(what: str, value: Any) -> None:
    if type(value) is not int or value < 1:  # True is no number here
        raise UsageError(f"{what} must be a whole number from 1, is {value!r}.")


def _tupled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with tuples for lists, as frozen dataclasses hold them."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
