"""Answers whose tools hang, by the ten thousand: every hang is told, no process is left.

python -m reward_synth.benchmarks.verify_execution [--quick] --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.verify.calls import ToolCall
from reward_synth.verify.execution import Sample, ToolPool

Row = dict[str, Any]
_GOODS = {"tea": 2.5, "cake": 4.0, "milk": 1.0}
_MARKER = "REWARD_SYNTH_VERIFY_EXECUTION"
_FULL, _QUICK = 100_000, 3_000
_SHARE = 0.01


def price(name: str) -> float:
    """Return what a good costs; raises for one that is not there."""
    return _GOODS[name]


def total(name: str, quantity: int) -> float:
    """Return what several cost."""
    return _GOODS[name] * quantity


def sleeps() -> None:
    """Wait for ever."""
    time.sleep(10_000)


def spins() -> None:
    """Compute for ever."""
    while True:
        pass


def catches() -> None:
    """Go on whatever is raised in it, as an alarm's handler would."""
    while True:
        try:
            while True:
                time.sleep(0.001)
        except BaseException:
            continue


def matches() -> None:
    """Hang within C code, which no handler of Python interrupts."""
    re.match(r"(a+)+$", "a" * 60 + "b")


_HANGS: tuple[Callable[[], None], ...] = (sleeps, spins, catches, matches)


def toolbox(state: object) -> Mapping[str, Callable[..., Any]]:  # noqa: ARG001
    """Return the tools; they act on no state."""
    hangs = {tool.__name__: tool for tool in _HANGS}
    return {"price": price, "total": total, **hangs}


def samples(hanging: np.ndarray[Any, Any]) -> Iterator[Sample]:
    """Yield samples of two calls; of the hanging ones the second never ends."""
    names = [*_GOODS, "coffee"]
    for number, hangs in enumerate(hanging):
        name = names[number % len(names)]
        first = ToolCall("price", {"name": name})
        second = ToolCall("total", {"name": name, "quantity": 2})
        if hangs:
            second = ToolCall(_HANGS[number % len(_HANGS)].__name__)
        yield Sample((first, second))


def campaign(count: int, workers: int, seconds: float, seed: int) -> Row:
    """Run the samples and count what became of each."""
    rng = np.random.default_rng(seed)
    hanging = np.zeros(count, bool)
    hanging[rng.choice(count, round(_SHARE * count), replace=False)] = True
    outcomes: Counter[str] = Counter()
    begun = time.perf_counter()
    with ToolPool(toolbox, workers=workers, seconds=seconds) as pool:
        for place, ran in enumerate(pool(samples(hanging))):
            kind = "hanging" if hanging[place] else "ordinary"
            whole = ran.status != "ok" or len(ran.outputs) == 2  # noqa: PLR2004 - calls
            outcomes[f"{kind}: {ran.status if whole else 'incomplete'}"] += 1
    return {
        "samples": count,
        "hanging": int(hanging.sum()),
        "workers": workers,
        "deadline_s": seconds,
        "outcomes": dict(sorted(outcomes.items())),
        "lost": count - outcomes.total(),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def marked(marker: str) -> list[int]:
    """Return the processes whose environment holds a marker; this one is not among them."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            held = (place / "environ").read_bytes()
        except OSError:  # it ended, or belongs to another user
            continue
        if marker.encode() in held and int(place.name) != os.getpid():
            found.append(int(place.name))
    return found


def measure(count: int, workers: int, seconds: float, seed: int) -> Row:
    """Run the campaign in a process of its own, and look for what it left behind."""
    marker = secrets.token_hex(16)
    command = [sys.executable, "-m", "reward_synth.benchmarks.verify_execution"]
    command += ["--inner", f"{count},{workers},{seconds},{seed}"]
    environment = {**os.environ, _MARKER: marker}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"The campaign ended with {done.returncode}: {done.stderr}")
    found: Row = json.loads(done.stdout)
    ends = time.monotonic() + 5.0  # the system may need a moment to end them
    while (left := marked(marker)) and time.monotonic() < ends:
        time.sleep(0.05)
    within = found["seconds"] - found["hanging"] * seconds / workers
    return {
        **found,
        "leaked_processes": len(left),
        "samples_per_second": round(count / found["seconds"]),
        "seconds_beyond_deadlines": round(within, 1),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} samples")
    parser.add_argument("--samples", type=int, help=f"by default {_FULL}")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--deadline", type=float, default=0.2, help="seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--inner", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inner:
        count, workers, seconds, seed = given.inner.split(",")
        found = campaign(int(count), int(workers), float(seconds), int(seed))
        print(json.dumps(found))
        return
    count = given.samples or (_QUICK if given.quick else _FULL)
    found = measure(count, given.workers, given.deadline, given.seed)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
