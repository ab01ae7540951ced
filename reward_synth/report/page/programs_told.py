"""Which programs a page shows, and what it says of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reward_synth.report.data import ProgramData, RunData
from reward_synth.report.page.aggregates import ranked
from reward_synth.report.page.glossary import explained
from reward_synth.report.page.lineage import main_score, told_scores
from reward_synth.report.page.programs import (
    by_digest,
    changes,
    general_findings,
    listing,
    severities,
)
from reward_synth.report.page.templating import anchor
from reward_synth.report.summary import Summary
from reward_synth.report.words import short

MOST = 300
"""Programs whose text a page holds, the chosen ones aside."""


def told_programs(run: RunData, summary: Summary) -> dict[str, Any]:
    """Return what the template of the programs needs.

    Example:
        >>> told = told_programs(
        ...     RunData("", "", "", 0.0, "finished", (), (), (), (ProgramData("a", "x = 1"),)),
        ...     Summary())
        >>> len(told["chosen"]), len(told["others"]), told["left"]
        (0, 1, 0)
    """
    known = by_digest(run.programs)
    first = _first_designs(run, summary)
    chosen = sorted(
        (x for x in known.values() if _shown(x, first)), key=lambda x: _order(x, first)
    )
    names = {item.digest for item in chosen}
    score = main_score(run.programs)
    rest = [item for item in known.values() if item.digest not in names]
    rest.sort(key=lambda item: -_value(item, score))
    return {
        "terms": explained(map(told_scores, known.values())),
        "intro": _intro(run, summary, chosen),
        "chosen": [_told(item, _title(item, run), known) for item in chosen],
        "others": [_told(item, short(item.digest), known) for item in rest[:MOST]],
        "left": len(rest[MOST:]),
    }


def _first_designs(run: RunData, summary: Summary) -> list[str]:
    """Return the designs that rest on programs, the leader first."""
    kinds = {item.name: item.kind for item in run.designs}
    names = [summary.leader, *(item.name for item in ranked(summary))]
    return [name for name in dict.fromkeys(names) if kinds.get(name) == "program"]


def _shown(program: ProgramData, first: Sequence[str]) -> bool:
    return program.chosen or (bool(first) and program.design == first[0])


def _order(program: ProgramData, first: Sequence[str]) -> tuple[int, bool]:
    known = program.design in first
    return first.index(program.design) if known else len(first), not program.chosen


def _value(program: ProgramData, score: str) -> float:
    value = program.scores.get(score, math.nan)
    return value if math.isfinite(value) else -math.inf


def _title(program: ProgramData, run: RunData) -> str:
    name = program.design or short(program.digest)
    where = f" on {program.task}" if len(run.tasks) > 1 and program.task else ""
    return f"{name}{where}" + (", chosen" if program.chosen else "")


def _intro(run: RunData, summary: Summary, chosen: Sequence[ProgramData]) -> list[str]:
    kinds = {item.name: item.kind for item in run.designs}
    kind = kinds.get(summary.leader, "program")
    if kind != "program":
        owner = "the environment's own reward" if kind == "expert" else "success alone"
        return [
            f"{summary.leader} is ahead and has no program: the agent is paid {owner}. "
            "Here are the programs of the other designs, the best design first."
        ]
    if not chosen:
        return ["No program was chosen yet."]
    own = [item for item in chosen if item.design == summary.leader]
    if len(own) > 1:
        return [f"{summary.leader} has {len(own)} programs; the first one is unfolded."]
    return []


def _told(
    program: ProgramData, title: str, known: Mapping[str, ProgramData]
) -> dict[str, Any]:
    made = [f"Program {short(program.digest)}"]
    if program.proposer:
        by = (
            f"{program.proposer} ({program.model})"
            if program.model
            else program.proposer
        )
        made.append(f"proposed by {by}")
    if program.parents:
        made.append(f"made from {', '.join(map(short, program.parents))}")
    return {
        "anchor": anchor(program.digest),
        "title": title,
        "facts": "; ".join(made) + ".",
        "scores": told_scores(program),
        "severities": severities(program.findings),
        "general": general_findings(program),
        "lines": listing(program, colours=len(known) <= MOST),
        "changes": list(changes(program, known)),
    }
