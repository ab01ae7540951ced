"""``reward_synth train``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from pathlib import Path

    from reward_synth.agents.training import Trained


def train(
    env: o.Env,
    reward: Annotated[
        str, typer.Option("--reward", "-r", help="A reward program (.py).")
    ],
    train_steps: Annotated[
        int,
        typer.Option(
            "--train-steps",
            help="Environment steps of each training.",
            max=o.MOST_STEPS,
        ),
    ] = 30_000,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings of each arm.")] = 1,
    env_kwargs: o.EnvKwargs = None,
    success: o.Success = None,
    task_spec: o.TaskSpecFile = None,
    allow_info: o.AllowInfo = None,
    combine: o.CombineOption = None,
    weight: o.Weight = 1.0,
    algorithm: o.Algorithm = "auto",
    episodes: o.Episodes = 20,
    expert: o.Expert = False,
    jobs: o.Jobs = None,
    engine: o.EngineOption = o.EngineKind.local,
    ray_address: o.RayAddress = None,
    ray_resources: o.RayResources = None,
    sandbox: o.SandboxOption = None,
    seed: o.Seed = 0,
    run: o.Run = None,
    resume: o.Resume = False,
    as_json: o.Json = False,
) -> None:
    """Train and evaluate an agent with a reward program, beside the sparse arm."""
    from reward_synth.api.config import EnvConfig, TrainConfig
    from reward_synth.api.result import Watcher
    from reward_synth.api.train import train as train_program
    from reward_synth.cli.folders import run_folder
    from reward_synth.cli.output import (
        TrainingProgress,
        note,
        progress_bars,
    )
    from reward_synth.cli.signals import INTERRUPTS
    from reward_synth.program import RewardProgram

    o.refuse_device(reward)
    program = RewardProgram.load(reward)
    mode = o.chosen_sandbox(sandbox, quiet=as_json)
    config = EnvConfig(
        env,
        o.read_kwargs(env_kwargs),
        success=success,
        task_file=task_spec,
        allow_info=tuple(allow_info or ()),
        seed=seed,
    )
    training = TrainConfig(
        train_steps,
        seeds=seeds,
        algorithm=algorithm,
        episodes=episodes,
        engine=o.chosen_engine(engine, jobs, ray_address, ray_resources),
        expert=expert,
    )
    name = f"train-{env}"
    with run_folder(run, name, resume=resume) as folder, progress_bars() as bars:
        watcher = Watcher(
            notify=lambda text: note(text, quiet=as_json),
            training=TrainingProgress(bars),
            steps=INTERRUPTS.steps,
            checkpoint=INTERRUPTS.checkpoint,
            stopping=lambda: INTERRUPTS.asked,
        )
        INTERRUPTS.folder = folder
        results = train_program(
            config,
            training,
            program,
            folder,
            combine=o.checked_combiner(combine) or "add",
            weight=weight,
            sandbox=mode,
            watcher=watcher,
        )
    _show(results, folder, as_json=as_json)


def _show(results: Sequence[Trained], folder: Path, *, as_json: bool) -> None:
    from reward_synth.cli.output import note, print_json

    if as_json:
        print_json(
            {"run": str(folder), "trials": [trial_row(item) for item in results]}
        )
        return
    show_trials(results)
    note(f"Report: {folder / 'report.md'}. Curves: tensorboard --logdir {folder}")


def trial_row(item: Any) -> dict[str, Any]:
    """Return a trained arm as JSON-ready data."""
    return {
        "arm": item.spec.arm,
        "program": item.spec.program.digest if item.spec.program else None,
        "seed": item.spec.seed,
        "steps": item.spec.steps,
        "status": item.status,
        "error": item.error,
        **item.result,
    }


def show_trials(results: Any) -> None:
    """Print trained arms as a table."""
    from reward_synth.cli.output import print_table

    head = ("arm", "program", "seed", "success", "at the end", "own return", "seconds")
    rows = []
    for item in results:
        program = item.spec.program.digest[:10] if item.spec.program else ""
        start = (item.spec.arm, program, str(item.spec.seed))
        if item.status != "ok":
            rows.append((*start, f"{item.status}: {item.error}", "", "", ""))
            continue
        row = item.result
        rows.append(
            (
                *start,
                f"{row['success_any']:.0%}",
                f"{row['success_last']:.0%}",
                f"{row['env_return']:.4g}",
                f"{row['seconds']:.0f}",
            )
        )
    print_table(head, rows)
