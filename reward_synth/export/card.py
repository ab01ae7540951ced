"""Writes a reward card: a folder that tells, holds and runs one reward program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_synth.errors import UsageError
from reward_synth.export.chosen import Exported
from reward_synth.export.metrics import metrics
from reward_synth.export.usage import snippets
from reward_synth.export.words import (
    fenced,
    findings_text,
    measured_text,
    one_line,
    provenance_rows,
    table,
)
from reward_synth.export.yamltext import yaml_text

LIBRARY = "reward_synth"
UNKNOWN = "unknown"
"""The licence of a card whose user named none; Hugging Face has this word."""
_MARK = f'library_name: "{LIBRARY}"'


def write_card(
    exported: Exported, folder: str | Path, *, license_name: str = UNKNOWN
) -> Path:
    """Write a reward card, and return its folder.

    It holds ``README.md`` with front matter as of a Hugging Face model card,
    ``reward.py``, ``task.json`` and ``metrics.json``.

    Args:
        exported: The program.
        folder: Where; a card that lies there is written anew.
        license_name: Of the program, for example ``mit``.

    Raises:
        UsageError: The folder holds a README.md that is no reward card.
    """
    place = Path(folder)
    readme = place / "README.md"
    if readme.is_file() and _MARK not in readme.read_text(encoding="utf-8"):
        raise UsageError(
            f"{readme} is not a reward card and would be lost. Give an empty folder "
            "with --to."
        )
    place.mkdir(parents=True, exist_ok=True)
    told = metrics(exported)
    exported.program.save(place / "reward.py")
    exported.task.save(place / "task.json")
    text = json.dumps(told, indent=2) + "\n"
    (place / "metrics.json").write_text(text, encoding="utf-8")
    readme.write_text(card_text(exported, told, license_name), encoding="utf-8")
    return place


def card_text(exported: Exported, told: Mapping[str, Any], license_name: str) -> str:
    """Return the text of ``README.md``."""
    task = exported.task
    success = (
        f"Success: `{one_line(task.success.rule)}` ({one_line(task.success.words)})"
        if task.success
        else "No success rule is known."
    )
    parts = [
        f"---\n{yaml_text(front_matter(exported, told, license_name))}---",
        f"# A dense reward for {one_line(task.id)}",
        one_line(task.instruction),
        success,
        "## Use",
        *snippets(exported),
        "## Program",
        fenced(exported.program.source, "python"),
        "## Measured",
        measured_text(told),
        "## Findings",
        findings_text(exported.told.findings),
        "## Provenance",
        table(("what", "value"), provenance_rows(exported)),
        *_command(exported),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _command(exported: Exported) -> list[str]:
    command = exported.run.command
    return ["Made with:", fenced(command, "sh")] if command else []


def front_matter(
    exported: Exported, told: Mapping[str, Any], license_name: str
) -> dict[str, Any]:
    """Return the front matter of a card, in the words of Hugging Face's model cards."""
    name = exported.task.id
    data: dict[str, Any] = {
        "library_name": LIBRARY,
        "license": license_name,
        "pipeline_tag": "reinforcement-learning",
        "tags": [LIBRARY, "reinforcement-learning", "reward-shaping", name],
    }
    results = _results(name, told)
    if results:
        data["model-index"] = [
            {"name": f"{name} reward {exported.told.digest[:10]}", "results": results}
        ]
    return data


def _results(task: str, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    own = [item for item in told["arms"] if item["design"] and item["seeds"]]
    if not told["trained"]:
        return []
    arm = own[0]
    words = f"success; seeds: {arm['seeds']}, episodes of each: {arm['episodes']}"
    metric = {"type": "success_rate", "name": words, "value": arm["success"]}
    kind = {"type": "reinforcement-learning", "name": "reinforcement-learning"}
    return [
        {"task": kind, "dataset": {"name": task, "type": task}, "metrics": [metric]}
    ]
