"""The figures of the page on security, from the committed campaigns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_synth.report.texts import table

Row = Mapping[str, Any]
_COLUMNS = ("escapes", "leaks", "changes", "kept", "crashes", "hangs", "held")


def security_tables(folder: Path) -> str:
    """Return the tables of every campaign whose result lies in a folder."""
    makers = {
        "hostile": hostile_table,
        "fuzz": fuzz_lines,
        "refusals": refusals_lines,
        "sandbox_cost": cost_lines,
    }
    parts = [
        maker(json.loads(path.read_text()))
        for name, maker in makers.items()
        if (path := folder / f"{name}.json").exists()
    ]
    return "\n\n".join(parts)


def hostile_table(data: Row) -> str:
    """Return one line a layer.

    Example:
        >>> row = dict.fromkeys(_COLUMNS, 0) | {"layer": "gate"}
        >>> data = {"programs": 1, "families": {"f": 1}, "summary": [row],
        ...         "origins": {"own": {"programs": 1, "from": "us"}}}
        >>> hostile_table(data).splitlines()[-1]
        '- 1: us'
    """
    rows = [
        (row["layer"], *(str(row[name]) for name in _COLUMNS))
        for row in data["summary"]
    ]
    origins = [
        f"- {item['programs']}: {item['from']}" for item in data["origins"].values()
    ]
    return "\n".join(
        [
            f"### {data['programs']} hostile programs in {len(data['families'])} families",
            "",
            table(("alone", *_COLUMNS), rows),
            "",
            "Where they come from:",
            "",
            *origins,
        ]
    )


def fuzz_lines(data: Row) -> str:
    """Return what the fuzzer found."""
    counts = data["counts"]
    bad = ", ".join(f"{name} {count}" for name, count in data["bad"].items())
    return "\n".join(
        [
            "### Fuzz",
            "",
            f"{counts['texts']:,} texts through the parser (seed {data['seed']}), "
            f"{counts.get('accepted', 0):,} accepted and run in the reference "
            f"interpreter, {counts.get('compiled', 0):,} of these as kernels and "
            f"{counts.get('plain: ok', 0):,} as plain Python in the worker.",
            "",
            f"What must not be: {bad}.",
            "",
            f"The gate stopped {counts.get('stopped by the gate', 0):,}. Of those that "
            f"passed it, {counts.get('not finite on a later state', 0):,} gave no finite "
            "number on a state that it had not seen; "
            f"{counts.get('guarded programs', 0):,} of these ran in the wrapper for "
            f"{counts.get('guarded steps', 0):,} steps.",
        ]
    )


def refusals_lines(data: Row) -> str:
    """Return how many plausible rewards are refused."""
    rows = [
        (
            name,
            str(item["programs"]),
            f"{item['at_once_share']:.1%}",
            f"{item['after_repair_share']:.1%}",
        )
        for name, item in (("all", data["all"]), *data["by_style"].items())
    ]
    first = "; ".join(
        f"{name}: {item['at_once']} of {item['programs']}"
        for name, item in data["first_look"].items()
    )
    return "\n".join(
        [
            "### Plausible rewards that are refused",
            "",
            table(("style", "programs", "accepted at once", "after the hints"), rows),
            "",
            "The language was extended after it had been tried on these; accepted at the "
            f"first look were {first}.",
        ]
    )


def cost_lines(data: Row) -> str:
    """Return what the sandbox costs."""
    warm, cold = data["start"]["warm"], data["start"]["cold"]
    begun = data["training_start"]
    over = max(row["over_s"] for row in data["runaways"])
    return "\n".join(
        [
            "### Cost",
            "",
            f"- Start of a locked worker from the warm server: {warm['least_ms']:.1f} ms "
            f"at best, {warm['median_ms']:.1f} ms in the median of {warm['runs']}, "
            f"{warm['processor_ms']:.1f} ms of processor time (load "
            f"{data['start']['load']} on {data['cores']} cores). As a new interpreter: "
            f"{cold['median_ms']:.0f} ms.",
            f"- Runaways ({len(data['runaways'])}): stopped at most {over:.2f} s after "
            f"their limit; orphans left: {data['orphans']}.",
            f"- A check in two workers is {data['share']['share']:.2%} of the processor time "
            f"of the cheapest training, PPO for {data['share']['training_steps']:,} steps. The "
            f"confined process around that training takes {begun['forked_processor_s']:.2f} s "
            f"of a processor, {begun['share']:.2%}; as a new program it takes "
            f"{begun['new_processor_s']:.1f} s.",
        ]
    )
