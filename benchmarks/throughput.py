"""What an arm costs beside its environment: both stepped in turn in one process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium as gym

from reward_synth.agents import TrialSpec
from reward_synth.api.result import Watcher
from reward_synth.benchmarks.bench import prepared
from reward_synth.benchmarks.plan import cells
from reward_synth.benchmarks.suite import Suite
from reward_synth.engine import Call, Engine
from reward_synth.errors import NothingUsableError

FILE = "throughput.json"
_BLOCK = 200
"""Steps of one arm before it is the other's turn: noise of seconds hits both."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Steps a second of one arm, beside the bare environment in the same process."""

    task: str
    design: str
    steps: int
    bare: float
    """Steps a second of the environment alone; median of blocks."""
    wrapped: float
    """Likewise with the design's reward."""
    ratio: float
    """Time of a wrapped step in bare ones; median of neighbouring blocks."""

    @property
    def added(self) -> float:
        """Microseconds that a step takes longer.

        Example:
            >>> Throughput("t", "d", 400, 1000.0, 800.0, 1.25).added
            250.0
        """
        return 1e6 * (self.ratio - 1.0) / self.bare


def measure_throughput(
    suite: Suite, folder: Path, engine: Engine, watcher: Watcher | None = None
) -> list[Throughput]:
    """Measure every design on every task; one process each, one after the other.

    Args:
        suite: Its tasks' ``steps`` are how many are timed.
        folder: Takes task descriptions, programs, and ``throughput.json``.
        engine: Should run one call at a time: neighbours slow each other down.
        watcher: Is told what happens.

    Raises:
        NothingUsableError: Nothing could be measured.
    """
    watcher = watcher or Watcher()
    folder.mkdir(parents=True, exist_ok=True)
    one = replace(suite, seeds=suite.seeds[:1])
    places, treated, _ = prepared(one, folder, watcher)
    todo = {f"{cell.task} {cell.design}": cell for cell in cells(one, places, treated)}
    calls = [Call(key, timed, (cell.spec,)) for key, cell in todo.items()]
    rows, errors = [], []
    for outcome in engine.run(calls):
        cell = todo[outcome.key]
        if outcome.status == "ok":
            rows.append(Throughput(cell.task, cell.design, *outcome.value))
        else:
            errors.append(f"{outcome.key}: {outcome.error}")
            watcher.notify(errors[-1])
    if not rows:
        raise NothingUsableError(f"Nothing could be measured; the first: {errors[0]}")
    rows.sort(key=lambda row: list(todo).index(f"{row.task} {row.design}"))
    data = [{**asdict(row), "added_us": row.added} for row in rows]
    (folder / FILE).write_text(json.dumps(data, indent=1) + "\n")
    return rows


def timed(spec: TrialSpec) -> tuple[int, float, float, float]:
    """Return steps, bare and wrapped steps a second, and the ratio of their times."""
    bare, wrapped = spec.env.make(), spec.build()
    times: list[tuple[float, float]] = []
    blocks = [_blocks(env, spec.seed) for env in (bare, wrapped)]
    for _ in range(max(3, spec.steps // _BLOCK) + 1):
        times.append((next(blocks[0]), next(blocks[1])))
    for env in (bare, wrapped):
        env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types
    times = times[1:]  # the first block compiles and fills caches
    rates = [_BLOCK / median(column) for column in zip(*times, strict=True)]
    return len(times) * _BLOCK, rates[0], rates[1], _ratio(times)


def _ratio(times: Sequence[tuple[float, float]]) -> float:
    """Compare each block with the other's before and after it."""
    flat = [value for pair in times for value in pair]
    ratios = [
        (b / a) if n % 2 == 0 else (a / b) for n, (a, b) in enumerate(pairwise(flat))
    ]
    return median(ratios)


def _blocks(env: gym.Env[Any, Any], seed: int) -> Iterator[float]:
    """Yield the seconds of block after block of random actions."""
    env.action_space.seed(seed)
    env.reset(seed=seed)
    while True:
        actions = [env.action_space.sample() for _ in range(_BLOCK)]
        taken = 0.0
        for action in actions:
            began = time.perf_counter()
            _, _, terminated, truncated, _ = env.step(action)
            taken += time.perf_counter() - began
            if terminated or truncated:
                env.reset()
        yield taken


def table(rows: Sequence[Throughput]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of a printed table.

    Example:
        >>> table([Throughput("t", "d", 400, 1000.0, 800.0, 1.25)])[1]
        [('t', 'd', '1000', '800', '1.25', '250.0')]
    """
    head = ("task", "design", "bare steps/s", "wrapped", "time ratio", "added us")
    return head, [
        (
            row.task,
            row.design,
            f"{row.bare:.0f}",
            f"{row.wrapped:.0f}",
            f"{row.ratio:.2f}",
            f"{row.added:.1f}",
        )
        for row in rows
    ]
