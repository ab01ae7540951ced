"""Can a training process forge its score? And what does it cost to make sure?

    python -m reward_synth.benchmarks.forgery --json FILE
    python -m reward_synth.benchmarks.forgery --quick

Trainers that cheat (:mod:`~reward_synth.benchmarks.forgers`) run as candidates' trainings
do. A trial must end with what its weights truly earn, or with a named failure and no
score. The cost is processor time of whole trials, those of training and measuring in one
process beside those of a confined process and an evaluator, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from reward_synth.agents import TrialSpec
from reward_synth.agents.trial import run_trial
from reward_synth.api.provenance import versions
from reward_synth.benchmarks import forgers
from reward_synth.engine import Call, LocalEngine
from reward_synth.envs import resolve
from reward_synth.program import RewardProgram
from reward_synth.task import Field, TaskSpec

_LIMIT = 60.0
"""Seconds for the trainers that hang."""
_SCORES = ("success_any", "success_last", "env_return", "length")
TASK = TaskSpec(
    "MountainCarContinuous-v0",
    "Drive up the hill.",
    (Field("position", source="obs[0]"), Field("velocity", source="obs[1]")),
    Field("action", (1,)),
    horizon=999,
).with_success("position >= 0.45")
_SPEED = "def compute_reward(velocity):\n    return {'speed': 10.0 * abs(velocity)}\n"
# What must come of each: the score of the weights that they leave, or a named failure.
EXPECTED = {
    "forged_files": "score of the weights",
    "forged_messages": "score of the weights",
    "breaks_out": "score of the weights",
    "hostile_pickle": "WeightsError",
    "not_finite": "WeightsError",
    "wrong_shapes": "WeightsError",
    "huge_header": "WeightsError",
    "link_out": "TrainingError",
    "nothing": "TrainingError",
    "flood": "TrainingError",
    "raises": "TrainingError",
    "dies": "TrainingError",
    "hangs": "timeout",
}


def dense(steps: int, seed: int = 0, episodes: int = 2) -> TrialSpec:
    """Return the trial that is cheated in, and that is timed."""
    return TrialSpec(
        resolve(TASK.id),
        TASK,
        "dense",
        steps,
        seed,
        program=RewardProgram.of(_SPEED, TASK),
        episodes=episodes,
        evaluations=2,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one trainer that cheats."""

    trainer: str
    tries: str
    expected: str
    found: str
    error: str

    @property
    def held(self) -> bool:
        """Whether it came as it must."""
        return self.found == self.expected


def forge(names: Sequence[str]) -> Iterator[Verdict]:
    """Yield what came of each trainer, in processes of their own."""
    spec = dense(300)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        honest = run_trial(spec, str(place / "honest"), forgers.untrained)
        for name in names:
            train = getattr(forgers, name)
            limit = 12.0 if name == "hangs" else _LIMIT * 10
            call = Call(name, run_trial, (spec, str(place / name), train), limit)
            (result,) = LocalEngine(1).run([call])
            found: str = result.status
            error = result.error
            if result.status == "ok":
                same = _score(result.value) == _score(honest)
                found = "score of the weights" if same else "FORGED"
            elif result.status == "failed":
                found = error.split(":")[0]
            if list(place.rglob(forgers.RAN)):
                found = "UNPICKLED"
            tries = (train.__doc__ or "").split("\n")[0]
            yield Verdict(name, tries, EXPECTED[name], found, error)


def _score(result: dict[str, Any]) -> list[Any]:
    rows = [result, result["selection"], *result["curve"]]
    return [[row[name] for name in _SCORES] for row in rows]


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of whole trials."""

    steps: int
    together: float
    """Trained and measured in one process; median."""
    apart: float
    """In a confined process and an evaluator; median."""

    @property
    def added(self) -> float:
        """Return the share of time that is added.

        Example:
            >>> round(Cost(1000, 50.0, 51.0).added, 3)
            0.02
        """
        return self.apart / self.together - 1.0


def cost(steps: int, repeats: int) -> Cost:
    """Measure both ways in turn; each trial in a fresh process."""
    taken: dict[str, list[float]] = {"together": [], "apart": []}
    ways: dict[str, Callable[..., float]] = {"together": together, "apart": apart}
    for seed in range(repeats):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                call = Call(name, way, (dense(steps, seed, 5), folder))
                (result,) = LocalEngine(1).run([call])
            if result.status != "ok":
                raise RuntimeError(f"{name}: {result.error}")
            taken[name].append(result.value)
    return Cost(steps, median(taken["together"]), median(taken["apart"]))


def together(spec: TrialSpec, folder: str) -> float:
    """Train and measure here; return this process's seconds."""
    from reward_synth.agents import sb3
    from reward_synth.agents.evaluate import evaluate
    from reward_synth.agents.schedule import FINAL, weights_file
    from reward_synth.agents.weights import read_weights

    place = Path(folder)
    (place / "weights").mkdir()
    sb3.train(spec, place, lambda _: None)
    env = spec.build_for_measurement()
    policy = sb3.make_policy(spec, env)
    opened = os.open(place / "weights", os.O_RDONLY)
    steps: list[int | str] = [*sb3.evaluation_points(spec, env), FINAL]
    for step in steps:
        weights = read_weights(opened, weights_file(step), policy.state_dict())
        policy.load_state_dict(weights)
        evaluate(policy, env, range(spec.episodes))
    return _spent()


def apart(spec: TrialSpec, folder: str) -> float:
    """Train in a confined process; return the seconds of both."""
    run_trial(spec, str(Path(folder) / "trial"))
    return _spent()


def _spent() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(item.ru_utime + item.ru_stime for item in used)


def main() -> None:
    """Print both tables and write the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--steps", type=int, default=20_000, help="of a timed trial")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    names = ("forged_files", "hostile_pickle", "dies") if given.quick else EXPECTED
    began = time.monotonic()
    verdicts = list(forge(tuple(names)))
    for item in verdicts:
        print(f"{'held' if item.held else 'BROKEN':6} {item.trainer:16} {item.found}")
    held = sum(item.held for item in verdicts)
    print(f"{held} of {len(verdicts)} held in {time.monotonic() - began:.0f} s")
    steps, repeats = (300, 1) if given.quick else (given.steps, given.repeats)
    spent = cost(steps, repeats)
    print(
        f"{spent.steps} steps of SAC: {spent.together:.1f} s of processor in one "
        f"process, {spent.apart:.1f} s apart: {spent.added:+.1%}"
    )
    if given.json:
        rows = [{**asdict(item), "held": item.held} for item in verdicts]
        told = {**asdict(spent), "added": spent.added}
        command = (
            "python -m reward_synth.benchmarks.forgery"
            f"{' --quick' if given.quick else ''} --steps {steps} --repeats {repeats}"
        )
        data = {"command": command, "versions": versions(), "cost": told, "rows": rows}
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
