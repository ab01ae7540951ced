"""Makes tasks: a scenario, its documents, the functions that reach them, a level.

The order of the steps is FTRL's (Ye et al., 2025, "Feedback-Driven Tool-Use Improvements in
Large Language Models via Automated Build Environments", arXiv:2508.08791): there a language
model writes each of them, here a seeded generator draws them, so that a task is known by
its seed and is right by construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.envs import (
    tooluse_calendar_tasks,
    tooluse_files_tasks,
    tooluse_shop_tasks,
)
from reward_synth.envs.tooluse_tasks import (
    Documents,
    Domain,
    Output,
    Task,
    Told,
    Wish,
    World,
    calls_of,
    pieces,
    sentence,
)
from reward_synth.errors import UsageError, did_you_mean
from reward_synth.verify import ToolCall

DOMAINS: Mapping[str, Domain] = {
    item.DOMAIN.name: item.DOMAIN
    for item in (tooluse_calendar_tasks, tooluse_shop_tasks, tooluse_files_tasks)
}
_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Level:
    """How complex tasks are."""

    parallel: bool
    """Several things are asked for, none of which needs another."""
    deep: bool
    """Values that are not told must be looked up first."""


LEVELS: Mapping[str, Level] = {
    "single": Level(parallel=False, deep=False),
    "parallel": Level(parallel=True, deep=False),
    "chain": Level(parallel=False, deep=True),
    "parallel_chain": Level(parallel=True, deep=True),
}
"""After FTRL's four kinds of questions: single or many hops, one or several at once."""


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """What tasks are drawn from.

    Example:
        >>> TaskConfig("shop", "chain").wishes, TaskConfig("shop", "parallel").wishes
        (1, 2)
        >>> TaskConfig("shops")
        Traceback (most recent call last):
        ...
        reward_synth.errors.UsageError: There is no domain 'shops'. Did you mean 'shop'? \
Known are calendar, shop, files.
    """

    domain: str
    level: str = "single"
    size: int = 8
    """Scales the documents: so many teams, products, files."""
    goals: int = 2
    """Things that are asked for at once on the parallel levels."""
    distractors: int | None = None
    """Tools that are offered beside those that are needed; None: all of the domain."""

    def __post_init__(self) -> None:
        """Refuse what no task can be drawn from."""
        for what, given, known in (
            ("domain", self.domain, DOMAINS),
            ("level", self.level, LEVELS),
        ):
            if given not in known:
                raise UsageError(
                    f"There is no {what} {given!r}.{did_you_mean(given, known)} Known are "
                    f"{', '.join(known)}."
                )
        for name, least in (("size", 4), ("goals", 1)):
            if getattr(self, name) < least:
                raise UsageError(
                    f"{name} must be at least {least}, received {getattr(self, name)}."
                )
        if self.distractors is not None and self.distractors < 0:
            raise UsageError(f"distractors must not be negative: {self.distractors}.")

    @property
    def wishes(self) -> int:
        """Things that a task asks for."""
        return self.goals if LEVELS[self.level].parallel else 1


def make_task(config: TaskConfig, seed: int) -> Task:
    """Return the task of a seed.

    Raises:
        UsageError: The documents are too few for so many goals.

    Example:
        >>> task = make_task(TaskConfig("shop", "chain", distractors=2), seed=3)
        >>> task.instruction
        "Product 'hazel cellar': 58 came in."
        >>> [call.name for call in task.expected]
        ['find_product', 'restock']
    """
    rng = np.random.default_rng(seed)
    domain, deep = DOMAINS[config.domain], LEVELS[config.level].deep
    documents = domain.documents(rng, config.size)
    chosen = _wishes(rng, config, domain, documents)
    expected: list[ToolCall] = []
    sentences: list[str] = []
    told: list[Told] = []
    sorts: list[tuple[int, int]] = []
    for place, (maker, wish) in enumerate(chosen):
        wording = int(rng.integers(len(wish.wordings)))
        words = list(pieces(wish.wordings[wording], wish.facts, deep=deep))
        text, values = sentence(words, place)
        sentences.append(text[:1].upper() + text[1:])
        told += values
        sorts.append((maker, wording))
        expected += calls_of(wish.tool, wish.facts, deep=deep)
    return Task(
        config.domain,
        config.level,
        " ".join(sentences),
        documents,
        tuple(expected),
        _offered(rng, config, domain, expected),
        tuple(told),
        tuple(sorts),
        *_replayed(domain, documents, expected),
    )


def _wishes(
    rng: np.random.Generator, config: TaskConfig, domain: Domain, documents: Documents
) -> list[tuple[int, Wish]]:
    """Draw wishes that do not disturb each other, each with its maker's number."""
    deep = LEVELS[config.level].deep
    chosen: list[tuple[int, Wish]] = []
    taken: set[tuple[str, Any]] = set()
    for _ in range(_TRIES):
        maker = int(rng.integers(len(domain.makers)))
        wish = domain.makers[maker](rng, documents)
        concerns = wish.identities(domain.keys)
        if concerns & taken or (deep and not wish.has_lookup):
            continue
        taken |= concerns
        chosen.append((maker, wish))
        if len(chosen) == config.wishes:
            return chosen
    raise UsageError(
        f"{config.size} documents are too few for {config.wishes} goals that do not "
        "disturb each other. Raise size, or lower goals."
    )


def _offered(
    rng: np.random.Generator,
    config: TaskConfig,
    domain: Domain,
    expected: Sequence[ToolCall],
) -> tuple[str, ...]:
    """Return the tools that are needed, and some that are not, in the domain's order."""
    needed = {call.name for call in expected}
    others = [tool.name for tool in domain.tools if tool.name not in needed]
    count = len(others) if config.distractors is None else config.distractors
    drawn = set(rng.permutation(others)[:count].tolist()) if others else set()
    return tuple(t.name for t in domain.tools if t.name in needed | drawn)


def _replayed(
    domain: Domain, documents: Documents, calls: Sequence[ToolCall]
) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Return what calls give in a world of their own, and its state after them."""
    world = domain.world(documents)
    try:
        given = [_output(domain, world, call).text for call in calls]
        return tuple(given), world.state()
    finally:
        world.close()


def _output(domain: Domain, world: World, call: ToolCall) -> Output:
    tool = domain.tool(call.name)
    if tool is None:
        raise UsageError(f"The domain {domain.name} has no tool {call.name!r}.")
    return Output(call, tool.function(world, **call.arguments))
