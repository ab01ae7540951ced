"""The parts of a page that tell what was made, what it took, and how to make it again."""

from __future__ import annotations

from collections.abc import Sequence

from reward_synth.report import words
from reward_synth.report.data import RunData, TrialData
from reward_synth.report.page.lineage import chart, lineage, main_score
from reward_synth.report.page.programs_told import told_programs
from reward_synth.report.page.templating import filled
from reward_synth.report.page.tree import nested
from reward_synth.report.summary import Summary

_FRAMES_MOST = 6_000_000
"""Characters of all strips of frames in a page."""


def programs(run: RunData, summary: Summary) -> str | None:
    """Show the winner's program, then all others."""
    if not run.programs:
        return None
    return filled("programs.html", **told_programs(run, summary))


def origins(run: RunData, _: Summary) -> str | None:
    """Show which program was made from which; nothing where none was made from another."""
    nodes = lineage(run.programs)
    if not any(node.generation for node in nodes):
        return None
    score = main_score(run.programs)
    last = max(node.generation for node in nodes)
    line = sorted((x for x in nodes if x.ancestor), key=lambda node: node.generation)
    roots = sum(node.generation == 0 for node in nodes)
    sentence = (
        f"{words.plural(roots, 'program')} without parents and {len(nodes) - roots} made "
        f"from others, over {words.plural(last + 1, 'generation')}."
    )
    return filled(
        "lineage.html",
        sentence=sentence,
        chart=chart(nodes),
        score=score,
        line=line,
        number=len(nodes),
        tree=nested(nodes),
    )


def frames(run: RunData, _: Summary) -> str | None:
    """Show one episode of each task and design that has frames."""
    strips = [row for row in run.trials if row.frames.startswith("data:image/")]
    groups: dict[tuple[str, str], list[TrialData]] = {}
    for row in strips:
        groups.setdefault((row.task, row.design), []).append(row)
    rows, size = [], 0
    for group in groups.values():
        row = _in_the_middle(group)
        size += len(row.frames)
        if size <= _FRAMES_MOST:
            rows.append(row)
    left = len(groups) - len(rows)
    return filled("frames.html", rows=rows, left=left) if groups else None


def _in_the_middle(group: Sequence[TrialData]) -> TrialData:
    def success(row: TrialData) -> float:
        return row.final.success_last if row.final else -1.0

    return sorted(group, key=success)[len(group) // 2]


def cost(run: RunData, _: Summary) -> str | None:
    """Tell what was spent."""
    spent = run.cost
    rows = [
        ("Environment steps", words.count(spent.steps) if spent.steps else ""),
        (
            "Time of all trainings, summed",
            words.duration(spent.seconds) if spent.seconds else "",
        ),
        (
            "Requests to language models",
            f"{spent.requests:,}" if spent.requests else "",
        ),
        (
            "Tokens read",
            words.count(spent.prompt_tokens) if spent.prompt_tokens else "",
        ),
        (
            "Tokens written",
            words.count(spent.completion_tokens) if spent.completion_tokens else "",
        ),
        ("Money", "" if spent.money is None else f"{spent.money:.2f}"),
    ]
    rows = [row for row in rows if row[1]]
    return filled("cost.html", rows=rows) if rows else None


def reproduce(run: RunData, _: Summary) -> str:
    """Tell the command, and what it ran on."""
    versions, machine = run.versions.items(), run.machine.items()
    return filled(
        "reproduce.html", command=run.command, versions=versions, machine=machine
    )


def notes(run: RunData, _: Summary) -> str | None:
    """Tell what was skipped, replaced or defaulted."""
    return filled("notes.html", run=run) if run.notes else None
