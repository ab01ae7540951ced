"""``reward_synth report``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.errors import UsageError

if TYPE_CHECKING:
    from reward_synth.report import RunData

RunFolder = Annotated[
    str,
    typer.Argument(
        help="The folder of a run of generate, train or bench, or a report.json."
    ),
]


_SHOWN = ("task", "design", "runs", "success", "at the end", "steps to 90 %", "time")
"""Columns of the printed table; the files have all."""


class Format(Enum):
    """What a report is written as."""

    html = "html"
    md = "md"
    json = "json"
    png = "png"


def report(
    run: RunFolder,
    form: Annotated[
        Format, typer.Option("--format", help="A page, a text, data, or a picture.")
    ] = Format.html,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="The file; - prints md and json. By default in RUN, or beside a report.json.",
        ),
    ] = None,
) -> None:
    """Write what a run measured as one file; the run may be going on."""
    from reward_synth.cli.output import out as screen
    from reward_synth.report.runs import read_run

    told = read_run(Path(run))
    if out == "-":
        _print(told, form)
        return
    path = Path(out) if out else _beside(Path(run), form)
    if path.is_dir():
        raise UsageError(f"--out {out} is a folder; give a file's name in it.")
    write(told, form, path)
    screen.print(str(path), markup=False)


def _beside(run: Path, form: Format) -> Path:
    """Return where a report is written unless the user says where.

    Raises:
        UsageError: It would take the place of what it is made from.
    """
    if not run.is_file():
        return run / f"report.{form.value}"
    path = run.with_suffix(f".{form.value}")
    if path == run:
        raise UsageError(f"{run} is that report already; give --out FILE for another.")
    return path


def write(run: RunData, form: Format, path: Path) -> None:
    """Write a report to a file."""
    from reward_synth.report.image import write_png
    from reward_synth.report.page import write_page

    if form is Format.html:
        write_page(run, path)
    elif form is Format.png:
        write_png(run, path)
    else:
        path.write_text(_text(run, form), encoding="utf-8")


def _text(run: RunData, form: Format) -> str:
    from reward_synth.report.texts import as_json, as_markdown

    return as_json(run) if form is Format.json else as_markdown(run)


def _print(run: RunData, form: Format) -> None:
    if form in (Format.html, Format.png):
        raise UsageError(
            f"--out - prints md and json; give --out FILE for {form.value}."
        )
    print(_text(run, form), end="")


def show_summary(run: RunData) -> None:
    """Print what a run measured: a table, then the verdict in sentences."""
    import numpy as np

    from reward_synth.cli.output import out, print_table
    from reward_synth.report.summary import summarise, summary_table, verdict

    summary = summarise(run, np.random.default_rng(0))
    head, rows = summary_table(summary)
    if rows:
        shown = [head.index(name) for name in _SHOWN]
        table = [[row[place] for place in shown] for row in rows]
        print_table(_SHOWN, table, whole=True)
    for sentence in [*verdict(summary), *summary.warnings]:
        out.print(sentence, markup=False)
