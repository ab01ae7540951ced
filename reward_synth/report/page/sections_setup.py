"""The parts of a page that tell what was compared, and where the leader stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from reward_synth.report.data import RunData, TaskData
from reward_synth.report.looks import Look
from reward_synth.report.page.glossary import explained
from reward_synth.report.page.templating import filled
from reward_synth.report.standings import gap_in_points, told_standings
from reward_synth.report.summary import Summary
from reward_synth.report.words import plural

_LINES = 8
"""Tasks that stand unfolded beside the verdict."""
_MANY = 12
"""Designs that are explained unfolded."""
_REASONS = 3
"""Of one warning; all stand where it is told what is compared."""
_UNKNOWN = "not trained; the run does not say why"


def compared(
    run: RunData, looks: Sequence[Look], *, explain: bool = True
) -> str | None:
    """Tell the designs and the tasks, and what was not trained.

    Args:
        run: The run.
        looks: Its designs.
        explain: Whether words of the designs are explained here.
    """
    if not run.designs:
        return None
    return filled(
        "compared.html",
        run=run,
        looks=looks,
        many=len(looks) > _MANY,
        agents={task.name: _agents(run, task) for task in run.tasks},
        terms=explained(x.design.about for x in looks) if explain else (),
        missing=missing(run),
    )


def _agents(run: RunData, task: TaskData) -> tuple[str, str]:
    """Return by which agents a task is learned, and how often a design is trained."""
    rows = [row for row in run.trials if row.task == task.name]
    seeds = {row.seed for row in rows}
    names = ", ".join(dict.fromkeys(row.agent for row in rows))
    return names, plural(len(seeds), "seed") if seeds else ""


def missing(run: RunData) -> dict[tuple[str, str], str]:
    """Return which designs were not trained on which tasks, and why.

    The reason is a note of the run that names both.

    Example:
        >>> from reward_synth.report.data import DesignData, TrialData
        >>> rows = (TrialData("A", "hand", "ppo", 0, 9, "ok"),)
        >>> run = RunData("", "", "", 0.0, "running", (TaskData("A"), TaskData("B")),
        ...               (DesignData("hand"),), rows, notes=("hand is not for B: no arm.",))
        >>> missing(run)
        {('B', 'hand'): 'hand is not for B: no arm.'}
    """
    there = {(row.task, row.design) for row in run.trials}
    tasks = [task.name for task in run.tasks]
    used = {design for _, design in there}
    pairs = [(task, item.name) for task in tasks for item in run.designs]
    return {
        pair: _reason(run, *pair)
        for pair in pairs
        if pair not in there and pair[1] in used
    }


def with_reasons(run: RunData, warnings: Sequence[str]) -> list[str]:
    """Add to each warning that names a missing training why it is missing.

    Example:
        >>> run = RunData("", "", "", 0.0, "running", (), (), ())
        >>> with_reasons(run, ["Few seeds."])
        ['Few seeds.']
    """
    found = missing(run).items()
    told = []
    for text in warnings:
        why = [why for pair, why in found if all(_names(text, item) for item in pair)]
        why = [item for item in why if _UNKNOWN not in item]
        more = f" (and {len(why) - _REASONS} more)" if why[_REASONS:] else ""
        told.append(" ".join([text, *why[:_REASONS]]) + more)
    return told


def _reason(run: RunData, task: str, design: str) -> str:
    return next(
        (note for note in run.notes if _names(note, task) and _names(note, design)),
        f"{design} on {task}: {_UNKNOWN}.",
    )


def _names(note: str, name: str) -> bool:
    return re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", note) is not None


def task_by_task(run: RunData, summary: Summary) -> Markup:
    """Tell where the leader stands on each task; nothing where nobody leads."""
    found, leader = summary.standings, summary.leader
    if not found:
        return Markup("")
    reasons = missing(run)
    rows = [
        {
            "at": item,
            "gap": gap_in_points(item),
            "why": reasons.get((item.task, leader), ""),
        }
        for item in found
    ]
    return filled(
        "standings.html",
        leader=leader,
        won=bool(summary.winner),
        sentences=told_standings(found, leader),
        parts=[rows[:_LINES], rows[_LINES:]],
    )
