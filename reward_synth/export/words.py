"""The parts of a reward card that are Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reward_synth.export.chosen import Exported
from reward_synth.report import FindingData

_SHORT = 10


def one_line(text: str) -> str:
    r"""Return a text without line breaks.

    Example:
        >>> one_line("Go\n there. ")
        'Go there.'
    """
    return " ".join(text.split())


def fenced(text: str, language: str) -> str:
    """Return a text as code, in a fence that it cannot close.

    Example:
        >>> fenced("x", "sh").splitlines()
        ['```sh', 'x', '```']
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars in cells are replaced.

    Example:
        >>> table(("a",), [("1|2",)]).splitlines()
        ['| a |', '|---|', '| 1/2 |']
    """
    lines = [head, *rows]
    text = [f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines]
    return "\n".join([text[0], f"|{'---|' * len(head)}", *text[1:]])


def _cell(text: str) -> str:
    return one_line(text).replace("|", "/")


def measured_text(told: Mapping[str, Any]) -> str:
    """Tell what trainings gave, and how it was measured."""
    arms = [item for item in told["arms"] if item["trainings"]]
    if not told["trained"]:
        return (
            "No training with this reward ended in this run, so nothing is claimed of "
            "what agents learn with it."
        )
    head = (
        "arm",
        "algorithm",
        "steps",
        "success in each training",
        "mean",
        "seeds",
        "episodes",
    )
    return "\n\n".join(
        [
            table(head, [_arm_row(item) for item in arms]),
            "Success is the share of evaluation episodes in which the success rule held "
            "after any step, at the end of training and without exploration. Trainings "
            "that failed are in `metrics.json`. Few seeds: read differences with care.",
        ]
    )


def _arm_row(arm: Mapping[str, Any]) -> tuple[str, ...]:
    ended = [row for row in arm["trainings"] if row["status"] == "ok"]
    return (
        arm["arm"],
        ", ".join(dict.fromkeys(row["algorithm"] for row in ended)),
        ", ".join(dict.fromkeys(f"{row['steps']:,}" for row in ended)),
        ", ".join(f"{row['success_any']:.0%}" for row in ended),
        "" if arm["success"] is None else f"{arm['success']:.0%}",
        str(arm["seeds"]),
        ", ".join(dict.fromkeys(str(row["episodes"]) for row in ended)),
    )


def findings_text(findings: Sequence[FindingData]) -> str:
    """Tell what examinations found in the program."""
    if not findings:
        return "None are recorded in the run."
    return "\n".join(
        f"- {item.severity}: {one_line(item.text)}"
        f"{f' (line {item.line})' if item.line else ''}"
        for item in findings
    )


def provenance_rows(exported: Exported) -> list[tuple[str, str]]:
    """Return where a program came from, a row a fact; unknown facts are left out."""
    told, origin = exported.told, exported.program.provenance
    versions = exported.run.versions.items()
    rows = [
        ("proposer", told.proposer or origin.proposer),
        ("model", told.model or origin.model),
        ("digest", told.digest),
        ("parents", ", ".join(told.parents or origin.parents)),
        ("edited by hand", "yes" if origin.edited else ""),
        ("environment", exported.setting.env),
        ("combine", f"{exported.setting.combine}, weight {exported.setting.weight:g}"),
        ("design", told.design if told.design != told.digest[:_SHORT] else ""),
        ("run", exported.run.state),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions)),
    ]
    return [row for row in rows if row[1]]
