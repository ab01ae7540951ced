"""What compiling costs: time to a first result, and memory over many programs."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reward_synth.benchmarks.kernel_programs import PROGRAMS, typed, variants
from reward_synth.benchmarks.kernel_targets import inputs
from reward_synth.engine import Workshop
from reward_synth.kernels import RewardKernel
from reward_synth.kernels.compile import CACHE

Row = dict[str, Any]
PLAIN = "def compute_reward():\n    return {'one': 1.0}"


def compile_times(names: Sequence[str], folder: Path) -> list[Row]:
    """Seconds to a first result in fresh processes: without and with a disk cache."""
    rows: list[Row] = []
    for name in names:
        cache = folder / f"cache_{name}"
        cold, warm = (_child("--first", name, cache=str(cache)) for _ in range(2))
        rows.append({"program": name, "cold_s": cold, "cached_s": warm})
    return rows


def memory_use(count: int, folder: Path) -> list[Row]:
    """Return what :func:`memory_growth` finds in a fresh process."""
    rows: list[Row] = _child("--memory", str(count), cache=str(folder / "memory"))
    return rows


def _child(*options: str, cache: str) -> Any:
    command = [sys.executable, "-m", "reward_synth.benchmarks.kernel_costs", *options]
    env = os.environ | {CACHE: cache}
    return json.loads(subprocess.check_output(command, env=env))


def first_result(name: str) -> float:
    """Return the seconds from a program's text to its first batch.

    The compiler has run before: its own start (0.3 s a process) is not measured.
    """
    RewardKernel(typed(PLAIN)).batch({})
    program, values = PROGRAMS[name], inputs(PROGRAMS[name], 64)
    start = time.perf_counter()
    RewardKernel(typed(program.source), "float32").batch(values)
    return time.perf_counter() - start


def memory_growth(count: int) -> list[Row]:
    """Compile and drop ``count`` programs as a search does; return MiB on the way."""
    program = PROGRAMS["pick"]
    values = inputs(program, 1)
    rows: list[Row] = []
    with Workshop() as workshop:
        for number, text in enumerate(variants(program, count + 1)):
            function = typed(text)
            workshop(function)
            RewardKernel(function).batch(values)
            if number % max(1, count // 5) == 0:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                resident = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
                rows.append({"programs": number + 1, "rss_mib": resident})
    return rows


def main() -> None:
    """Measure in this process, for :mod:`reward_synth.benchmarks.kernels`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", choices=PROGRAMS)
    parser.add_argument("--memory", type=int)
    given = parser.parse_args()
    if given.first:
        print(json.dumps(first_result(given.first)))
    else:
        print(json.dumps(memory_growth(given.memory)))


if __name__ == "__main__":
    main()
