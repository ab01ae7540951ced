"""A report as Markdown, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reward_synth.report.data import RunData
from reward_synth.report.plain import plain
from reward_synth.report.standings import told_standings
from reward_synth.report.summary import (
    SEED,
    Summary,
    summarise,
    summary_table,
    verdict,
)
from reward_synth.report.words import count, duration, moment, plural, short


def as_markdown(run: RunData) -> str:
    """Return a report as Markdown: verdict, table, programs, command, versions.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.

    Example:
        >>> run = RunData("Mine", "", "reward_synth bench", 0.0, "running", (), (), ())
        >>> as_markdown(run).splitlines()[0]
        '# Mine'
    """
    run = plain(run)
    summary = summarise(run, np.random.default_rng(SEED))
    parts = [_head(run), _verdict(summary), _table(summary), _programs(run, summary)]
    parts += [_cost(run), _reproduce(run), _notes(run)]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(run: RunData) -> str:
    """Return a report as JSON: ``run`` is the data, ``summary`` what it comes to.

    What is not a finite number is null. Pictures are left out.

    Raises:
        MissingExtraError: The extra ``report`` is not installed.

    Example:
        >>> run = RunData("Mine", "", "reward_synth bench", 0.0, "running", (), (), ())
        >>> sorted(json.loads(as_json(run)))
        ['run', 'summary', 'verdict']
    """
    summary = summarise(run, np.random.default_rng(SEED))
    bare = replace(run, trials=tuple(replace(row, frames="") for row in run.trials))
    told = {
        "run": bare.to_dict(),
        "summary": summary.to_dict(),
        "verdict": verdict(summary),
    }
    return json.dumps(_finite(told), indent=1, allow_nan=False) + "\n"


def _finite(item: Any) -> Any:
    if isinstance(item, float):
        return item if math.isfinite(item) else None
    if isinstance(item, dict):
        return {key: _finite(value) for key, value in item.items()}
    return [_finite(part) for part in item] if isinstance(item, list | tuple) else item


def _head(run: RunData) -> str:
    done = sum(row.status == "ok" for row in run.trials)
    progress = f"{done} of {plural(len(run.trials), 'training')} finished"
    state = f"{run.state}, {progress}, {moment(run.created)}"
    return "\n\n".join(filter(None, [f"# {line(run.title)}", line(run.about), state]))


def _verdict(summary: Summary) -> str:
    said = [line(text) for text in verdict(summary)]
    placed = [line(text) for text in told_standings(summary.standings, summary.leader)]
    minded = [f"> {line(text)}" for text in summary.warnings]
    return "\n\n".join([*said, *placed, *minded])


def _table(summary: Summary) -> str:
    head, rows = summary_table(summary)
    return f"## Results\n\n{table(head, rows)}" if rows else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table of Markdown.

    Example:
        >>> print(table(["a"], [["x | y"]]))
        | a |
        |---|
        | x \| y |
    """
    cells = [[line(cell).replace("|", "\\|") for cell in row] for row in [head, *rows]]
    told = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([told[0], "|" + "---|" * len(head), *told[1:]])


def line(text: str) -> str:
    r"""Return a text as one line of Markdown in which nothing is markup of HTML.

    Example:
        >>> line("two\nlines <b>")
        'two lines &lt;b>'
    """
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def fenced(text: str, language: str) -> str:
    """Return a block of code whose fence is longer than any in it.

    Example:
        >>> print(fenced("x = 1", "python"))
        ```python
        x = 1
        ```
    """
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _programs(run: RunData, summary: Summary) -> str:
    chosen = [item for item in run.programs if item.chosen]
    chosen.sort(key=lambda item: item.design != summary.leader)
    parts = [
        f"## Program {line(short(item.digest))} of {line(item.design)} "
        f"for {line(item.task)}\n\n{fenced(item.source, 'python')}"
        for item in chosen
    ]
    return "\n\n".join(parts)


def _cost(run: RunData) -> str:
    spent = run.cost
    told = [f"{count(spent.steps)} environment steps", duration(spent.seconds)]
    if spent.requests:
        tokens = (
            f"{count(spent.prompt_tokens)} + {count(spent.completion_tokens)} tokens"
        )
        told += [plural(spent.requests, "request"), tokens]
    if spent.money is not None:
        told.append(f"money {spent.money:.2f}")
    return f"## Cost\n\n{', '.join(told)}"


def _reproduce(run: RunData) -> str:
    facts = [*run.versions.items(), *run.machine.items()]
    rows = "\n".join(f"- {line(name)}: {line(value)}" for name, value in facts)
    command = fenced(run.command, "sh") if run.command else "The command is not known."
    return f"## Reproduce\n\n{command}" + (f"\n\n{rows}" if rows else "")


def _notes(run: RunData) -> str:
    rows = "\n".join(f"- {line(text)}" for text in run.notes)
    return f"## Notes\n\n{rows}" if rows else ""
