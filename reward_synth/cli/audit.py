"""``reward_synth audit``."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reward_synth.verify.audit import Audit, Row

_LONGEST = 100
"""Characters of a sentence in the table; the page and JSON have it whole."""


class Form(Enum):
    """How a trainer calls a reward function."""

    auto = "auto"
    trl = "trl"
    verl = "verl"
    verl_batch = "verl_batch"
    verifiers = "verifiers"
    verifiers_group = "verifiers_group"
    verifiers_v1 = "verifiers_v1"
    plain = "plain"


class Written(Enum):
    """How answers write calls."""

    tags = "tags"
    toolrl = "toolrl"
    json = "json"
    python = "python"


class GoldForm(Enum):
    """How the built-in rows give what is expected."""

    calls = "calls"
    json = "json"
    text = "text"


def audit(
    function: Annotated[str, typer.Argument(help="FILE:FUNCTION, or module:FUNCTION.")],
    form: Annotated[
        Form, typer.Option("--form", help="How it is called; auto looks.")
    ] = Form.auto,
    data: Annotated[
        str | None,
        typer.Option("--data", help="Rows of your own, a JSON object a line."),
    ] = None,
    gold: Annotated[
        str, typer.Option("--gold", help="The column with what is expected.")
    ] = "",
    gold_form: Annotated[
        GoldForm,
        typer.Option("--gold-form", help="How the built-in rows give it."),
    ] = GoldForm.json,
    syntax: Annotated[
        Written, typer.Option("--syntax", help="How answers write calls.")
    ] = Written.tags,
    deadline: Annotated[
        float, typer.Option("--deadline", help="Seconds until it is killed.")
    ] = 5.0,
    limit: Annotated[
        float, typer.Option("--limit", help="Seconds that one answer may take.")
    ] = 0.05,
    page: Annotated[
        str | None, typer.Option("--page", help="Write a page of HTML here.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also list what holds.")] = False,
    as_json: o.Json = False,
) -> int:
    """Try what can be got out of a reward function; exit code 1 if tricks pay."""
    import dataclasses
    import os
    from pathlib import Path

    from reward_synth.cli.output import note, print_json, progress_bars
    from reward_synth.verify import audit as audits

    address = audits.parse_address(function, os.getcwd())
    chosen = None if form is Form.auto else form.value
    address = dataclasses.replace(address, form=chosen, gold=gold)
    writer = audits.Writer(syntax.value)
    rows = (
        audits.built_in(writer, gold_form.value)
        if data is None
        else audits.load_samples(data, writer, gold)
    )
    settings = audits.Settings(deadline, limit)
    with progress_bars() as bars:
        bar = bars.add_task("answers", total=None)
        found = audits.audit(
            address,
            rows,
            writer,
            settings,
            lambda done, total: bars.update(bar, completed=done, total=total),
        )
    if page is not None:
        Path(page).write_text(audits.page(found), encoding="utf-8")
        note(f"The page is {page}.", quiet=as_json)
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found, every=every)
    return 0 if found.ok else 1


def _show(found: Audit, *, every: bool) -> None:
    from reward_synth.cli.output import note, out, print_table
    from reward_synth.verify.audit.page import HEAD, summary

    verdicts = ("failure", "warning", *(("ok", "skipped") if every else ()))
    for verdict in verdicts:
        rows = _lines([row for row in found.rows if row.verdict == verdict])
        if rows:
            out.print(f"[bold]{verdict}[/bold]")
            print_table((*HEAD, "group"), rows, whole=True)
            out.print()
    for remark in found.remarks:
        note(remark)
    out.print(f"{found.target}: {summary(found)}", markup=False)


def _lines(rows: Sequence[Row]) -> list[list[str]]:
    """Return one line a case: its first row, and how many rows say the same."""
    from reward_synth.verify.audit.page import cells

    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    lines = []
    for alike in by_name.values():
        more = f" and on {len(alike) - 1} more" if len(alike) > 1 else ""
        name, *others, text = cells(alike[0])
        shown = (text or alike[0].rule)[:_LONGEST]
        lines.append([name + more, *others, shown, alike[0].group])
    return lines
