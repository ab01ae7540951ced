"""Does a generated reward train where the sparse one does not?

    python -m reward_synth.benchmarks.training mountaincar --json FILE
    python -m reward_synth.benchmarks.training pullcube --json FILE

Each study calls ``generate`` as a user does, without a language model, for several
seeds, and writes every training: the sparse arm's, each trained candidate's, and where
the environment has a dense reward of its own, that arm's too. What was chosen was chosen
on other episodes than those that are reported.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_synth.api import GenerateConfig, TrainConfig, generate
from reward_synth.api.config import EnvConfig
from reward_synth.api.provenance import versions
from reward_synth.api.result import Generated, Watcher

_QUICK_STEPS = 400


@dataclass(frozen=True, slots=True)
class Study:
    """One environment and how long is trained on it."""

    env: str
    steps: int
    searches: tuple[int, ...]
    """Seeds of ``generate``."""
    top: int
    """Candidates that each search trains."""
    seeds: int
    """Trainings of each arm in a search."""
    expert: bool
    """Also train with the environment's own dense reward."""


STUDIES = {
    "mountaincar": Study(
        "MountainCarContinuous-v0", 30_000, (0, 1, 2, 3, 4), 2, 1, expert=False
    ),
    "pullcube": Study("ManiSkill/PullCube-v1", 30_000, (0,), 1, 3, expert=True),
    "pushcube": Study("ManiSkill/PushCube-v1", 30_000, (0,), 1, 1, expert=True),
}


def run_study(study: Study, folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Run every search of a study; one row a training.

    Args:
        study: What to run.
        folder: Keeps the runs, so that a broken-off study goes on.
        quick: Few steps and one search: shows that it works, measures nothing.
    """
    rows: list[dict[str, Any]] = []
    for search in study.searches[:1] if quick else study.searches:
        training = TrainConfig(
            _QUICK_STEPS if quick else study.steps,
            top=1 if quick else study.top,
            seeds=1 if quick else study.seeds,
            episodes=2 if quick else 20,
            expert=study.expert and not quick,
        )
        config = GenerateConfig(EnvConfig(study.env, seed=search), training=training)
        name = study.env.replace("/", "-")
        result = generate(config, folder / f"{name}-{search}", Watcher(print))
        rows += _rows(result, search)
    return rows


def _rows(result: Generated, search: int) -> Iterable[dict[str, Any]]:
    best = result.best
    for item in result.trained:
        program = item.spec.program
        chosen = best is not None and program == best.program
        yield {
            "env": item.spec.env.name,
            "search_seed": search,
            "arm": item.spec.arm,
            "program": program.digest if program else None,
            "source": program.source if program else None,
            "chosen": chosen,
            "seed": item.spec.seed,
            "steps": item.spec.steps,
            "episodes": item.spec.episodes,
            "status": item.status,
            "error": item.error,
            **item.result,
        }


def table(rows: Iterable[dict[str, Any]]) -> str:
    """Return one line a training."""
    lines = [
        "| environment | search | arm | chosen | seed | success | at the end | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        start = f"| {row['env']} | {row['search_seed']} | {row['arm']} "
        start += f"| {'yes' if row['chosen'] else ''} | {row['seed']} |"
        if row["status"] != "ok":
            lines.append(f"{start} {row['status']} | | |")
            continue
        lines.append(
            f"{start} {row['success_any']:.0%} | {row['success_last']:.0%} "
            f"| {row['seconds']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run a study and write its rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("study", choices=STUDIES, nargs="?", default="mountaincar")
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"))
    given = parser.parse_args()
    folder = given.runs / ("quick" if given.quick else "full")
    rows = run_study(STUDIES[given.study], folder, quick=given.quick)
    print(table(rows))
    if given.json:
        command = f"python -m reward_synth.benchmarks.training {given.study}"
        data = {"command": command, "versions": versions(), "rows": rows}
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
