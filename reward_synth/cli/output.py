"""Printing: results to standard output, progress and remarks to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

# Lines are not cut into pieces: terminals wrap them, and tools read whole ones.
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """Print machine-readable data to standard output."""
    sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")


def print_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = False
) -> None:
    """Print a table; the first column, which names the rows, is always whole.

    Args:
        head: Names of the columns.
        rows: Cells, a row each.
        whole: Fold no cell, however narrow the terminal: for tables of figures.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    first, *others = head
    width = max(cell_len(row[0]) for row in (head, *rows))
    table.add_column(first, no_wrap=True, min_width=width)
    for name in others:
        table.add_column(name, overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    widest = sum(
        max(map(cell_len, cells)) + 2 for cells in zip(head, *rows, strict=True)
    )
    screen = Console(highlight=False, width=widest) if whole else out
    screen.print(table)


def say(text: str) -> None:
    """Print a remark to standard error."""
    err.print(escape(text), style="dim" if err.is_terminal else None)


def note(text: str, *, quiet: bool = False) -> None:
    """Print a sentence that the user should read, unless the output is for machines."""
    if not quiet:
        say(f"· {text}")


class TrainingProgress:
    """A bar a running training, with steps a second and the time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, rows: Sequence[Any]) -> None:
        """Show how far trainings are; see ``TrialProgress``."""
        for row in rows:
            if row.key not in self._tasks:
                name = f"training {row.key[:8]}"
                self._tasks[row.key] = self._progress.add_task(name, total=row.total)
            rate = row.steps / row.seconds if row.seconds else 0.0
            self._progress.update(
                self._tasks[row.key],
                completed=row.steps,
                description=f"training {row.key[:8]}  {rate:.0f} steps/s",
            )


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Show progress on standard error while the block runs, if it is a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    silent = not err.is_terminal
    with Progress(*columns, console=err, transient=True, disable=silent) as progress:
        yield progress
