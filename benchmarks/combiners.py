"""What does each combiner cost a state?

    python -m reward_synth.benchmarks.combiners [--json FILE] [--quick]

Batches of 4,096 states with four components (one for potentials), and single states. All
combiners are timed in turn, round after round, in one process and on one thread; the
least time of all rounds is told, which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.combine import (
    COMBINERS,
    Anneal,
    Blend,
    Combiner,
    Context,
    DynamicPotential,
    Hybrid,
    Lagrange,
    Relative,
    Schedule,
    Shaped,
    Weighted,
    make_combiner,
    reads_potential,
    regularised_relevance,
)

Row = dict[str, Any]
LANES = 4096
GOAL = 20.0
"""Nanoseconds a state, in a batch."""
_REPEATS = 20
_PAID = 0.01
"""Share of states in which the environment pays."""
_NAMES = ("a", "b", "c", "d")
_GIVEN: dict[str, Combiner] = {
    "weighted": Blend(Weighted(dict.fromkeys(_NAMES, 0.5))),
    "anneal": Anneal(Schedule(1.0, 0.0, 10**9)),
    "dynamic_potential": DynamicPotential(0.99, Schedule(1.0, 0.0, 10**9)),
    "lagrange": Lagrange(dict.fromkeys(_NAMES, 0.5)),
    "hybrid": Blend(
        Hybrid({"a": 1.0, "b": 0.5}, {"a": "c"}, length="d", limit=1.0, price=0.1)
    ),
    "relevance": regularised_relevance("a", "b"),
    "par, 10 references": Blend(Shaped(Relative(tuple(np.linspace(-2, 2, 10))))),
}


def every() -> dict[str, Combiner]:
    """Return each combiner by the name of its row."""
    named = {
        name: make_combiner(name, gamma=0.99)
        for name, item in COMBINERS.items()
        if item.make is not None
    }
    return {**named, **_GIVEN}


def batch_call(name: str, combiner: Combiner, lanes: int) -> Callable[[], None]:
    """Return one step of a batch, ready to be timed."""
    rng = np.random.default_rng(0)
    names = _NAMES[:2] if name == "relevance" else _NAMES
    rows = {part: rng.normal(size=lanes) for part in names}
    start: dict[str, Any] = {}
    if reads_potential(combiner):
        rows = start = {"potential": rows["a"]}
    sparse = (rng.random(lanes) < _PAID).astype(np.float64)
    no = np.zeros(lanes, np.bool_)
    context = Context(no, ~no, no, group=np.arange(lanes) // 16)
    state = [combiner.init(start)]

    def call() -> None:
        _, state[0] = combiner.combine(state[0], sparse, rows, context)

    return call


def one_call(name: str, combiner: Combiner) -> Callable[[], None]:
    """Return one step of one environment, ready to be timed."""
    names = _NAMES[:2] if name == "relevance" else _NAMES
    potential = reads_potential(combiner)
    parts = {"potential": 0.5} if potential else dict.fromkeys(names, 0.5)
    total = sum(parts.values())
    state = [combiner.init({"potential": 0.0} if potential else {})]

    def call() -> None:
        _, state[0] = combiner.one(state[0], 0.0, total, terminated=False, parts=parts)

    return call


def timed(calls: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Return the least seconds of each call, timed in turn."""
    for call in calls.values():
        call()  # what compiles, compiles now
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(_REPEATS):
                call()
            seconds = (time.perf_counter() - start) / _REPEATS
            best[name] = min(best[name], seconds)
    return best


def measure(rounds: int, lanes: int = LANES) -> list[Row]:
    """Return a row a combiner."""
    found = every()
    batch = timed({n: batch_call(n, c, lanes) for n, c in found.items()}, rounds)
    alone = {n: c for n, c in found.items() if c.acts_on != "group"}
    single = timed({n: one_call(n, c) for n, c in alone.items()}, rounds)
    return [
        {
            "combiner": name,
            "acts_on": combiner.acts_on,
            "ns_per_state": 1e9 * batch[name] / lanes,
            "one_us": 1e6 * single[name] if name in single else None,
        }
        for name, combiner in found.items()
    ]


def main() -> None:
    """Measure, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    rows = measure(10 if given.quick else 200)
    print("| combiner | ns a state | one, us |", "|---|---|---|", sep="\n")
    for row in rows:
        mark = "" if row["ns_per_state"] <= GOAL else f" (goal {GOAL:g}: MISSED)"
        one = "" if row["one_us"] is None else f"{row['one_us']:.2f}"
        print(f"| {row['combiner']} | {row['ns_per_state']:.1f}{mark} | {one} |")
    if given.json:
        data = {
            "command": "python -m reward_synth.benchmarks.combiners",
            "lanes": LANES,
            "versions": {name: version(name) for name in ("numpy", "numba")},
            "rows": rows,
        }
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
