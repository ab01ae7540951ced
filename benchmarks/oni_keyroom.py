"""Do labels solve KeyRoom-S5, and what breaks them?

    python -m reward_synth.benchmarks.oni_keyroom [--quick] [--json FILE] [--seeds N]
        [--steps N] [--jobs N] [--env ENV] [--only ARM ...]

Trains our PPO on MiniHack-KeyRoom-S5 with each arm and seed. Labels are those of one rule
from knowledge of the game. Told is the share of episodes with success in the last fifth of
the steps, with Student's interval over seeds, the mean over the whole training, and the
chance that a run of the arm beats one without labels (Newcombe's interval).

The whole study is five seeds of 150,000 steps; --quick has two seeds of 2,048 steps and
six arms, and shows that all of it works, not what is better. Trainings that FILE holds
are not repeated: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.agents.intrinsic_run import IntrinsicConfig, Training
from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation import AnnotationService, Label
from reward_synth.intrinsic.annotation.label import PENDING
from reward_synth.statistics import Interval, mean_interval, probability_of_improvement

ENV = "MiniHack-KeyRoom-S5-v0"
PLAIN = "no labels"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arm:
    """What a training is paid beside the environment."""

    settings: Mapping[str, Any]
    """Of :class:`IntrinsicConfig`."""
    late: float = 0.0
    """Share of all steps by which labels come late."""
    flipped: float = 0.0
    """Share of captions whose label is turned round."""


def _bonus(name: str, weight: float = 0.1) -> Arm:
    return Arm({"model": "none", "bonuses": (name,), "bonus_weight": weight})


ARMS: Mapping[str, Arm] = {
    "labels": Arm({}),
    PLAIN: Arm({"model": "none"}),
    "no episodic decay": Arm({"power": 0.0}),
    "labels late by a third": Arm({}, late=1 / 3),
    "a quarter flipped": Arm({}, flipped=0.25),
    "product": _bonus("product", 1.0),
    "classification": Arm({"model": "oni-classification"}),
    "ranking": Arm({"model": "oni-ranking"}),
    "count": _bonus("count"),
    "rnd": _bonus("rnd"),
    "e3b": _bonus("e3b"),
}
QUICK = tuple(ARMS)[:6]
Trial = tuple[str, int]
"""Arm and seed."""


@dataclass(frozen=True, slots=True)
class Study:
    """What every training of a study has in common."""

    env: str = ENV
    steps: int = 150_000


class Through:
    """A service whose labels come late, or turned round.

    Args:
        service: The service.
        late: Steps from a caption's first submission until its label is shown.
        flipped: Share of captions whose label is turned round, by their hash and the seed.
        seed: See above.
    """

    def __init__(
        self, service: AnnotationService, late: float, flipped: float, seed: int
    ) -> None:
        self.service = service
        self.annotator = service.annotator
        self.late = late
        self.flipped = flipped
        self.seed = seed
        self._steps = 0
        self._first: dict[str, int] = {}

    def submit(self, captions: Sequence[str], /) -> None:
        """Take captions, one a step."""
        for text in captions:
            self._first.setdefault(text, self._steps)
            self._steps += 1
        self.service.submit(captions)

    def get(self, captions: Sequence[str], /) -> list[Label]:
        """Return what the learner may know of each."""
        found = self.service.get(captions)
        pairs = zip(captions, found, strict=True)
        return [self._changed(text, label) for text, label in pairs]

    def publish(self) -> int:
        """Show labels, of which some wait on."""
        return self.service.publish()

    def check(self) -> None:
        """See whether the annotator lives."""
        self.service.check()

    def _changed(self, text: str, label: Label) -> Label:
        if self._steps - self._first.get(text, self._steps) < self.late:
            return PENDING
        if label.value is None or chance(text, self.seed) >= self.flipped:
            return label
        return Label(label.status, "flipped", 1.0 - label.value, "flipped")


def chance(text: str, seed: int) -> float:
    """Return a number from 0 to 1 that a text and a seed decide.

    Example:
        >>> chance("a key", 0) == chance("a key", 0) != chance("a key", 1)
        True
    """
    told = blake2b(f"{seed} {text}".encode(), digest_size=8).digest()
    return int.from_bytes(told, "little") / 2**64


def train(env: str, name: str, seed: int, steps: int) -> Row:
    """Train one arm with one seed; return its row."""
    arm = ARMS[name]
    config = IntrinsicConfig(env=env, steps=steps, seed=seed, **arm.settings)
    through: Callable[[AnnotationService], Any] | None = None
    if arm.late or arm.flipped:

        def through(service: AnnotationService) -> Through:
            return Through(service, arm.late * steps, arm.flipped, seed)

    with tempfile.TemporaryDirectory() as folder:
        found = Training(config, Path(folder), through).run()
    parts = [x["success"] for x in found["curve"] if x["success"] is not None]
    return {
        "arm": name,
        "seed": seed,
        "steps": found["steps"],
        "seconds": found["seconds"],
        "last_fifth": found["success_last_fifth"]
        or 0.0,  # no episode ended: none succeeded
        "whole": float(np.mean(parts)) if parts else 0.0,
        "curve": [point["success"] for point in found["curve"]],
        "captions": (found["labels"] or {}).get("known"),
        "farming": found["farming"]["suspected"],
    }


def measure(todo: Sequence[Trial], study: Study, jobs: int = 1) -> Iterator[Row]:
    """Yield the row of each training as it ends."""
    work = [(study.env, name, seed, study.steps) for name, seed in todo]
    if jobs == 1:
        yield from (train(*one) for one in work)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        waiting: list[Future[Row]] = [pool.submit(train, *one) for one in work]
        yield from (one.result() for one in as_completed(waiting))


def earlier(path: Path | None, study: Study) -> list[Row]:
    """Return the rows that a file holds; rows of another study are refused."""
    if path is None or not path.exists():
        return []
    data = json.loads(path.read_text())
    held = data.get("env"), data.get("steps")
    if held != (study.env, study.steps):
        raise UsageError(
            f"{path} holds a study of {held[0]} with {held[1]} steps; this one is of "
            f"{study.env} with {study.steps}. Give another file with --json."
        )
    rows: list[Row] = data["rows"]
    return rows


def summary(rows: Sequence[Row]) -> list[Row]:
    """Return what is told of each arm, arms in the order of the table above."""
    rng = np.random.default_rng(0)
    found = []
    last = {n: [row["last_fifth"] for row in rows if row["arm"] == n] for n in ARMS}
    for name in (name for name in ARMS if last[name]):
        whole = [row["whole"] for row in rows if row["arm"] == name]
        better = None
        if last[PLAIN] and name != PLAIN:
            pair = {ENV: last[name]}, {ENV: last[PLAIN]}
            better = asdict(probability_of_improvement(*pair, rng))
        found.append(
            {
                "arm": name,
                "runs": len(whole),
                "solved": sum(value >= 0.8 for value in last[name]),  # noqa: PLR2004
                "last_fifth": asdict(mean_interval(last[name], bounds=(0, 1))),
                "whole": float(np.mean(whole)),
                "better_than_none": better,
            }
        )
    return found


def table(told: Sequence[Row]) -> list[str]:
    """Return the summary as lines of a table."""
    lines = [
        "| arm | success, last fifth | runs with 0.8 | whole | beats no labels |",
        "|---|---|---|---|---|",
    ]
    for row in told:
        better = row["better_than_none"]
        lines.append(
            f"| {row['arm']} | {_shown(row['last_fifth'])} | {row['solved']}/{row['runs']} "
            f"| {row['whole']:.2f} | {_shown(better) if better else ''} |"
        )
    return lines


def _shown(given: Mapping[str, float]) -> str:
    interval = Interval(**given)
    if not interval.known:
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=150_000)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once")
    parser.add_argument("--env", default=ENV, help="a task of MiniHack or NetHack")
    parser.add_argument("--only", nargs="+", choices=tuple(ARMS), metavar="ARM")
    return parser.parse_args()


def main() -> None:
    """Train, print the table, and write it."""
    given = _arguments()
    names = given.only or (QUICK if given.quick else tuple(ARMS))
    seeds, steps = (2, 2048) if given.quick else (given.seeds, given.steps)
    study = Study(given.env, steps)
    try:
        rows = earlier(given.json, study)
    except UsageError as error:
        raise SystemExit(str(error)) from None
    done = {(row["arm"], row["seed"]) for row in rows}
    every = [(name, seed) for seed in range(seeds) for name in names]
    for row in measure([x for x in every if x not in done], study, given.jobs):
        rows.append(row)
        rate = row["steps"] / row["seconds"]
        said = f"{row['arm']}, seed {row['seed']}: {row['last_fifth']:.2f}"
        print(f"{said} ({rate:.0f} steps/s)", flush=True)
        if given.json:
            _write(given.json, rows, study)
    print(*table(summary(rows)), sep="\n")


def _write(path: Path, rows: Sequence[Row], study: Study) -> None:
    order = list(ARMS)
    rows = sorted(rows, key=lambda row: (order.index(row["arm"]), row["seed"]))
    data = {
        "command": f"python -m reward_synth.benchmarks.oni_keyroom --env {study.env}",
        "env": study.env,
        "steps": study.steps,
        "versions": {n: version(n) for n in ("nle", "minihack", "torch", "numpy")},
        "summary": summary(rows),
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(data, indent=1) + "\n")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
