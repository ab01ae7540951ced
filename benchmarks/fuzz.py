"""Fuzzes the parser, the reference interpreter, the kernels and the guard.

    python -m reward_synth.benchmarks.fuzz --seed 0 [--quick] --json FILE

Chunks of texts run in forked processes, so that a crash costs a chunk and is counted.
What the parser accepts runs on random states in the reference interpreter; samples run
as kernels, as plain Python in the locked worker, and, where a state that the gate never
saw gives no finite number, in the wrapper that an agent would train with.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reward_synth.benchmarks.fuzz_runs import (
    AGREE,
    Inputs,
    guarded,
    plainly,
    reference,
    states,
)
from reward_synth.benchmarks.fuzz_texts import TASK, Texts
from reward_synth.kernels import RewardKernel
from reward_synth.language import FunctionIR, parse

Row = dict[str, Any]
_LARGEST = 1e6
"""The gate's bound on a component."""
_HANG = 20
"""Seconds that one text may take."""


class Effort(NamedTuple):
    """How much is done."""

    texts: int
    chunk: int
    kernel_every: int
    """Of so many accepted programs, one is compiled."""
    plain_every: int
    """Of so many, one runs as plain Python in the worker."""
    guarded: int
    """Most programs that run in the wrapper."""


FULL = Effort(1_000_000, 10_000, 250, 60, 60)
QUICK = Effort(6_000, 3_000, 100, 60, 3)
TINY = Effort(300, 300, 10, 10, 1)


class Found(NamedTuple):
    """What one chunk showed."""

    counts: Counter[str]
    ways: Counter[str]
    """Accepted programs by the way in which they were made."""
    examples: list[str]
    """Texts of what must not be."""
    plain: list[str]
    """Programs to run as plain Python."""
    late: list[str]
    """Programs that passed the gate, and then gave no finite number."""


def fuzz(texts: Texts, numbers: range, effort: Effort, at: mmap.mmap) -> Found:
    """Parse the texts, and run what is accepted."""
    found = Found(Counter(), Counter(), [], [], [])
    fresh, later = states(texts.seed, 4), states(texts.seed + 1, 4)
    for number in numbers:
        at[:8] = number.to_bytes(8, "little")
        signal.alarm(_HANG)
        way, text = texts.make(number)
        found.counts["texts"] += 1
        try:
            ir = parse(text, TASK).ir
        except Exception as error:
            found.counts["parser raised"] += 1
            found.examples.append(f"{type(error).__name__} by text {number}: {error}")
            continue
        if ir is not None and ir.reward is not None:
            found.ways[way] += 1
            _accepted(text, ir.reward, fresh, later, effort, found)
    signal.alarm(0)
    return found


def _accepted(
    text: str,
    function: FunctionIR,
    fresh: Inputs,
    later: Inputs,
    effort: Effort,
    found: Found,
) -> None:
    counts = found.counts
    counts["accepted"] += 1
    values = reference(function, fresh, counts)
    again = reference(function, {k: v[::-1] for k, v in fresh.items()}, counts)
    if values.tobytes() != again[::-1].tobytes():
        counts["differ in another order"] += 1
        found.examples.append(text)
    if counts["accepted"] % effort.kernel_every == 0:
        _compiled(text, function, fresh, values, found)
    if not np.isfinite(values).all() or np.abs(values).max() > _LARGEST:
        counts["stopped by the gate"] += 1
        return
    counts["passed the gate"] += 1
    if counts["passed the gate"] % effort.plain_every == 0:
        found.plain.append(text)
    if not np.isfinite(reference(function, later, counts)).all():
        counts["not finite on a later state"] += 1
        found.late.append(text)


def _compiled(
    text: str, function: FunctionIR, inputs: Inputs, values: Any, found: Found
) -> None:
    found.counts["compiled"] += 1
    given = {name: inputs[name] for name, _ in function.parameters}
    before = [value.tobytes() for value in given.values()]
    out = np.empty((values.shape[1] + 1, len(values)))
    rows = RewardKernel(function).batch(given, out)[:-1].T
    if before != [value.tobytes() for value in given.values()]:
        found.counts["inputs changed"] += 1
    if not np.allclose(rows, values, rtol=AGREE, atol=AGREE, equal_nan=True):
        found.counts["kernel differs"] += 1
        found.examples.append(text)


def chunks(texts: Texts, effort: Effort) -> Iterator[Found]:
    """Yield what each chunk shows; a chunk that dies is a crash with its number."""
    for start in range(0, effort.texts, effort.chunk):
        numbers = range(start, min(start + effort.chunk, effort.texts))
        yield _apart(texts, numbers, effort)


def _apart(texts: Texts, numbers: range, effort: Effort) -> Found:
    out, told = os.pipe()
    at = mmap.mmap(-1, 8)
    child = os.fork()
    if child == 0:
        try:
            os.close(out)
            with os.fdopen(told, "w") as stream:
                json.dump(fuzz(texts, numbers, effort, at), stream)
            os._exit(0)
        finally:  # whatever happens, this copy of the program must not go on
            os._exit(1)
    os.close(told)
    with os.fdopen(out) as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0 or not answer:
        number = int.from_bytes(at[:8], "little")
        return Found(Counter(crashes=1), Counter(), [f"text {number}: {code}"], [], [])
    counts, ways, *rest = json.loads(answer)
    return Found(Counter(counts), Counter(ways), *rest)


def measure(effort: Effort, seed: int) -> Row:
    """Return everything that the campaign shows."""
    started, cpu = time.monotonic(), time.process_time()
    texts = Texts(seed)
    counts: Counter[str] = Counter()
    ways: Counter[str] = Counter()
    examples: list[str] = []
    guarded_left = effort.guarded
    for found in chunks(texts, effort):
        counts += found.counts
        ways += found.ways
        examples += found.examples[:5]
        counts += plainly(found.plain, seed)
        counts += guarded(found.late[:guarded_left], seed)
        guarded_left -= min(guarded_left, len(found.late))
        if sys.stderr.isatty() or os.environ.get("FUZZ_PROGRESS"):
            print(dict(counts), file=sys.stderr, flush=True)
    spent = os.times()
    return {
        "seed": seed,
        "counts": dict(sorted(counts.items())),
        "bad": {name: counts[name] for name in BAD},
        "accepted_by_way": dict(ways),
        "examples": examples[:20],
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(
            time.process_time() - cpu + spent.children_user + spent.children_system, 1
        ),
    }


BAD = (
    "crashes",
    "parser raised",
    "inputs changed",
    "differ in another order",
    "kernel differs",
    "plain: mutated",
    "plain: crashed",
    "not finite past the guard",
)
"""Counts that must be 0."""


def main() -> None:
    """Run the campaign; exit code 1 if something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="6,000 texts")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    found = measure(QUICK if given.quick else FULL, given.seed)
    for name, count in found["counts"].items():
        print(f"{name:<32}{count:>10,}")
    print(f"{found['cpu_seconds']:.0f} s of processor time")
    for example in found["examples"]:
        print(example)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(1 if any(found["bad"].values()) else 0)


if __name__ == "__main__":
    main()
