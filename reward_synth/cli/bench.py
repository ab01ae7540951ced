"""``reward_synth bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from pathlib import Path

    from reward_synth.report import RunData

Suite = Annotated[
    str | None,
    typer.Argument(
        help="A shipped suite such as quick, or a .toml file of your own; none: list them."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", help="A task, a design, or a pattern for them; repeatable."),
]


def bench(
    suite: Suite = None,
    only: Only = None,
    jobs: o.Jobs = 2,
    run: o.Run = None,
    resume: o.Resume = False,
    as_json: o.Json = False,
) -> None:
    """Compare designs of rewards on the tasks of a suite."""
    from reward_synth.benchmarks.bench import bench as run_suite
    from reward_synth.benchmarks.suite import load_suite
    from reward_synth.cli.folders import run_folder
    from reward_synth.cli.output import TrainingProgress, note, progress_bars
    from reward_synth.engine import LocalEngine

    if suite is None:
        _list(as_json=as_json)
        return
    from reward_synth.api.result import Watcher

    loaded = load_suite(suite)
    engine = LocalEngine(jobs)
    name = f"bench-{loaded.name}"
    with run_folder(run, name, resume=resume) as folder, progress_bars() as bars:
        watcher = Watcher(
            notify=lambda text: note(text, quiet=as_json),
            training=TrainingProgress(bars),
        )
        told = run_suite(loaded, folder, engine, only=only or (), watcher=watcher)
    _show(told, folder, as_json=as_json)


def _list(*, as_json: bool) -> None:
    from reward_synth.benchmarks.suite import load_suite, shipped_suites
    from reward_synth.cli.output import print_json, print_table

    suites = [load_suite(name) for name in shipped_suites()]
    if as_json:
        print_json([item.to_dict() for item in suites])
        return
    rows = [
        (item.name, str(len(item.tasks)), ", ".join(item.designs), item.about)
        for item in suites
    ]
    print_table(("suite", "tasks", "designs", "about"), rows)


def _show(run: RunData, folder: Path, *, as_json: bool) -> None:
    from reward_synth.cli.output import note, print_json
    from reward_synth.cli.report import show_summary, write_all

    if as_json:
        print_json({"run": str(folder), **run.to_dict()})
    else:
        show_summary(run)
    for path in write_all(run, folder):
        note(f"Written: {path}", quiet=as_json)
