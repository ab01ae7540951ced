r"""Works for a long time in one process and looks for anything that grows.

The work is a search that is repeated, whose reward must be the first one byte for byte
each time, or one long training whose captions a model labels meanwhile. The model fails
in 30 % of its requests. Memory, open descriptors, threads, child processes and files left
in the temporary folder are sampled between searches, or every ten seconds.

Slopes are Sen's (Sen 1968, "Estimates of the regression coefficient based on Kendall's
tau"): the median over all pairs of samples, with his distribution-free interval. The
first part of the samples is left out, in which caches fill.

    python -m reward_synth.benchmarks.soak --minutes 60 --json benchmarks/results/soak.json
    python -m reward_synth.benchmarks.soak --work training --minutes 60 --json \
        benchmarks/results/soak_training.json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from reward_synth.benchmarks.crash_child import command
from reward_synth.benchmarks.crash_story import Search
from reward_synth.benchmarks.loopback import Asked, read_log, serving
from reward_synth.benchmarks.soak_training import train

FAULTS = 0.3
_WARM = 0.25
"""Part of the samples that is left out."""
_MOST = 400
"""Samples that slopes are taken of: pairs grow with the square."""
_NORMAL = 1.959964
"""Standard normal quantile of a two-sided interval of 95 %."""
_HOUR = 3600.0
_COUNTS = ("descriptors", "threads", "children", "files")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one moment looks like."""

    seconds: float
    """Since the start."""
    memory: float
    """Resident, in MB."""
    descriptors: int
    threads: int
    children: int
    files: int
    """In the temporary folder."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in an hour, with a 95 % interval."""

    value: float
    low: float
    high: float


def search(url: str, folder: Path) -> bytes:
    """Make one search with the model in an empty folder; return the reward's file."""
    home = os.getcwd()
    os.chdir(folder)
    try:
        with (
            open(os.devnull, "w") as silent,
            redirect_stdout(silent),
            redirect_stderr(silent),
        ):
            code = command(Search(url, candidates=6).arguments())
    finally:
        os.chdir(home)
    if code:
        raise RuntimeError(f"A search ended with exit code {code}.")
    return (folder / "run" / "reward.py").read_bytes()


def searches(
    url: str, place: Path, seconds: float, look: Callable[[], None]
) -> dict[str, Any]:
    """Repeat a search until the time is over; look after each.

    Raises:
        RuntimeError: One gave another reward than the first.
    """
    began, done = time.monotonic(), 0
    expected: bytes | None = None
    while time.monotonic() - began < seconds:
        # another key each time, for the model fails at first questions only
        os.environ["OPENAI_API_KEY"] = f"sk-soak-{done:06d}"
        folder = place / str(done)
        folder.mkdir(parents=True)
        found = search(url, folder)
        shutil.rmtree(folder)
        expected = found if expected is None else expected
        done += 1
        if found != expected:
            raise RuntimeError(f"Search {done} gave another reward.")
        look()
    return {"repetitions": done}


WORKS = {"search": searches, "training": train}
"""What may be done, by name."""


def sample(seconds: float, temporary: Path) -> Sample:
    """Return what this process has and has left now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    children = [
        entry.read_text().split()
        for entry in Path("/proc/self/task").glob("*/children")
    ]
    return Sample(
        seconds,
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
        sum(map(len, children)),
        sum(1 for _ in temporary.rglob("*")),
    )


def slope(times: Sequence[float], values: Sequence[float]) -> Slope:
    """Return Sen's slope in one hour, with his 95 % interval.

    Args:
        times: In seconds.
        values: As many.

    Example:
        >>> slope([0.0, 1800.0, 3600.0, 5400.0], [1.0, 2.0, 3.0, 4.0])
        Slope(value=2.0, low=2.0, high=2.0)
    """
    pairs = combinations(zip(times, values, strict=True), 2)
    slopes = sorted((v - u) / (t - s) * _HOUR for (s, u), (t, v) in pairs if t > s)
    n = len(times)
    spread = _NORMAL * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, round((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, round((len(slopes) + spread) / 2))
    return Slope(median(slopes), slopes[low], slopes[high])


def judge(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return slopes, and what each count was at first and at last."""
    late = samples[int(len(samples) * _WARM) :]
    step = -(-len(late) // _MOST)
    late = late[::step]
    times = [item.seconds for item in late]
    rows: dict[str, Any] = {
        "memory, MB an hour": asdict(slope(times, [item.memory for item in late])),
        "memory, MB": [round(late[0].memory, 1), round(late[-1].memory, 1)],
    }
    for name in _COUNTS:
        values = [float(getattr(item, name)) for item in late]
        rows[f"{name} an hour"] = asdict(slope(times, values))
        rows[name] = [int(values[0]), int(max(values)), int(values[-1])]
    return rows


def main() -> None:
    """Soak, print what grew, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--work", choices=sorted(WORKS), default="search")
    parser.add_argument(
        "--pause", type=float, default=0.0, help="Of the model, seconds."
    )
    parser.add_argument("--faults", type=float, default=FAULTS, help="Share, 0 to 1.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    minutes = 0.5 if given.quick else given.minutes
    began, samples = time.monotonic(), []
    with tempfile.TemporaryDirectory() as place:
        log, temporary, keep = (Path(place, name) for name in ("log", "tmp", "run"))
        temporary.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)

        def look() -> None:
            samples.append(sample(time.monotonic() - began, temporary))

        with serving(log, given.faults, given.seed, given.pause) as url:
            told = WORKS[given.work](url, keep, minutes * 60, look)
        asked, _ = read_log(log)
    failed = sum(item.sent != "answer" for item in asked)
    found = {
        "seed": given.seed,
        "work": given.work,
        "minutes": round(samples[-1].seconds / 60, 1),
        "samples": len(samples),
        **told,
        "requests": len(asked),
        "of these failed": failed,
        "answered twice": answered_twice(asked),
        **judge(samples),
    }
    for name, value in found.items():
        print(f"{name}: {value}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


def answered_twice(asked: Sequence[Asked]) -> int:
    """Return how many answers went to somebody who had had one to the same question.

    Example:
        >>> answered_twice([Asked("a", "q", "500"), *[Asked("a", "q", "answer")] * 3])
        2
    """
    whole = [(item.who, item.question) for item in asked if item.sent == "answer"]
    return len(whole) - len(set(whole))


if __name__ == "__main__":
    main()
