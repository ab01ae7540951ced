"""Fills the zoo: programs whose trainings are committed, with what was measured.

    python -m reward_synth.benchmarks.zoo

A program is taken from a suite's or a study's file in ``benchmarks/results`` if it was
chosen there, without a language model, was trained with at least three seeds, and did
better than success alone by five points. The description of its task is made anew, so the task's simulator must be installed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_synth.envs import resolve
from reward_synth.program import Provenance, RewardProgram

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ENTRIES = ROOT / "reward_synth" / "zoo" / "entries"
_LEAST_SEEDS = 3
_CLEARLY = 0.05
_OURS, _GIVEN = "symbolic", ("sparse", "expert")


@dataclass(frozen=True, slots=True)
class Found:
    """One program and its trainings, as a file of results tells them."""

    task: str
    source: str
    steps: int
    arms: Mapping[str, tuple[float, ...]]
    results: str
    command: str

    @property
    def name(self) -> str:
        """Return the entry's name: the task's, as a folder can be called.

        Example:
            >>> Found("ManiSkill/PullCube-v1", "", 0, {}, "", "").name
            'maniskill-pullcube-v1'
        """
        return re.sub(r"[^a-z0-9.]+", "-", self.task.lower()).strip("-")

    @property
    def helps(self) -> bool:
        """Whether its mean success is clearly above that of success alone."""
        means = [sum(self.arms[x]) / len(self.arms[x]) for x in ("program", "sparse")]
        return means[0] - means[1] >= _CLEARLY

    def measured(self) -> dict[str, Any]:
        """Return the entry's ``measured.json``."""
        return {
            "arms": {name: list(rates) for name, rates in self.arms.items()},
            "steps": self.steps,
            "results": self.results,
            "command": self.command,
        }


def found_programs() -> dict[str, Found]:
    """Return what the committed files hold, by name; more seeds count more."""
    best: dict[str, Found] = {}
    for item in _all():
        seeds = len(item.arms["program"])
        known = best.get(item.name)
        fewer = known is not None and len(known.arms["program"]) >= seeds
        if seeds >= _LEAST_SEEDS and not fewer and item.helps:
            best[item.name] = item
    return dict(sorted(best.items()))


def _all() -> Iterator[Found]:
    for path in sorted(RESULTS.glob("bench_*.json")):
        yield from _of_suite(path)
    for path in sorted(RESULTS.glob("training_*.json")):
        yield from _of_study(path)


def _of_suite(path: Path) -> Iterator[Found]:
    run = json.loads(path.read_text())["run"]
    sources = {
        (item["task"], item["design"]): item["source"] for item in run["programs"]
    }
    for task in run["tasks"]:
        source = sources.get((task["name"], _OURS))
        if source is None:
            continue
        rows = [
            (item["design"], item["curve"][-1]["success_any"])
            for item in run["trials"]
            if item["task"] == task["name"]
        ]
        arms = _arms(rows, _OURS)
        yield _found(task["name"], source, task["steps"], arms, path, run["command"])


def _of_study(path: Path) -> Iterator[Found]:
    data = json.loads(path.read_text())
    chosen = {
        row["program"]: row for row in data["rows"] if row["chosen"] and row["source"]
    }
    for digest, row in chosen.items():
        rows = [
            (item["arm"], item["success_any"])
            for item in data["rows"]
            if item["arm"] != "dense" or item["program"] == digest
        ]
        arms = _arms(rows, "dense")
        yield _found(
            row["env"], row["source"], row["steps"], arms, path, data["command"]
        )


def _arms(rows: Iterable[tuple[str, float]], ours: str) -> dict[str, tuple[float, ...]]:
    arms: dict[str, list[float]] = {}
    for name, rate in rows:
        if name == ours or name in _GIVEN:
            arms.setdefault("program" if name == ours else name, []).append(rate)
    return {name: tuple(rates) for name, rates in arms.items()}


def _found(
    task: str,
    source: str,
    steps: int,
    arms: Mapping[str, tuple[float, ...]],
    path: Path,
    command: str,
) -> Found:
    place = path.relative_to(ROOT).as_posix()
    return Found(task, source, steps, arms, place, command)


def fill(entries: Path = ENTRIES) -> None:
    """Write every entry: the program, its task, and what was measured."""
    for name, item in found_programs().items():
        folder = entries / name
        folder.mkdir(parents=True, exist_ok=True)
        task = resolve(item.task).describe(seed=0)
        task.save(folder / "task.json")
        origin = Provenance("symbolic", seed=0)
        RewardProgram.of(item.source, task, origin).save(folder / "reward.py")
        text = json.dumps(item.measured(), indent=1)
        (folder / "measured.json").write_text(text + "\n")


if __name__ == "__main__":
    fill()
