"""What do learners make of bad rewards, with the wrapper's guard and without it?

    python -m reward_synth.benchmarks.bad_rewards --json FILE
    python -m reward_synth.benchmarks.bad_rewards --quick

Every learner is trained with a reward function that is bad at one moment: at the first
step, at one in the middle, at the last, or at all. A row tells whether its weights (and
VecNormalize's statistics) are finite at the end, and what the record says. ``unguarded``
adds the same function's value to the environment's reward, as a simple wrapper does.
A function that hangs can be stopped only from outside: its trial runs into its limit.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reward_synth.agents import TrialSpec
from reward_synth.agents.trial import run_trial
from reward_synth.api.provenance import versions
from reward_synth.benchmarks.bad_learners import (
    FAULTS,
    LEARNERS,
    MOMENTS,
    PENDULUM,
    STEPS,
    BadReward,
    make_learner,
)
from reward_synth.engine import Call, Engine, LocalEngine
from reward_synth.envs import resolve
from reward_synth.errors import RewardFaultError
from reward_synth.wrappers import DenseReward
from reward_synth.wrappers.bonus import VectorBonusReward

_HANG_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Row:
    """One training."""

    learner: str
    fault: str
    moment: str
    guarded: bool
    finite: bool
    """Whether all weights and statistics are finite at the end."""
    ended: str
    """``whole``, or the name of the exception that ended the training."""
    steps: int
    faults: int
    """Bad values that the function gave."""
    counted: int
    """Of them in the guard's record; 0 without a guard."""
    said: str
    """The first fault, as the record has it, or the exception's text."""


def train(learner: str, fault: str, moment: str, guarded: bool, seed: int) -> Row:
    """Train once and look at what is left."""
    reward = BadReward(fault, moment)
    model = make_learner(learner, reward, guarded, seed)
    ended, said = "whole", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.learn(STEPS)
    except (RewardFaultError, ValueError, ArithmeticError) as cause:
        ended, said = type(cause).__name__, " ".join(str(cause).split())[:300]
    record: Mapping[str, Any] = {"faults": 0, "first": ""}
    if guarded:
        record = _record(model.get_env())
    return Row(
        learner, fault, moment, guarded, finite(model), ended, model.num_timesteps,
        reward.faults, record["faults"], said or record["first"],
    )  # fmt: skip


def _record(venv: Any) -> Mapping[str, Any]:
    while venv is not None:
        if isinstance(venv, VectorBonusReward):
            return venv.faults.record()
        if hasattr(venv, "rewards"):  # a VecDenseReward
            told: Mapping[str, Any] = venv.rewards.faults.record()
            return told
        inner = getattr(venv, "envs", None)
        if inner:
            env = inner[0]
            while not isinstance(env, DenseReward):
                env = env.env
            return env.faults.record()
        venv = getattr(venv, "venv", None)
    raise LookupError("There is no dense reward in this environment.")


def finite(model: Any) -> bool:
    """Tell whether every number is finite that a learner keeps."""
    import numpy as np
    import torch
    from stable_baselines3.common.vec_env import VecNormalize

    numbers = list(model.policy.state_dict().values())
    if getattr(model, "log_ent_coef", None) is not None:
        numbers.append(model.log_ent_coef)
    weights = all(bool(torch.isfinite(value).all()) for value in numbers)
    venv = model.get_env()
    if not isinstance(venv, VecNormalize):
        return weights
    kept: Any = venv.obs_rms
    kept = (venv.ret_rms.mean, venv.ret_rms.var, kept.mean, kept.var)
    return weights and all(bool(np.isfinite(value).all()) for value in kept)


def measure(
    learners: Sequence[str],
    faults: Sequence[str],
    moments: Sequence[str],
    seed: int,
    engine: Engine,
) -> list[Row]:
    """Return a row for each learner, fault and moment, guarded and not."""
    calls = [Call(name, rows_of, (name, faults, moments, seed)) for name in learners]
    found: dict[str, list[Row]] = {}
    for result in engine.run(calls):
        if result.status != "ok":
            raise RuntimeError(f"{result.key}: {result.error}")
        found[result.key] = result.value
    return [row for name in learners for row in found[name]]


def rows_of(
    learner: str, faults: Sequence[str], moments: Sequence[str], seed: int
) -> list[Row]:
    """Return one learner's rows; called in a process of its own."""
    import torch

    torch.set_num_threads(1)
    return [
        train(learner, fault, moment, guarded, seed)
        for fault in faults
        for moment in moments
        for guarded in (True, False)
    ]


def _hangs(spec: TrialSpec, folder: Path, tell: Any) -> None:
    del spec, folder, tell
    while True:
        time.sleep(1.0)


def hang(seconds: float = _HANG_SECONDS) -> dict[str, Any]:
    """Return what becomes of a trial whose reward never answers."""
    spec = TrialSpec(resolve("Pendulum-v1"), PENDULUM, "sparse", 100, 0, episodes=1)
    with tempfile.TemporaryDirectory() as folder:
        call = Call("hang", run_trial, (spec, f"{folder}/trial", _hangs), seconds)
        (result,) = LocalEngine(1).run([call])
    return {"status": result.status, "error": result.error, "limit": seconds}


def shares(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return each learner's share of trainings that end with finite weights."""
    kept: dict[str, dict[str, list[bool]]] = {}
    for row in rows:
        kind = "guarded" if row.guarded else "unguarded"
        kept.setdefault(row.learner, {}).setdefault(kind, []).append(row.finite)
    return {
        name: {kind: sum(found) / len(found) for kind, found in kinds.items()}
        for name, kinds in kept.items()
    }


def table(rows: Sequence[Row]) -> str:
    """Return one line a learner: shares of trainings that end with finite weights."""
    lines = ["| learner | guarded | unguarded |", "|---|---|---|"]
    for name, found in shares(rows).items():
        lines.append(f"| {name} | {found['guarded']:.0%} | {found['unguarded']:.0%} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table and write the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="learners at once")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    faults = ("nan", "1e300") if given.quick else tuple(FAULTS)
    moments = ("middle",) if given.quick else tuple(MOMENTS)
    rows = measure(LEARNERS, faults, moments, given.seed, LocalEngine(given.jobs))
    stuck = hang()
    print(table(rows))
    uncounted = [row for row in rows if row.guarded and row.counted != row.faults]
    print(
        f"bad values that the record lacks: {len(uncounted)} of {len(rows)} trainings"
    )
    print(f"a reward that hangs: {stuck['status']}, {stuck['error']}")
    if given.json:
        quick = " --quick" if given.quick else ""
        command = (
            f"python -m reward_synth.benchmarks.bad_rewards{quick} --seed {given.seed}"
        )
        data = {
            "command": command,
            "versions": versions(),
            "finite": shares(rows),
            "hang": stuck,
            "rows": [asdict(row) for row in rows],
        }
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
