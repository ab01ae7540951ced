"""The parts of a page that tell what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reward_synth.report import words
from reward_synth.report.curves import bands, chart_data, table_rows
from reward_synth.report.data import RunData
from reward_synth.report.looks import COLOURS, Look, looks
from reward_synth.report.page import aggregates
from reward_synth.report.page.curves_svg import static
from reward_synth.report.page.facts import facts
from reward_synth.report.page.glossary import explained
from reward_synth.report.page.sections_setup import (
    compared,
    missing,
    task_by_task,
    with_reasons,
)
from reward_synth.report.page.shares import all_shares, stack
from reward_synth.report.page.templating import filled
from reward_synth.report.summary import Cell, Summary, verdict
from reward_synth.report.words import METRICS
from reward_synth.statistics import Reached

_PENDING = ("ok", "running", "waiting")
_SENTENCES = 4
"""Of the verdict, that stand unfolded: the head and the nearest rivals."""
_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Of success, in the table beside the profiles."""
_FEW = 5
_NAMED = 6
"""Designs that are explained beside the verdict; more are explained further down."""


def _looks(run: RunData, summary: Summary) -> tuple[Look, ...]:
    return looks(run, [item.name for item in aggregates.ranked(summary)])


def state(run: RunData, _: Summary) -> str:
    """Tell how far the run is."""
    number = Counter(row.status for row in run.trials)
    others = [(name, times) for name, times in number.items() if name != "ok"]
    failed = [row for row in run.trials if row.status not in _PENDING]
    done = number["ok"]
    return filled("state.html", run=run, done=done, others=others, failed=failed)


def in_short(run: RunData, summary: Summary) -> str:
    """Tell who won, by how much and how surely, and where the winner fails."""
    told = verdict(summary)
    kinds = {item.name: item.kind for item in run.designs}
    designs = _named(_looks(run, summary))
    answers = facts(summary)
    used = [*told, *summary.warnings, *(look.design.about for look in designs)]
    used += [text for fact in answers for text in fact]
    return filled(
        "summary.html",
        facts=answers,
        sentences=told[:_SENTENCES],
        more=told[_SENTENCES:],
        warnings=with_reasons(run, summary.warnings),
        terms=explained(used),
        standings=task_by_task(run, summary),
        has_code=bool(run.programs),
        has_setup=bool(run.designs),
        code_of=summary.leader if kinds.get(summary.leader) == "program" else "",
        designs=designs,
    )


def setup(run: RunData, summary: Summary) -> str | None:
    """Tell what is compared, on which tasks."""
    every = _looks(run, summary)
    return compared(run, every, explain=not _named(every))


def _named(every: Sequence[Look]) -> list[Look]:
    """Return the designs that are explained beside the verdict: a few, or none."""
    told = [look for look in every if look.design.about]
    return told if len(told) <= _NAMED else []


def results(run: RunData, summary: Summary) -> str | None:
    """Tell the numbers of each task and design, and which are missing."""
    if not summary.cells:
        return None
    shown = {look.design.name: look for look in _looks(run, summary)}
    tasks = dict.fromkeys(cell.task for cell in summary.cells)
    reasons = missing(run)
    groups = [
        {
            "task": task,
            "rows": [
                *_rows([x for x in summary.cells if x.task == task], shown),
                *(
                    {"look": shown[name], "cell": None, "why": why}
                    for (at, name), why in reasons.items()
                    if at == task
                ),
            ],
        }
        for task in tasks
    ]
    few = _FEW if any(cell.few for cell in summary.cells) else 0
    return filled("results.html", groups=groups, few=few)


