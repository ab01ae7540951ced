"""Ways to harm a run, and runs that earlier versions wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from reward_synth.store import ProgramRow, RunStore, TrialRow
from reward_synth.store.blobs import LARGE

DATA = Path(__file__).parent / "data"
CONFIG = {"env": {"env": "PushCube-v1"}, "seed": 0}
LONG = {"status": "ok", "text": "x" * LARGE}


def make_run(folder: Path, rows: int = 3) -> Path:
    """Make a finished run: requests, answers (one a blob), programs, a training."""
    with RunStore.open(folder, CONFIG) as store:
        for number in range(rows):
            store.calls.intend(f"r{number}", {"slot": number})
            short = {"status": "ok", "text": f"answer {number}"}
            store.calls.settle(f"r{number}", short if number else LONG)
            store.programs.record(ProgramRow(f"d{number}", "def f(): ...", "llm"))
        store.record_trial(TrialRow("k", "dense", 0, {}, "ok", {"success": 1.0}))
        (folder / "task.json").write_text("{}")
        store.record_file("task.json")
        store.finish()
    return folder


def old_run(folder: Path, version: int = 1) -> Path:
    """Make the run that was written by an earlier version, from its SQL."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "run.sqlite")) as file:
        file.executescript((DATA / f"run_v{version}.sql").read_text())
    return folder


def spoil_page(folder: Path, table: str) -> None:
    """Overwrite the first page of a table with noise."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as file:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        page = file.execute(query, (table,)).fetchone()[0]
        size = file.execute("PRAGMA page_size").fetchone()[0]
    with open(folder / "run.sqlite", "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def change(folder: Path, table: str, statement: str) -> None:
    """Change rows behind the store's back."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as file:
        for guard in ("no_update", "no_delete"):
            file.execute(f"DROP TRIGGER {table}_{guard}")
        file.execute(statement)
        file.commit()
