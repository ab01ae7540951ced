"""``reward_synth runs``: list, verify, repair, and tidy the folders of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from reward_synth.store import Inspection, RunSummary

DAMAGED = 1
"""Exit code of verify: something recorded is not there, or a key was written down."""

app = typer.Typer(
    help="List, verify, repair and tidy what runs have kept.", no_args_is_help=True
)
Folders = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN ...]",
        help="Folders of runs; none: every run in --root.",
        show_default=False,
    ),
]
Root = Annotated[str, typer.Option("--root", help="Where runs lie.")]


@app.command("list")
def list_runs(root: Root = "runs", as_json: o.Json = False) -> None:
    """Tell of every run its state, its task, and what it holds."""
    from reward_synth.cli.output import note, print_json, print_table
    from reward_synth.store import summarise_runs

    found = list(summarise_runs(root))
    if as_json:
        print_json([_summary_data(item) for item in found])
    elif found:
        head = ("run", "state", "task", "started", "answers", "programs", "trainings")
        print_table((*head, "MB"), [_summary_row(item) for item in found], whole=True)
    else:
        note(f"There is no run in {root}/.")


@app.command()
def verify(runs: Folders = None, root: Root = "runs", as_json: o.Json = False) -> None:
    """Examine runs without changing them; exit code 1 if something is lost."""
    from reward_synth.cli.output import print_json
    from reward_synth.store import inspect_run

    found = [inspect_run(item, _secrets()) for item in _chosen(runs, root)]
    if as_json:
        print_json([_inspection_data(item) for item in found])
    else:
        for item in found:
            _show(item)
    if not all(item.ok for item in found):
        raise typer.Exit(DAMAGED)


@app.command()
def repair(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's folder.")],
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
) -> None:
    """Save what can be read of a damaged run; the damaged file is kept beside it."""
    from reward_synth.cli.output import out
    from reward_synth.store import repair_run

    folder = _require_run(run)
    done = repair_run(folder, change=not dry)
    if done is None:
        out.print(f"{run}: nothing is damaged, and nothing was changed.", markup=False)
        return
    lines = [
        f"{sum(done.kept.values())} rows can be read and are kept."
        if done.kept
        else "A repair that was stopped half way is brought to its end.",
        *done.lines(),
        f"The damaged file is kept in {done.copy}."
        if done.copy
        else "Nothing was changed (--dry-run).",
    ]
    for line in lines:
        out.print(f"{run}: {line}", markup=False)


@app.command()
def gc(
    runs: Folders = None,
    root: Root = "runs",
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove them; without it, only tell.")
    ] = False,
) -> None:
    """Find blobs that no row refers to, and half-written files; remove with --delete."""
    from reward_synth.cli.output import note, out
    from reward_synth.store import collect_garbage

    total = 0
    for folder in _chosen(runs, root):
        found = collect_garbage(folder, remove=delete)
        total += found.size
        for path in found.files:
            out.print(f"{'removed' if delete else 'unneeded'}: {path}", markup=False)
    note(f"{total} bytes {'were freed' if delete else 'can be freed with --delete'}.")


def _chosen(runs: list[str] | None, root: str) -> list[Path]:
    from reward_synth.store.run import is_run

    if runs:
        return [_require_run(item) for item in runs]
    here = Path(root)
    return (
        sorted(item for item in here.iterdir() if is_run(item)) if here.is_dir() else []
    )


def _require_run(name: str) -> Path:
    from reward_synth.store.run import require_run

    return require_run(Path(name))


def _secrets() -> list[str]:
    """Return the keys of this environment, which no file may hold."""
    import os

    from reward_synth.llm.secrets import KEY_VARIABLE, SHORTEST_SECRET

    key = os.environ.get(KEY_VARIABLE, "").strip()
    return [key] if len(key) >= SHORTEST_SECRET else []


def _summary_data(item: RunSummary) -> dict[str, Any]:
    return {
        "run": str(item.folder),
        "state": item.state,
        "task": item.task,
        "created": item.created,
        "answers": item.answers,
        "programs": item.programs,
        "trainings": item.trainings,
        "bytes": item.size,
        "process": item.process,
    }


def _summary_row(item: RunSummary) -> tuple[str, ...]:
    import time

    started = (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created))
        if item.created is not None
        else ""
    )
    state = f"{item.state} ({item.process})" if item.process else item.state
    counts = (item.answers, item.programs, item.trainings)
    known = item.created is not None
    return (
        str(item.folder),
        state,
        item.task,
        started,
        *(str(count) if known else "" for count in counts),
        f"{item.size / 1e6:.1f}",
    )


def _inspection_data(item: Inspection) -> dict[str, Any]:
    return {
        "run": str(item.folder),
        "ok": item.ok,
        "process": item.in_use,
        "rows": item.rows,
        "blobs": item.blobs,
        "troubles": [
            {"kind": one.kind, "text": one.text, "path": one.path and str(one.path)}
            for one in item.troubles
        ],
    }


def _show(item: Inspection) -> None:
    from reward_synth.cli.output import out

    said = "sound" if item.ok else "damaged"
    use = f", in use by process {item.in_use}" if item.in_use else ""
    rows = sum(item.rows.values())
    line = f"{item.folder}: {said}{use}; {rows} rows, {item.blobs} blobs"
    out.print(line, markup=False)
    for trouble in item.troubles:
        out.print(f"  {trouble.kind}: {trouble.text}", markup=False)
    if any(one.kind == "damage" for one in item.troubles):
        out.print(f"  cure: reward_synth runs repair {item.folder}", markup=False)
    if any(one.kind == "leftover" for one in item.troubles):
        out.print(f"  cure: reward_synth runs gc --delete {item.folder}", markup=False)
