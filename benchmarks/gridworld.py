"""How many steps a second do the gridworlds make?

    python -m reward_synth.benchmarks.gridworld [--json FILE] [--quick]

The least time of many steps on one thread, with random actions, episodes that end and
begin anew included; and the seconds to the exact optimal values.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.envs.gridworld import GridEnv, VectorGrid
from reward_synth.envs.gridworld_tasks import TASKS

Row = dict[str, Any]
GOAL = 1e7
"""Steps a second, on one core."""


def vector_steps(task: str, lanes: int, rounds: int) -> float:
    """Return the steps a second of a vector: of its median and of its best step."""
    envs = VectorGrid(lanes, task, max_episode_steps=TASKS[task].horizon)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, (16, lanes))
    times = []
    for number in range(rounds + 3):
        start = time.perf_counter()
        envs.step(actions[number % 16])
        times.append(time.perf_counter() - start)
    return lanes / min(times[3:])


def single_steps(task: str, steps: int) -> float:
    """Return the steps a second of one environment."""
    env = GridEnv(task)
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, steps).tolist()
    start = time.perf_counter()
    for action in actions:
        if env.step(action)[2]:
            env.reset()
    return steps / (time.perf_counter() - start)


def measure(rounds: int, sizes: tuple[int, ...] = (64, 1024, 16_384)) -> list[Row]:
    """Return a row a task."""
    rows: list[Row] = []
    for task in TASKS:
        world = GridEnv(task).tables
        start = time.perf_counter()
        world.optimal_values(0.99)
        seconds = time.perf_counter() - start
        speeds = {str(n): vector_steps(task, n, rounds) for n in sizes}
        rows.append(
            {
                "task": task,
                "states": world.states,
                "steps_per_second": speeds,
                "one_environment": single_steps(task, 100 * rounds),
                "optimal_values_s": seconds,
            }
        )
    return rows


def main() -> None:
    """Measure, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    rows = measure(30 if given.quick else 500)
    for row in rows:
        speeds = row["steps_per_second"]
        most = max(speeds.values())
        told = ", ".join(f"{n}: {x / 1e6:.1f} M/s" for n, x in speeds.items())
        verdict = "met" if most >= GOAL else "MISSED"
        print(f"{row['task']} ({row['states']} states): {told}; goal 10 M/s {verdict}")
    if given.json:
        data = {
            "command": "python -m reward_synth.benchmarks.gridworld",
            "versions": {name: version(name) for name in ("numpy", "numba")},
            "rows": rows,
        }
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
