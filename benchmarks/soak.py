r"""Repeats a search for a long time in one process and looks for anything that grows.

The model fails in 30 % of its requests. After each search memory, open descriptors,
threads, child processes and files left in the temporary folder are sampled, and the
reward must be the first one, byte for byte.

Slopes are Sen's (Sen 1968, "Estimates of the regression coefficient based on Kendall's
tau"): the median over all pairs of samples, with his distribution-free interval. The
first part of the samples is left out, in which caches fill.

    python -m reward_synth.benchmarks.soak --minutes 60 --json benchmarks/results/soak.json
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
from reward_synth.benchmarks.loopback import read_log, serving

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
    """What one moment looks like, between two searches."""

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


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a piece of work is given."""

    url: str
    """Of the model."""
    folder: Path
    """Empty, and removed afterwards."""


Work = Callable[[Workplace], bytes]
"""Does one piece of work and returns what must be the same each time."""


def search(place: Workplace) -> bytes:
    """Make one search with the model and return the reward's file."""
    home = os.getcwd()
    os.chdir(place.folder)
    try:
        with (
            open(os.devnull, "w") as silent,
            redirect_stdout(silent),
            redirect_stderr(silent),
        ):
            code = command(Search(place.url, candidates=6).arguments())
    finally:
        os.chdir(home)
    if code:
        raise RuntimeError(f"A search ended with exit code {code}.")
    return (place.folder / "run" / "reward.py").read_bytes()


WORKS: dict[str, Work] = {"search": search}
"""What may be repeated, by name; a training with annotations can join here."""


def soak(work: Work, url: str, seconds: float, temporary: Path) -> list[Sample]:
    """Repeat ``work`` until the time is over; one sample after each."""
    began = time.monotonic()
    expected: bytes | None = None
    samples: list[Sample] = []
    while time.monotonic() - began < seconds:
        # another key each time, for the model fails at first questions only
        os.environ["OPENAI_API_KEY"] = f"sk-soak-{len(samples):06d}"
        folder = Path(tempfile.mkdtemp())
        found = work(Workplace(url, folder))
        shutil.rmtree(folder)
        expected = found if expected is None else expected
        if found != expected:
            raise RuntimeError(f"Search {len(samples) + 1} gave another reward.")
        samples.append(sample(time.monotonic() - began, temporary))
    return samples


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
    parser.add_argument("--faults", type=float, default=FAULTS, help="Share, 0 to 1.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    minutes = 0.5 if given.quick else given.minutes
    with tempfile.TemporaryDirectory() as place:
        log, temporary = Path(place, "requests.jsonl"), Path(place, "tmp")
        temporary.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        with serving(log, given.faults, given.seed) as url:
            samples = soak(WORKS[given.work], url, minutes * 60, temporary)
        asked, _ = read_log(log)
    failed = sum(item.sent != "answer" for item in asked)
    found = {
        "seed": given.seed,
        "work": given.work,
        "minutes": round(samples[-1].seconds / 60, 1),
        "repetitions": len(samples),
        "requests": len(asked),
        "of these failed": failed,
        **judge(samples),
    }
    for name, value in found.items():
        print(f"{name}: {value}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