def _rows(cells: Sequence[Cell], shown: dict[str, Look]) -> list[dict[str, object]]:
    done = [cell for cell in cells if cell.runs]
    best_any = max((cell.success_any.value for cell in done), default=2.0)
    best_last = max((cell.success_last.value for cell in done), default=2.0)
    if len(cells) > COLOURS + 1:  # too many to look through in the order of the run
        cells = sorted(cells, key=lambda cell: -_height(cell))
    return [
        {
            "cell": cell,
            "look": shown[cell.design],
            "best_any": cell.success_any.value == best_any,
            "best_last": cell.success_last.value == best_last,
            "any": aggregates.meter(cell.success_any, shown[cell.design].style),
            "gap": words.fraction(cell.gap.value),
            "half": _reached(cell.to_half),
            "most": _reached(cell.to_most),
        }
        for cell in cells
    ]


def _height(cell: Cell) -> float:
    return cell.success_any.value if cell.runs else -1.0


def _reached(item: Reached) -> tuple[str, str]:
    if not item.runs:
        return words.MISSING, ""
    all_there = item.reached == item.runs
    told = "" if all_there else f"{item.reached} of {item.runs}"
    return words.count(item.median), told


def aggregate(run: RunData, summary: Summary) -> str | None:
    """Tell what all tasks together say."""
    every = _looks(run, summary)
    styles = {look.design.name: look.style for look in every}
    shown = {look.design.name for look in every if look.shown}
    done = aggregates.ranked(summary)
    rows = [item for item in done if item.name in shown]
    if not rows:
        return None
    names = [item.name for item in rows]
    return filled(
        "aggregate.html",
        several=any(len(item.tasks) > 1 for item in rows),
        rows=[(item, aggregates.middle(item)) for item in rows],
        looks={look.design.name: look for look in every},
        whiskers=aggregates.whiskers(rows, styles),
        profiles=aggregates.profiles(rows, styles),
        levels=_LEVELS,
        places=[round(20 * level) for level in _LEVELS],
        names=names,
        duels=aggregates.matrix(summary, names),
        unnamed=len(done) - len(rows),
    )


def curves(run: RunData, summary: Summary) -> str | None:
    """Draw how success rose during training."""
    every = _looks(run, summary)
    tasks = [
        task.name
        for task in run.tasks
        if any(x.task == task.name and x.curve for x in run.trials)
    ]
    if not tasks:
        return None
    return filled(
        "curves.html",
        metrics=METRICS,
        looks=every,
        tasks=[_curves(run, x, every) for x in tasks],
    )


def _curves(run: RunData, task: str, every: Sequence[Look]) -> dict[str, object]:
    found = {metric: bands(run, task, metric) for metric in METRICS}
    tables = {
        metric: {"designs": [x.design for x in rows], "rows": table_rows(rows)}
        for metric, rows in found.items()
    }
    charts = {
        metric: static(rows, every, metric, task) for metric, rows in found.items()
    }
    data = chart_data(run, task, found) | {"styles": [look.style for look in every]}
    drawn = {row.design for row in found["success_any"]}
    seeds = sorted({row.seeds for row in found["success_any"]} or {0})
    return {
        "name": task,
        "charts": charts,
        "data": data,
        "tables": tables,
        "looks": [x for x in every if x.shown and x.index in drawn],
        "seeds": _seeds(seeds),
        "lone": seeds[0] == 1,
        "missing": [design for at, design in missing(run) if at == task],
    }


def _seeds(numbers: Sequence[int]) -> str:
    """Return how many seeds a chart's lines have.

    Example:
        >>> _seeds([3]), _seeds([1, 3])
        ('3 seeds', '1 to 3 seeds')
    """
    if len(numbers) == 1:
        return words.plural(numbers[0], "seed")
    return f"{numbers[0]} to {words.plural(numbers[-1], 'seed')}"


def components(run: RunData, summary: Summary) -> str | None:
    """Draw what the agents were paid for."""
    shown = {look.design.name for look in _looks(run, summary) if look.shown}
    items = [
        {"told": item, "chart": stack(item)}
        for item in all_shares(run)
        if item.design in shown
    ]
    return filled("components.html", items=items) if items else None
