"""Hostile programs against the whole system, and against each layer alone.

    python -m reward_synth.benchmarks.hostile [--quick] --json FILE

The host has canaries: a secret in the environment and the heap, a file, listeners on
the loopback, a process, the true reward.  Every program is written so that coming to
its end means having done what it is about.  With layers off, programs run in killable
children of an arena that has its own network, processes and read-only files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.benchmarks.hostile_arena import TASK, columns
from reward_synth.benchmarks.hostile_case import SOURCES, Hostile
from reward_synth.benchmarks.hostile_corpus import corpus, counts
from reward_synth.benchmarks.hostile_host import SECRET, VARIABLE, Host
from reward_synth.benchmarks.hostile_place import arena, shelter
from reward_synth.checks import DEFAULT_CHECKS, Examiner
from reward_synth.program import RewardProgram
from reward_synth.reward import Rollout, Step
from reward_synth.sandbox import Job, Limits, ProcessSandbox

Row = dict[str, Any]
TRUE_REWARD = [0.7319]
HEAP_SECRET = SECRET
"""Both are canaries: a worker must not find them in its memory."""
ALONE: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "language": ("language",),
    "few builtins": ("builtins",),
    "gate": ("gate",),
    "clean start": ("clean_start",),
    "rlimits": ("rlimits",),
    "capabilities": ("capabilities",),
    "namespaces": ("namespaces",),
    "Landlock": ("landlock_files",),
    "seccomp": ("seccomp",),
}
"""Row of the table to the layers that are on."""
COLUMNS = ("escapes", "leaks", "changes", "kept", "crashes", "hangs")
WHOLE, WORKER = "whole system", "worker, all its layers"
_SECONDS = 1.2
_LIMITS = Limits(seconds=1.5, cpu_seconds=2, memory_bytes=512 << 20)
_DAMAGE = {"canary", "victim"}
"""Effects that change the host; the others reach out of it."""
_ENDINGS = {"died": "crashes", "memory": "crashes", "hung": "hangs"}
_PLACES = {"escape": "escapes", "leak": "leaks", "cheat": "leaks", "change": "changes"}
"""What a program counts as that came to its end, by its aim."""


def judged(
    case: Hostile, status: str, effects: Sequence[str], *, thrown_away: bool = False
) -> str:
    """Return the column that a program counts in, or ``held``.

    Args:
        case: The program.
        status: How it ended.
        effects: What it did to the host.
        thrown_away: Whether its process is not used again, so that what it changed in
            the interpreter is gone.

    Example:
        >>> case = Hostile("n", "files", "escape", "own", "")
        >>> judged(case, "done", []), judged(case, "raised", []), judged(case, "raised", ["tcp"])
        ('escapes', 'held', 'escapes')
    """
    if effects:
        return "changes" if _DAMAGE & set(effects) else "escapes"
    if status == "done" and "TARGET" in case.text:
        return "held"  # it came to its end, and made nothing
    if status != "done":
        return _ENDINGS.get(status, "held")
    if case.aim == "change" and thrown_away:
        return "held"
    return _PLACES.get(case.aim, "kept")


def ablation(
    cases: Sequence[Hostile], seconds: float, layers: Iterable[str] = tuple(ALONE)
) -> list[Row]:
    """Run the programs with each layer alone; a row a program and layer."""
    rows = []
    for layer in layers:
        names = ALONE[layer]
        for case, row in zip(cases, arena(cases, names, seconds), strict=True):
            found = judged(case, row["status"], row["effects"])
            rows.append(_row(case, layer, row["status"], row["effects"], found))
    return rows


def _row(
    case: Hostile, layer: str, status: str, effects: Sequence[str], found: str
) -> Row:
    return {
        "layer": layer,
        "name": case.name,
        "family": case.family,
        "origin": case.origin,
        "aim": case.aim,
        "status": status,
        "effects": list(effects),
        "counts_as": found,
    }


def worker_rows(cases: Sequence[Hostile]) -> list[Row]:
    """Run every text in the locked worker with all builtins: no static layer."""
    sandbox = ProcessSandbox(_LIMITS, mode="strict")

    def attempt(source: str) -> tuple[str, str]:
        values = columns()
        job = Job(source, "compute_reward", tuple(values), values, unrestricted=True)
        execution = sandbox.run(job)
        names = {"ok": "done", "crashed": "stopped", "timeout": "stopped"}
        status = names.get(execution.status, execution.status)
        return ("stopped" if status == "memory" else status), execution.error

    return _here(cases, WORKER, attempt)


def whole_rows(cases: Sequence[Hostile]) -> list[Row]:
    """Run every program through the system as ``generate`` and ``check`` do."""
    sandbox = ProcessSandbox(_LIMITS, mode="strict")
    examiner = Examiner(TASK, (_rollout(),), sandbox, DEFAULT_CHECKS)

    def attempt(source: str) -> tuple[str, str]:
        report = examiner.examine(RewardProgram(source, TASK.id))
        said = " ".join(str(item) for item in report.findings)
        return ("done" if report.ok else "refused"), said

    return _here(cases, WHOLE, attempt)


def _here(
    cases: Sequence[Hostile], layer: str, attempt: Callable[[str], tuple[str, str]]
) -> list[Row]:
    """Try programs in this process, which holds the secrets and is the host."""
    os.environ[VARIABLE] = SECRET
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(Host(Path(folder))) as host,
    ):
        for case in cases:
            try:
                status, said = attempt(host.fill(case.source))
            except Exception as error:  # this process is what must not be reached
                status, said = "died", f"{type(error).__name__}: {error}"
            effects = host.effects()
            found = judged(case, status, effects, thrown_away=True)
            if SECRET in said:
                found = "leaks"
            rows.append(_row(case, layer, status, effects, found))
    return rows


def _rollout() -> Rollout:
    """An episode along the line; success is beyond 0.9."""
    x = np.linspace(-1.0, 1.0, 64)
    after = {"x": x, "v": np.stack([x, x**2, 1.0 - x], axis=1), "held": x > 0.0}
    before = {name: np.roll(value, 1, axis=0) for name, value in after.items()}
    quiet = np.zeros(len(x), np.bool_)
    reached = x > 0.9  # noqa: PLR2004 - what the cheating programs know
    step = Step(
        before=before,
        action=np.zeros((len(x), 1)),
        after=after,
        sparse=reached.astype(np.float64),
        terminated=quiet,
        truncated=quiet,
        valid=~quiet,
    )
    return Rollout("scripted", 0, step, reached)


def summary(rows: Iterable[Row]) -> list[Row]:
    """Return one row a layer: how many programs came to what.

    Example:
        >>> row = {"layer": "gate", "counts_as": "held"}
        >>> summary([row, row])[0]["held"]
        2
    """
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row["layer"], Counter())[row["counts_as"]] += 1
    return [
        {"layer": layer, **{name: count[name] for name in (*COLUMNS, "held")}}
        for layer, count in found.items()
    ]


def measure(*, quick: bool) -> Row:
    """Return everything that the campaign shows."""
    started = time.monotonic()
    cases = corpus(quick=quick)
    seconds = 0.6 if quick else _SECONDS
    rows = [*ablation(cases, seconds), *worker_rows(cases), *whole_rows(cases)]
    return {
        "programs": len(cases),
        "families": counts(cases, "family"),
        "origins": {
            name: {"programs": count, "from": SOURCES[name]}
            for name, count in counts(cases, "origin").items()
        },
        "sheltered": bool(shelter()),
        "summary": summary(rows),
        "by_family": [
            {"family": family, **item}
            for family in counts(cases, "family")
            for item in summary(row for row in rows if row["family"] == family)
        ],
        "not_held": [
            {
                key: row[key]
                for key in ("layer", "name", "status", "effects", "counts_as")
            }
            for row in rows
            if row["counts_as"] != "held" and row["layer"] in (WHOLE, WORKER)
        ],
        "seconds": round(time.monotonic() - started, 1),
    }


def again(found: Row, layer: str) -> Row:
    """Measure one layer alone anew, and put it in place of what a file has of it."""
    cases = corpus()
    rows = ablation(cases, _SECONDS, [layer])
    (whole,) = summary(rows)
    by_family = {
        family: summary(row for row in rows if row["family"] == family)[0]
        for family in counts(cases, "family")
    }
    return found | {
        "summary": [
            whole if row["layer"] == layer else row for row in found["summary"]
        ],
        "by_family": [
            {"family": row["family"], **by_family[row["family"]]}
            if row["layer"] == layer
            else row
            for row in found["by_family"]
        ],
    }


def main() -> None:
    """Run the campaign and print its table; exit code 1 if anything got through."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="one program of sixteen")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--again", choices=ALONE, help="measure this layer of the file")
    given = parser.parse_args()
    if given.again and given.json:
        found = again(json.loads(given.json.read_text()), given.again)
    else:
        found = measure(quick=given.quick)
    print(f"{found['programs']} programs, {len(found['families'])} families")
    print(f"{'layer':<24}" + "".join(f"{name:>9}" for name in (*COLUMNS, "held")))
    for row in found["summary"]:
        cells = "".join(f"{row[name]:>9}" for name in (*COLUMNS, "held"))
        print(f"{row['layer']:<24}{cells}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    whole = next(row for row in found["summary"] if row["layer"] == WHOLE)
    sys.exit(0 if whole["held"] == found["programs"] else 1)


if __name__ == "__main__":
    main()
