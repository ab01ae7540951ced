"""How fast are compiled rewards beside plain Python, NumPy, torch and C?

    python -m reward_synth.benchmarks.kernels --json FILE [--plot FILE] [--quick]

All targets run in turn, several rounds, in one process on one thread, so that ratios
hold although the machine's speed drifts; only targets that agree are timed. ``memcpy``
copies as many bytes as a kernel reads and writes; ``population`` scores 16 programs that
differ in one weight, and its time is that of one state and one program; ``reference`` is
the author's function, run by Python a state at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.benchmarks.kernel_costs import costs, memory_use
from reward_synth.benchmarks.kernel_programs import PROGRAMS, Program
from reward_synth.benchmarks.kernel_targets import Forms, Target, components, inputs
from reward_synth.errors import UsageError

Row = dict[str, Any]
_CLOSE = 1e-4
"""Agreement of float32 results: shares of one plus the largest component."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    programs: tuple[str, ...]
    sizes: tuple[int, ...]
    rounds: int
    seconds: float
    """Of one target in one round, at least one call."""
    compiled: int
    """Programs that are compiled and dropped while memory is watched."""
    torch_compile: bool


FULL = Effort(tuple(PROGRAMS), (1, 64, 4096, 262144), 7, 0.01, 500, torch_compile=True)
QUICK = Effort(("pick", "branches"), (1, 64, 4096), 3, 0.005, 10, torch_compile=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio of times should reach, as the median over programs."""

    size: int
    over: str
    under: str
    least: float = 0.0
    most: float = float("inf")


GOALS = (
    Goal(1, "reference", "kernel", least=5),
    Goal(1, "torch_jit", "kernel", least=10),
    Goal(64, "torch_jit", "kernel", least=8),
    Goal(64, "numpy", "kernel", least=4),
    Goal(4096, "torch_jit", "kernel", least=3),
    Goal(4096, "torch_compile", "kernel"),
    Goal(4096, "numpy", "kernel", least=4),
    Goal(4096, "c", "kernel", least=1),
    Goal(262144, "kernel", "memcpy", most=4),
    Goal(262144, "c", "kernel"),
    Goal(262144, "kernel", "kernel_2_threads"),
    Goal(262144, "kernel", "population"),
)


def require_agreement(program: Program, found: Sequence[Target], count: int) -> None:
    """Compare each target's components with those of the first one, the kernel.

    Raises:
        UsageError: One differs by more than rounding explains.
    """
    right = np.asarray(components(found[0], program))
    allowed = _CLOSE * (1 + np.abs(right).max())
    for item in found[1:]:
        values = components(item, program)
        if values is None or item.programs > 1:
            continue
        apart = np.abs(values - right).max() if values.shape == right.shape else np.inf
        if not apart <= allowed:
            raise UsageError(
                f"{item.name} is {apart:g} from the kernel on {program.name} with "
                f"{count} states; at most {allowed:g} is rounding. Make its text "
                "compute what the program computes."
            )


def measure(forms: Forms, count: int, effort: Effort) -> list[Row]:
    """Check and time all targets on ``count`` states, in turn."""
    found = forms.targets(inputs(forms.program, count), count)
    require_agreement(forms.program, found, count)
    repeats = [_repeats(item, effort.seconds) for item in found]
    rounds = [
        [_timed(item, repeat) for item, repeat in zip(found, repeats, strict=True)]
        for _ in range(effort.rounds)
    ]
    base = {"program": forms.program.name, "n": count}
    rows: list[Row] = []
    for item, times in zip(found, zip(*rounds, strict=True), strict=True):
        time_of_one = 1e9 * statistics.median(times) / count / item.programs
        kind = {"dtype": item.dtype, "target": item.name}
        rows.append(base | kind | {"ns_per_state": time_of_one})
    return rows


def _timed(item: Target, repeat: int) -> float:
    item.before()
    start = time.perf_counter()
    for _ in range(repeat):
        item.call()
    return (time.perf_counter() - start) / repeat


def _repeats(item: Target, seconds: float) -> int:
    _timed(item, 5)  # torch specialises in the first calls
    return max(1, min(100_000, int(seconds / _timed(item, 3))))


def speeds(effort: Effort, folder: Path) -> tuple[list[Row], dict[str, str]]:
    """Return all rows, and the targets that are missing with the reason."""
    rows, missing = list[Row](), dict[str, str]()
    for name in effort.programs:
        forms = Forms(PROGRAMS[name], folder, compiled=effort.torch_compile)
        for count in effort.sizes:
            rows += measure(forms, count, effort)
        missing |= forms.missing
    return rows, missing


def ratio(rows: Sequence[Row], goal: Goal) -> dict[str, float]:
    """Return each program's ratio of times, in float32."""
    fitting = [r for r in rows if (r["n"], r["dtype"]) == (goal.size, "float32")]
    times = {(r["program"], r["target"]): r["ns_per_state"] for r in fitting}
    return {
        program: time / times[program, goal.under]
        for (program, target), time in times.items()
        if target == goal.over and (program, goal.under) in times
    }


def ratio_lines(rows: Sequence[Row]) -> list[str]:
    """Return a line a goal: the median, the goal, and each program's ratio."""
    lines = ["| N | ratio | median | goal | programs |", "|---|---|---|---|---|"]
    for goal in GOALS:
        found = ratio(rows, goal)
        if found:
            middle = statistics.median(found.values())
            shown = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
            start = f"| {goal.size} | {goal.over} / {goal.under} | {middle:.2f} |"
            lines.append(f"{start} {_verdict(goal, middle)} | {shown} |")
    return lines


def _verdict(goal: Goal, value: float) -> str:
    parts = [f">= {goal.least:g}"] if goal.least else []
    parts += [f"<= {goal.most:g}"] if goal.most < float("inf") else []
    good = goal.least <= value <= goal.most
    return " ".join([*parts, "met" if good else "MISSED"]) if parts else ""


def table(rows: Sequence[Row]) -> str:
    """Return ns a state: a line a program and size, a column a target."""
    keys = ("program", "n", "target", "dtype")
    times = {tuple(row[key] for key in keys): row["ns_per_state"] for row in rows}
    columns = list(dict.fromkeys(key[2:] for key in times))
    heads = [" ".join(column).removesuffix(" float32") for column in columns]
    lines = [f"| program | N | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for start in dict.fromkeys(key[:2] for key in times):
        found = [times.get((*start, *column)) for column in columns]
        cells = ["" if time is None else f"{time:.4g}" for time in found]
        lines.append(f"| {start[0]} | {start[1]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw the median over programs of ns a state against N, in float32."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    times: dict[str, dict[int, list[float]]] = {}
    for row in rows:
        if row["dtype"] == "float32":
            sizes = times.setdefault(row["target"], {})
            sizes.setdefault(row["n"], []).append(row["ns_per_state"])
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="tight")
    for target, sizes in times.items():
        axes.loglog([*sizes], [*map(statistics.median, sizes.values())], label=target)
    axes.set(xlabel="states a call", ylabel="ns a state, median over programs")
    axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def report(effort: Effort, folder: Path) -> Row:
    """Measure everything, print it and return it."""
    rows, missing = speeds(effort, folder)
    print(table(rows), "", *ratio_lines(rows), "", sep="\n")
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")
    found = costs(folder, quick=effort == QUICK)
    memory = memory_use(effort.compiled, folder)
    for row in memory:
        print(f"{row['programs']} programs: {row['rss_mib']:.0f} MiB")
    return {"rows": rows, "missing": missing, "memory": memory} | found


def main() -> None:
    """Measure, print the table and the ratios, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--plot", type=Path, help="write a figure to this file")
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        measured = report(QUICK if given.quick else FULL, Path(folder))
    versions = {name: version(name) for name in ("numpy", "numba")}
    command = "python -m reward_synth.benchmarks.kernels"
    data = {"command": command, "versions": versions, **measured}
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")
    if given.plot:
        plot(measured["rows"], given.plot)


if __name__ == "__main__":
    main()
