r"""How many environment steps a search spends until it has a good reward.

Two parts. ``train`` makes a pool once for each task: programs of the symbolic proposer
that pass the checks, each trained with several seeds, all evaluations kept. It may be
killed and goes on with the same command, over as many nights as it takes; seeds are
trained one after the other, so that what is there can be replayed. ``replay`` lets the
default method, its ladder (``halving``) and a loop in the shape of Eureka's (16 programs
in each of 5 rounds, every one trained in full) search on that pool, each with many seeds
of the search, and counts environment steps until the choice is as good as it was fixed
beforehand, on seeds of trainings that chose nothing. A step of the ladder is read from the
beginning of a full training. The sparse arm, which every method trains once beside its
result, is not counted.

    OMP_NUM_THREADS=1 python -m reward_synth.benchmarks.search_cost train mountaincar \
        --pool runs/pool-mountaincar
    python -m reward_synth.benchmarks.search_cost replay --pool runs/pool-mountaincar \
        --json benchmarks/results/search_cost.json
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reward_synth.agents import TrialSpec
from reward_synth.agents.training import TrialProgress, train_all
from reward_synth.api import GenerateConfig, TrainConfig, generate
from reward_synth.api.config import EnvConfig
from reward_synth.api.measure import trial_specs
from reward_synth.api.prepare import prepare
from reward_synth.api.provenance import machine, record_start, versions
from reward_synth.benchmarks.search_replay import (
    Candidate,
    Pool,
    Replay,
    median_interval,
)
from reward_synth.engine import LocalEngine
from reward_synth.search import Method, Outcome, Rung, load_method
from reward_synth.search.screening import alike
from reward_synth.store import RunStore

_FILE = "pool.json"
_EVALUATIONS = 8
"""Of a training: shares of a ladder are read there."""
_TARGET = 0.8
_SEARCHES = 200
_MOST = 400
"""Full trainings after which a search is given up."""


@dataclass(frozen=True, slots=True)
class Study:
    """One pool."""

    env: str
    steps: int
    """Of a full training."""
    proposed: int = 72
    """Programs, of which those without errors are trained."""
    candidates: int = 48
    seeds: int = 3
    episodes: int = 20
    env_kwargs: tuple[tuple[str, Any], ...] = ()


STUDIES = {
    "mountaincar": Study("MountainCarContinuous-v0", 20_000),
    "fetchreach": Study("FetchReach-v4", 20_000),
    "handle-press": Study("MetaWorld/handle-press-v3", 100_000),
    "drawer-close": Study("MetaWorld/drawer-close-v3", 100_000),
}
QUICK = Study(
    *("MountainCarContinuous-v0", 120, 4, 2, 2, 1),
    env_kwargs=(("max_episode_steps", 20),),
)


def eureka_shaped() -> Method:
    """Return the loop of Eureka: every program trained in full.

    Example:
        >>> method = eureka_shaped()
        >>> method.samples * method.rounds
        80
    """
    whole = Rung(16)
    return replace(load_method("eureka"), each_round=(whole,), final=(Rung(1),))


METHODS = {
    "default": lambda: load_method("default"),
    "halving": lambda: load_method("halving"),
    "eureka-shaped": eureka_shaped,
}


def train(study: Study, folder: Path, jobs: int) -> Pool:
    """Make a pool, or go on with it; return what is trained with every seed."""
    env = EnvConfig(study.env, dict(study.env_kwargs))
    config = GenerateConfig(
        env, method=load_method("symbolic"), candidates=study.proposed
    )
    found = [x for x in generate(config, folder / "search").outcomes if x.usable]
    chosen = sorted(found, key=lambda item: item.program.digest)[: study.candidates]
    if len(chosen) < study.candidates:
        print(f"Only {len(chosen)} programs of {study.proposed} can be used.")
    with RunStore.open(folder, {"search-cost": asdict(study)}) as store:
        record_start(store)
        specs = _specs(study, env, folder / "search", chosen)
        trained = train_all(specs, store, LocalEngine(jobs), watch=_tell)
    curves: dict[str, dict[int, tuple[tuple[int, float], ...]]] = {}
    for item in trained:
        if item.status == "ok" and item.spec.program is not None:
            name = item.spec.program.digest
            curves.setdefault(name, {})[item.spec.seed] = _curve(item.result)
    whole = [x for x in chosen if len(curves.get(x.program.digest, {})) == study.seeds]
    pool = Pool(study.env, tuple(_candidate(x, whole, curves) for x in whole))
    pool.save(folder / _FILE)
    return pool


def _specs(
    study: Study, env: EnvConfig, place: Path, chosen: Sequence[Outcome]
) -> list[TrialSpec]:
    specs = trial_specs(
        prepare(env, place),
        [item.program for item in chosen],
        TrainConfig(study.steps, episodes=study.episodes),
        seed=0,
        seeds=study.seeds,
        combine="add",
        weight=1.0,
    )
    dense = [item for item in specs if item.arm == "dense"]
    return [replace(item, evaluations=_EVALUATIONS) for item in dense]


def _tell(rows: list[TrialProgress]) -> None:
    """Say nothing: trainings take nights, and their folders tell how far they are."""


def _curve(result: dict[str, Any]) -> tuple[tuple[int, float], ...]:
    """Return evaluations; the final one is that which candidates are chosen by."""
    points = [(point["step"], point["success_any"]) for point in result["curve"]]
    return (*points[:-1], (points[-1][0], result["selection"]["success_any"]))


def _candidate(item: Outcome, others: Sequence[Outcome], curves: Any) -> Candidate:
    screen = item.screen
    same = [
        other.program.digest
        for other in others
        if other is not item
        and screen is not None
        and other.screen is not None
        and alike(screen, other.screen)
    ]
    name = item.program.digest
    score = float("-inf") if screen is None else screen.score
    return Candidate(name, score, curves[name], frozenset(same))


def replay(pool: Pool, target: float, searches: int, seed: int) -> dict[str, Any]:
    """Return steps until the target, of every method, and their ratios."""
    full = max(curve[-1][0] for x in pool.candidates for curve in x.curves.values())
    seeds = range(seed, seed + searches)
    steps = {
        name: [Replay(pool, make(), target, _MOST * full).steps(n) for n in seeds]
        for name, make in METHODS.items()
    }
    base = steps["eureka-shaped"]
    return {
        "task": pool.task,
        "candidates": len(pool.candidates),
        "good candidates": sum(x.fresh(()) >= target for x in pool.candidates),
        "target": target,
        "searches": searches,
        "steps of a training": full,
        "methods": {name: _told(found, full) for name, found in steps.items()},
        "share of the Eureka-shaped loop": {
            name: _interval([_ratio(a, b) for a, b in zip(found, base, strict=True)])
            for name, found in steps.items()
            if name != "eureka-shaped"
        },
    }


def _ratio(one: float, other: float) -> float:
    if math.isinf(one) and math.isinf(other):
        return 1.0
    return one / other


def _told(steps: Sequence[float], full: int) -> dict[str, Any]:
    return {
        "steps": _interval(steps),
        "full trainings": _interval([value / full for value in steps]),
        "never reached": sum(math.isinf(value) for value in steps),
    }


def _interval(values: Sequence[float]) -> dict[str, float | None]:
    """Return median and interval; None stands for never."""
    found = zip(("median", "low", "high"), median_interval(values), strict=True)
    return {name: None if math.isinf(value) else value for name, value in found}


def main(given: Sequence[str] | None = None) -> None:
    """Train a pool, or replay searches on pools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=["train", "replay"])
    parser.add_argument("study", nargs="?", choices=sorted(STUDIES))
    parser.add_argument("--pool", type=Path, action="append", help="Its folder.")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--target", type=float, default=_TARGET)
    parser.add_argument("--searches", type=int, default=_SEARCHES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="A tiny pool.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(given)
    if options.quick:
        with tempfile.TemporaryDirectory() as place:
            pools = [train(QUICK, Path(place), options.jobs)]
    elif options.part == "train" and options.study and len(options.pool or ()) == 1:
        train(STUDIES[options.study], options.pool[0], options.jobs)
        return
    elif options.part == "replay" and options.pool:
        pools = [Pool.load(place / _FILE) for place in options.pool]
    else:
        parser.error("Give `train STUDY --pool DIR`, `replay --pool DIR` or --quick.")
    found = [replay(x, options.target, options.searches, options.seed) for x in pools]
    text = json.dumps({"results": found, "versions": versions(), "machine": machine()})
    print(json.dumps(found, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(json.loads(text), indent=1) + "\n")


if __name__ == "__main__":
    main()
