"""What do distances of rewards cost, and do they foretell regret?

    python -m reward_synth.benchmarks.distances [--json FILE] [--quick]

Times: STARC on a finite process of 10,000 states, given as lists of successors, and from
100,000 sampled transitions. Foretelling: on each gridworld random rewards between the
task's own and noise, shaped and redistributed, with the exact regret of their optimal
policies; Spearman's rank correlation of distance and regret, with a bootstrap interval.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.distance import (
    KINDS,
    Batch,
    Kind,
    Successors,
    epic,
    regret,
    starc,
    starc_sampled,
)
from reward_synth.envs.gridworld import GridEnv
from reward_synth.envs.gridworld_tasks import TASKS

Row = dict[str, Any]
Values = npt.NDArray[np.float64]
_GAMMA = 0.99


def processes(states: int, seed: int = 0) -> dict[str, Successors]:
    """Return a process whose states are all near each other, and a long one."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, states, (states, 4))
    following = (first[:, :, None] + np.arange(3)) % states
    chance = rng.dirichlet(np.ones(3), (states, 4))
    jumps = np.array([-1, 1, -100, 100])
    line = np.clip(np.arange(states)[:, None] + jumps, 0, states - 1)
    return {
        "random, 3 successors": Successors(following, chance),
        "line, 1 successor": Successors(line[:, :, None], np.ones((states, 4, 1))),
    }


def tabular_times(states: int) -> list[Row]:
    """Return the seconds of one distance and one regret on each process."""
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for name, process in processes(states).items():
        goal, noise = np.zeros((states, 4)), rng.normal(size=(states, 4))
        goal[states // 2, 1] = 1.0
        cases: dict[str, Callable[[], Any]] = {
            "starc value": partial(starc, goal, noise, process, _GAMMA),
            "regret": partial(regret, noise, goal, process, _GAMMA),
        }
        for what, call in cases.items():
            rows.append(
                {"what": what, "process": name, "states": states, "s": _seconds(call)}
            )
    return rows


def sampled_times(count: int) -> list[Row]:
    """Return the seconds of distances from one walk of a point in the plane."""
    push = np.random.default_rng(0).normal(size=(count + 1, 2))
    places = np.zeros((count + 1, 2))
    for number in range(count):
        places[number + 1] = 0.9 * places[number] + 0.3 * push[number]
    batch = Batch(places[:-1], push[:-1], places[1:])
    paid = -np.abs(batch.after).sum(1)
    other = batch.action[:, 0] - 0.2 * (batch.after**2).sum(1)
    cases: dict[str, Callable[[], Any]] = {
        "starc, 2 rewards": lambda: starc_sampled([paid, other], batch, _GAMMA),
        "epic, 64 draws": lambda: epic(_near, _push, batch, _GAMMA),
    }
    return [
        {"what": what, "transitions": count, "s": _seconds(call)}
        for what, call in cases.items()
    ]


def _near(s: Values, a: Values, t: Values) -> Values:  # noqa: ARG001 - a reward's form
    return -np.abs(t[:, 0])


def _push(s: Values, a: Values, t: Values) -> Values:  # noqa: ARG001 - a reward's form
    return a[:, 0]


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def candidates(truth: Values, moves: Values, count: int, seed: int) -> list[Values]:
    """Return rewards from the truth to noise, in other words: shaped, redistributed."""
    rng = np.random.default_rng(seed)
    size = np.sqrt((truth**2).sum() / np.prod(truth.shape[:2]))
    found = []
    for part in np.linspace(0, 1, count):
        noise = size * rng.normal(size=truth.shape[:2])[:, :, None]
        phi = rng.normal(size=len(truth))
        spread = rng.normal(size=truth.shape)
        spread -= (moves * spread).sum(2, keepdims=True)
        mixed = (1 - part) * truth + part * noise
        found.append(mixed + _GAMMA * phi - phi[:, None, None] + 0.1 * spread)
    return found


def foretelling(count: int, seed: int = 0) -> list[Row]:
    """Return a row a task and kind: how distance and regret agree in rank."""
    rows: list[Row] = []
    for task in TASKS:
        world = GridEnv(task).tables
        moves, truth = world.dense()
        rewards = candidates(truth, moves, count, seed)
        lost = [regret(x, truth, moves, _GAMMA, world.start).regret for x in rewards]
        for kind in KINDS:
            apart = [_apart(x, truth, moves, kind) for x in rewards]
            rows.append({"task": task, "kind": kind, **_rank(apart, lost, seed)})
    return rows


def _apart(reward: Values, truth: Values, moves: Values, kind: Kind) -> float:
    return starc(reward, truth, moves, _GAMMA, kind)


def _rank(first: list[float], second: list[float], seed: int) -> Row:
    """Return Spearman's rank correlation with a bootstrap interval at 95 %."""
    pairs = np.array([first, second])
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(first), (500, len(first)))
    values = [_spearman(*pairs[:, draw]) for draw in draws]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    middle = _spearman(*pairs)
    return {"rank_correlation": middle, "low": float(low), "high": float(high)}


def _spearman(first: Values, second: Values) -> float:
    ranks = np.array([_ranks(first), _ranks(second)])
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: Values) -> Values:
    """Return ranks; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place.reshape(-1)])


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    small = given.quick
    times = tabular_times(1000 if small else 10_000)
    times += sampled_times(5_000 if small else 100_000)
    for row in times:
        print(f"{row['what']}: {row['s']:.2f} s ({row.get('process', 'samples')})")
    agree = foretelling(8 if small else 60)
    print(
        "| task | kind | rank correlation of distance and regret |",
        "|---|---|---|",
        sep="\n",
    )
    for row in agree:
        shown = f"{row['rank_correlation']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        print(f"| {row['task']} | {row['kind']} | {shown} |")
    if given.json:
        data = {
            "command": "python -m reward_synth.benchmarks.distances",
            "versions": {"numpy": version("numpy")},
            "times": times,
            "foretelling": agree,
        }
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
