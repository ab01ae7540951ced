"""What compiling costs, and what scoring many programs in one pass saves.

    python -m reward_synth.benchmarks.kernel_costs [--json FILE] [--quick]

Compiling: time to a first result, also of the longest programs that the language admits,
and memory over many programs. With ``--json`` the parts of a file that another run wrote
are replaced; the others stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reward_synth.benchmarks import kernel_population
from reward_synth.benchmarks.kernel_limits import LONGEST, longest
from reward_synth.benchmarks.kernel_programs import PROGRAMS, typed, variants
from reward_synth.benchmarks.kernel_targets import inputs
from reward_synth.engine import Workshop
from reward_synth.kernels import RewardKernel
from reward_synth.kernels.compile import CACHE

Row = dict[str, Any]
COMMAND = "python -m reward_synth.benchmarks.kernel_costs"
PLAIN = "def compute_reward():\n    return {'one': 1.0}"


def compile_times(names: Sequence[str], folder: Path) -> list[Row]:
    """Seconds to a first result in fresh processes: without and with a disk cache."""
    rows: list[Row] = []
    for name in names:
        cache = folder / f"cache_{name}"
        cold, warm = (_child("--first", name, cache=str(cache)) for _ in range(2))
        row: Row = {"program": name, "cold_s": cold["all_s"]}
        row |= {"cached_s": warm["all_s"], "cached_read_s": warm["read_s"]}
        rows.append(row)
    return rows


def memory_use(count: int, folder: Path) -> list[Row]:
    """Return what :func:`memory_growth` finds in a fresh process."""
    rows: list[Row] = _child("--memory", str(count), cache=str(folder / "memory"))
    return rows


def _child(*options: str, cache: str) -> Any:
    command = [sys.executable, "-m", "reward_synth.benchmarks.kernel_costs", *options]
    env = os.environ | {CACHE: cache}
    return json.loads(subprocess.check_output(command, env=env))


def first_result(name: str) -> Row:
    """Return the seconds from a program's text to its first batch, as ``all_s``.

    ``read_s`` are those in which the text is read; the rest is the kernel's. The
    compiler has run before: its own start (0.3 s a process) is not measured.
    """
    RewardKernel(typed(PLAIN)).batch({})
    program = PROGRAMS.get(name) or longest(name)
    values = inputs(program, 64)
    start = time.perf_counter()
    function = typed(program.source)
    read = time.perf_counter() - start
    RewardKernel(function, "float32").batch(values)
    return {"all_s": time.perf_counter() - start, "read_s": read}


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


def costs(folder: Path, *, quick: bool) -> dict[str, list[Row]]:
    """Measure compiling and scoring in one pass, print it and return it."""
    names = ("pick", LONGEST[0]) if quick else (*PROGRAMS, *LONGEST)
    found = compile_times(names, folder)
    for row in found:
        print(
            f"{row['program']}: {row['cold_s']:.2f} s, cached {row['cached_s']:.3f} s, "
            f"of which reading the text {row['cached_read_s']:.3f} s"
        )
    effort = kernel_population.QUICK if quick else kernel_population.FULL
    passes = kernel_population.passes(effort)
    for row in passes:
        kind = f"{row['program']} {row['dtype']} {row['outputs']}"
        print(f"{kind}: one pass {row['ratio']:.2f} of {row['programs']}")
    measured = {"compile": found, "population": passes}
    return {
        part: [row | {"command": COMMAND} for row in rows]
        for part, rows in measured.items()
    }


def main() -> None:
    """Measure; ``--first`` and ``--memory`` are for fresh processes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--first", choices=(*PROGRAMS, *LONGEST))
    parser.add_argument("--memory", type=int)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    if given.first:
        print(json.dumps(first_result(given.first)))
        return
    if given.memory:
        print(json.dumps(memory_growth(given.memory)))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE] = str(Path(folder) / "own")
        found = costs(Path(folder), quick=given.quick)
    if given.json:
        old = json.loads(given.json.read_text()) if given.json.exists() else {}
        given.json.write_text(json.dumps(old | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
