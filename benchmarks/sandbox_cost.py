"""What the sandbox costs, and how soon it stops what runs away.

python -m reward_synth.benchmarks.sandbox_cost [--quick] --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.agents import TrialSpec
from reward_synth.agents.trainer import Tell
from reward_synth.agents.trainer_process import TrainerProcess
from reward_synth.agents.warm_trainers import Server
from reward_synth.envs import resolve
from reward_synth.sandbox import Job, Limits, ProcessSandbox, warm
from reward_synth.sandbox.child import Worker
from reward_synth.sandbox.cold import ColdWorker
from reward_synth.sandbox.process import layers_of
from reward_synth.task import Field, TaskSpec

Row = dict[str, Any]
_PROGRAM = """
import numpy as np


def compute_reward(position, velocity):
    return {"far": -abs(position - 0.45), "fast": 10.0 * abs(velocity)}
"""
_RUNAWAYS = {
    "endless loop": "while True: pass",
    "catches everything": """
        while True:
            try:
                while True: pass
            except BaseException:
                pass
    """,
    "huge power": "10 ** 10 ** 10",
    "matrix products": "while True: np.ones((900, 900)) @ np.ones((900, 900))",
    "regular expression": 'import re; re.match("(a+)+$", "a" * 40 + "b")',
    "growing list": "grown = [0]\n        while True: grown = grown + grown",
}
_TASK = TaskSpec(
    "MountainCarContinuous-v0",
    "Drive up the hill.",
    (Field("position", source="obs[0]"), Field("velocity", source="obs[1]")),
    Field("action", (1,)),
    horizon=999,
).with_success("position >= 0.45")
_CHECKS = 20
_LIMIT = 0.5
"""Wall limit that runaways are given, in seconds."""
_CHECKED = 30_000
"""Steps of the training that a check is compared with: `train`'s default."""


