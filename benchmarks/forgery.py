"""Can a training process forge its score?

    python -m reward_synth.benchmarks.forgery --json FILE
    python -m reward_synth.benchmarks.forgery --quick

Trainers that cheat (:mod:`~reward_synth.benchmarks.forgers`) run as candidates' trainings
do. A trial must end with what its weights truly earn, or with a named failure and no
score. What the second process costs is in ``sandbox_cost``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
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


def dense(steps: int) -> TrialSpec:
    """Return the trial that is cheated in."""
    return TrialSpec(
        resolve(TASK.id),
        TASK,
        "dense",
        steps,
        seed=0,
        program=RewardProgram.of(_SPEED, TASK),
        episodes=2,
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


def main() -> None:
    """Print the table and write the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    names = ("forged_files", "hostile_pickle", "dies") if given.quick else EXPECTED
    began = time.monotonic()
    verdicts = list(forge(tuple(names)))
    for item in verdicts:
        print(f"{'held' if item.held else 'BROKEN':6} {item.trainer:16} {item.found}")
    held = sum(item.held for item in verdicts)
    print(f"{held} of {len(verdicts)} held in {time.monotonic() - began:.0f} s")
    if given.json:
        rows = [{**asdict(item), "held": item.held} for item in verdicts]
        command = "python -m reward_synth.benchmarks.forgery"
        if given.quick:
            command += " --quick"
        data = {"command": command, "versions": versions(), "rows": rows}
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
