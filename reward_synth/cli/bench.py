"""``reward_synth bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli import options as o
from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from reward_synth.api.result import Watcher
    from reward_synth.benchmarks.suite import Suite
    from reward_synth.report import RunData

_NEEDED = {"stable_baselines3": "train", "scipy": "report", "jinja2": "report"}
SuiteName = Annotated[
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
    suite: SuiteName = None,
    only: Only = None,
    jobs: o.Jobs = None,
    engine: o.EngineOption = o.EngineKind.local,
    ray_address: o.RayAddress = None,
    ray_resources: o.RayResources = None,
    run: o.Run = None,
    resume: o.Resume = False,
    sandbox: o.SandboxOption = None,
    as_json: o.Json = False,
) -> None:
    """Compare designs of rewards on the tasks of a suite."""
    from reward_synth.api.result import Watcher
    from reward_synth.benchmarks.bench import bench as run_suite
    from reward_synth.benchmarks.bench import select
    from reward_synth.benchmarks.suite import load_suite
    from reward_synth.cli.folders import run_folder
    from reward_synth.cli.output import TrainingProgress, note, progress_bars

    if suite is None:
        _list(as_json=as_json)
        return
    try:
        loaded = load_suite(suite)
    except UnicodeDecodeError as cause:
        raise UsageError(f"{suite} is no text: {cause}.") from cause
    _require_packages()
    mode = o.chosen_sandbox(sandbox, quiet=as_json)
    where = o.chosen_engine(engine, jobs, ray_address, ray_resources).make()
    name = f"bench-{loaded.name}"
    with run_folder(run, name, resume=resume) as folder, progress_bars() as bars:
        watcher = Watcher(
            notify=lambda text: note(text, quiet=as_json),
            training=TrainingProgress(bars),
        )
        if loaded.measure == "throughput":
            _throughput(select(loaded, only or ()), folder, watcher, as_json=as_json)
            return
        part = only or ()
        told = run_suite(
            loaded, folder, where, only=part, sandbox=mode, watcher=watcher
        )
    _show(told, folder, as_json=as_json)


def _require_packages() -> None:
    """Refuse before anything is trained what could be neither trained nor told.

    Raises:
        MissingExtraError: A package is missing.
    """
    from importlib.util import find_spec

    from reward_synth.errors import MissingExtraError

    for package, extra in _NEEDED.items():
        if find_spec(package) is None:
            raise MissingExtraError(package, extra)


def _list(*, as_json: bool) -> None:
    from reward_synth.benchmarks.suite import load_suite, shipped_suites
    from reward_synth.cli.output import print_json, print_table

    suites = [load_suite(name) for name in shipped_suites()]
    if as_json:
        print_json([item.to_dict() for item in suites])
        return
    rows = [
        (
            item.name,
            str(len(item.tasks)),
            ", ".join(item.designs),
            item.about.partition(". ")[0].rstrip(".") + ".",
        )
        for item in suites
    ]
    print_table(("suite", "tasks", "designs", "about"), rows)


def _throughput(suite: Suite, folder: Path, watcher: Watcher, *, as_json: bool) -> None:
    from dataclasses import asdict

    from reward_synth.benchmarks.throughput import FILE, measure_throughput, table
    from reward_synth.cli.output import note, print_json, print_table
    from reward_synth.engine import LocalEngine

    rows = measure_throughput(suite, folder, LocalEngine(1), watcher)
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        print_table(*table(rows))
    note(f"Written: {folder / FILE}", quiet=as_json)


def _show(run: RunData, folder: Path, *, as_json: bool) -> None:
    from reward_synth.cli.output import note
    from reward_synth.cli.report import Format, show_summary, write
    from reward_synth.report.texts import as_json as told

    for form in (Format.html, Format.md, Format.json):
        path = folder / f"report.{form.value}"
        write(run, form, path)
        note(f"Written: {path}", quiet=as_json)
    if as_json:
        print(told(run), end="")
    else:
        show_summary(run)