def starts(count: int) -> Row:
    """Time the start of a locked worker, until it says which layers are live."""
    Worker(warm.SHARED.fork(Limits())).__exit__(None, None, None)  # starts the server
    before = _processor_ms()
    warm_ms = _milliseconds(lambda: Worker(warm.SHARED.fork(Limits())), count)
    used = (_processor_ms() - before) / (count + 1)
    cold_ms = _milliseconds(lambda: Worker(ColdWorker(Limits())), max(3, count // 10))
    return {
        "warm": {**_spread(warm_ms), "processor_ms": round(used, 2)},
        "cold": _spread(cold_ms),
        "load": round(os.getloadavg()[0], 1),
    }


def _processor_ms() -> float:
    """Return what the server and the workers that it reaped have used, so far."""
    line = Path(f"/proc/{warm.SHARED.pid()}/stat").read_text().rsplit(")", 1)[1]
    ticks = sum(map(int, line.split()[11:15]))
    return 1e3 * ticks / os.sysconf("SC_CLK_TCK")


def _milliseconds(start: Callable[[], Worker], count: int) -> list[float]:
    found = []
    for _ in range(count + 1):
        begun = time.perf_counter()
        with start() as worker:
            layers_of(worker)
            found.append(1e3 * (time.perf_counter() - begun))
    return found[1:]  # the first also starts the server


def _spread(values: list[float]) -> Row:
    ordered = sorted(values)
    return {
        "runs": len(values),
        "least_ms": round(ordered[0], 2),
        "median_ms": round(statistics.median(values), 2),
        "p90_ms": round(ordered[int(0.9 * (len(ordered) - 1))], 2),
    }


def runaways() -> list[Row]:
    """Stop programs that would run for ever; time from the start to the answer."""
    sandbox = ProcessSandbox(Limits(seconds=_LIMIT, memory_bytes=512 << 20))
    rows = []
    for name, body in _RUNAWAYS.items():
        source = (
            f"def compute_reward(x):\n        {body.strip()}\n        return {{'a': x}}"
        )
        job = Job(
            source, "compute_reward", ("x",), {"x": np.ones(1)}, unrestricted=True
        )
        execution = sandbox.run(job)
        over = execution.seconds - _LIMIT
        rows.append(
            {"program": name, "status": execution.status, "over_s": round(over, 3)}
        )
    return rows


def orphans() -> int:
    """Return how many workers are left; the server itself stays, for the next."""
    server = warm.SHARED.pid()
    if server is None:
        return 0
    text = Path(f"/proc/{server}/task/{server}/children").read_text()
    return len(text.split())


def share(steps: int) -> Row:
    """Compare a check in the worker with a training, by processor time.

    The wrapper runs kernels in the user's process: the worker's time is paid once a
    candidate, its training is paid each time.
    """
    rng = np.random.default_rng(0)
    given = {"position": rng.uniform(-1.2, 0.6, 256), "velocity": rng.normal(size=256)}
    job = Job(_PROGRAM, "compute_reward", ("position", "velocity"), given)
    sandbox = ProcessSandbox()
    before = 1e3 * time.process_time() + _processor_ms()
    for _ in range(2 * _CHECKS):  # a check runs it in two workers
        sandbox.run(job)
    after = 1e3 * time.process_time() + _processor_ms()
    trained = _train_seconds(steps) * _CHECKED / steps
    checked = (after - before) / 1e3 / _CHECKS
    return {
        "check_processor_s": round(checked, 4),
        "training_steps": _CHECKED,
        "training_processor_s": round(trained, 2),
        "share": round(checked / trained, 5),
    }


def _train_seconds(steps: int) -> float:
    """Time PPO on the task that the program is for; the cheapest training there is."""
    import torch
    from stable_baselines3 import PPO

    torch.set_num_threads(1)
    model = PPO("MlpPolicy", gym.make("MountainCarContinuous-v0"), n_steps=256, seed=0)
    begun = time.process_time()
    model.learn(steps)
    return time.process_time() - begun


def training_starts(count: int, trained: float) -> Row:
    """Time the process around a training that ends at once, by processor time.

    It makes the environment and is locked; a new program also loads the libraries.
    """
    server = Server()
    try:
        forked = [_training_seconds(server, number) for number in range(count + 1)]
    finally:
        server.end()
    new = [_training_seconds(None, number) for number in range(max(2, count // 5))]
    least = min(forked[1:])  # the first also waits for the server's own start
    return {
        "forked_processor_s": round(least, 3),
        "new_processor_s": round(min(new), 3),
        "share": round(least / trained, 5),
        "new_share": round(min(new) / trained, 5),
    }


def _training_seconds(server: Server | None, number: int) -> float:
    """Return the processor time of a trial's training process, which trains nothing."""
    spec = TrialSpec(resolve(_TASK.id), _TASK, "sparse", steps=100, seed=number)
    with tempfile.TemporaryDirectory() as folder:
        process = TrainerProcess(
            spec, Path(folder), ends_at_once, server.address if server else None
        )
        before = _reaped(server)
        with process:
            process.finish()
            process.claims.close()
        return _reaped(server) - before


def ends_at_once(spec: TrialSpec, folder: Path, tell: Tell) -> None:
    """Take the place of a training, and do nothing."""


def _reaped(server: Server | None) -> float:
    """Return the processor time of ended children: ours, or a server's."""
    if server is None:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
    line = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1]
    return sum(map(int, line.split()[13:15])) / os.sysconf("SC_CLK_TCK")


def measure(*, quick: bool) -> Row:
    """Return everything that this benchmark shows."""
    start = starts(20 if quick else 300)
    part = share(256 if quick else 4_096)
    trained = part["training_processor_s"]
    return {
        "cores": os.cpu_count(),
        "start": start,
        "runaways": runaways(),
        "share": part,
        "training_start": training_starts(3 if quick else 20, trained),
        "orphans": orphans(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    found = measure(quick=given.quick)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
