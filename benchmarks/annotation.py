"""What annotation beside a training costs, and what a bad server does to it.

    python -m reward_synth.benchmarks.annotation [--quick] [--json FILE] [--only PART ...]

* rate: steps a second of our PPO on KeyRoom-S5 while every state is a new caption and
  eight requests of 200 ms are always in flight, over the same with nobody to ask. Blocks
  of a few updates take turns in one process; told is the median of the ratios of blocks.
* blocked: the longest time that a training waits for one submission, reading or
  publication, while the server is slow, fails in 30 %, drips, or is down; collections of
  garbage are kept short, as in ``reward_synth intrinsic``. Beside it the same with rules
  in the place of a server, for that is the machine's share.
* submits: captions a second that are taken, in batches of eight, and seconds for each
  part of the run, for it must not slow down.
* keys: memory after as many different captions as are asked for.
* kills: a trainer that is killed at random moments and begun again; labels that are
  missing or wrong at its end, and answers that the server gave twice. What was in flight
  at a kill is asked again, at most one question a worker.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from reward_synth.benchmarks import annotation_child as child
from reward_synth.benchmarks.loopback import read_log, serving
from reward_synth.intrinsic.annotation import AnnotationService, Rule, RuleAnnotator
from reward_synth.intrinsic.pauses import short_collections

Row = dict[str, Any]
_LANES = 8
_PAUSE = 0.2
"""Seconds that the server takes for an answer."""
_UPDATE = 1024
"""Steps of one update: eight environments, 128 steps each."""


def rate(*, quick: bool) -> Row:
    """Return the ratio of steps a second with the annotator busy and without it."""
    from reward_synth.benchmarks.annotation_rate import Pair

    blocks, updates = (2, 1) if quick else (16, 5)
    with tempfile.TemporaryDirectory() as place, _server(Path(place), _PAUSE) as url:
        pair = Pair(url, Path(place))
        pair.warm()
        ratios, answered = [], 0
        for _ in range(blocks):
            off = pair.off(updates)
            busy, told = pair.busy(updates)
            answered += told
            ratios.append(off / busy)
    return {
        "blocks": blocks,
        "updates of each": updates,
        "labels that came": answered,
        "ratio": round(median(ratios), 3),
        "ratios": [round(value, 3) for value in ratios],
    }


def blocked(*, quick: bool) -> Row:
    """Return the longest waits, in milliseconds, by what the server does."""
    seconds = 2.0 if quick else 30.0
    found = {"by rules, no server": _longest(_ruled(), seconds)}
    for name in ("slow", "faulty", "drips", "down"):
        with (
            tempfile.TemporaryDirectory() as place,
            _bad(name, Path(place)) as url,
            child.service(url, Path(place, "labels"), "at_publish") as service,
            short_collections(),
        ):
            found[name] = _longest(service, seconds)
    return {"seconds of each": seconds, **found}


def submits(*, quick: bool) -> Row:
    """Return captions a second, with the annotator at work."""
    count = 200_000 if quick else 5_000_000
    with (
        tempfile.TemporaryDirectory() as place,
        _server(Path(place), _PAUSE) as url,
        child.service(url, Path(place, "labels")) as service,
    ):
        spent = list(_submitted(service, count, parts=5))
    return {
        "captions": count,
        "a second": round(count / sum(spent)),
        "a second in each fifth": [round(count / 5 / part) for part in spent],
    }


def keys(*, quick: bool) -> Row:
    """Return memory after many different captions, in a process of its own."""
    count = 200_000 if quick else 10_000_000
    code = f"from reward_synth.benchmarks.annotation import _many; _many({count})"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return {"captions": count, **json.loads(ran.stdout)}


def kills(*, quick: bool, seed: int = 0) -> Row:
    """Return what random kills of a trainer did."""
    wanted, count = (2, 60) if quick else (20, 400)
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as place, _server(Path(place), 0.05) as url:
        folder, done, moments = Path(place, "labels"), 0, []
        while done < wanted:
            running = child.start(url, folder, count)
            moments.append(round(float(rng.uniform(0.02, 0.25)), 3))
            time.sleep(moments[-1])
            if running.poll() is not None:  # it was done: ask about more
                count += 200
            running.kill()
            running.wait()
            done += 1
        last = child.start(url, folder, count)
        out, _ = last.communicate()
        asked, _ = read_log(Path(place, "requests.jsonl"))
    answers = [(item.who, item.question) for item in asked if item.sent == "answer"]
    return {
        "kills": wanted,
        "captions": count,
        **json.loads(out.splitlines()[-1]),
        "answers given twice": len(answers) - len(set(answers)),
        "most that may have been in flight": wanted * child.WORKERS,
        "exit code": last.returncode,
    }


@contextmanager
def _server(place: Path, pause: float, faults: float = 0.0) -> Iterator[str]:
    os.environ["OPENAI_API_KEY"] = "sk-benchmark"
    with serving(place / "requests.jsonl", faults, pause=pause) as url:
        yield url


@contextmanager
def _bad(name: str, place: Path) -> Iterator[str]:
    """Give the address of a server that does one thing badly."""
    if name == "down":
        yield "http://127.0.0.1:9/v1"
    elif name == "drips":
        with child.dripping() as url:
            yield url
    else:
        with _server(place, _PAUSE, 0.3 if name == "faulty" else 0.0) as url:
            yield url


def _longest(service: Any, seconds: float) -> Row:
    """Play that states come 2,000 a second; return the longest wait for each call."""
    numbers = itertools.count()
    longest = dict.fromkeys(("submit", "get", "publish"), 0.0)
    ends = time.perf_counter() + seconds
    for call in itertools.count():
        if time.perf_counter() >= ends:
            break
        texts = [f"state {next(numbers)}" for _ in range(_LANES)]
        spent = {
            "submit": _timed(service.submit, texts),
            "get": _timed(service.get, texts),
            "publish": 0.0 if call % 128 else _timed(service.publish),
        }
        longest = {name: max(spent[name], most) for name, most in longest.items()}
        time.sleep(_LANES / 2000)
    return {name: round(1e3 * value, 2) for name, value in longest.items()}


def _timed(call: Callable[..., Any], *given: Any) -> float:
    began = time.perf_counter()
    call(*given)
    return time.perf_counter() - began


def _submitted(service: Any, count: int, parts: int) -> Iterator[float]:
    """Submit captions, one in five of them new; yield the seconds of each part."""
    for part in range(parts):
        began = time.perf_counter()
        for first in range(part * count // parts, (part + 1) * count // parts, _LANES):
            new = f"state {first}"
            service.submit([new, *("a hall",) * (_LANES - 1)])
        yield time.perf_counter() - began


def _ruled() -> AnnotationService:
    rules = RuleAnnotator([Rule("7$", "helpful")], otherwise="unhelpful")
    return AnnotationService(rules)


def _many(count: int) -> None:
    """Submit different captions and print the memory that it took; for a process."""
    began = time.perf_counter()
    with _ruled() as service:
        for first in range(0, count, 1000):
            service.submit([f"You see state {first + n}." for n in range(1000)])
        spent = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {"peak memory, MB": round(peak / 1024), "seconds": round(spent)}
    print(json.dumps(told))


PARTS: Mapping[str, Callable[..., Row]] = {
    "rate": rate,
    "blocked": blocked,
    "submits": submits,
    "keys": keys,
    "kills": kills,
}


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), metavar="PART")
    given = parser.parse_args()
    found: Row = {
        "command": "python -m reward_synth.benchmarks.annotation",
        "versions": {name: version(name) for name in ("nle", "openai", "torch")},
    }
    if given.json and given.json.exists() and given.only:
        found = json.loads(given.json.read_text())  # the other parts stay
    for name in given.only or PARTS:
        load = os.getloadavg()[0]
        found[name] = {**PARTS[name](quick=given.quick), "load": round(load, 1)}
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
