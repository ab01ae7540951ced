"""What a run measured about a program, with how it was measured; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reward_synth.export.chosen import Exported
from reward_synth.report import TrialData

THIS = "this reward"


def metrics(exported: Exported) -> dict[str, Any]:
    """Return the content of ``metrics.json``.

    ``success`` is the mean, over trainings that ended, of the share of evaluation
    episodes in which the success rule held after any step, at the end of training.
    """
    program = exported.told
    kinds = {item.name: item.kind for item in exported.run.designs}
    shown = [
        name
        for name in dict.fromkeys(item.design for item in exported.trials)
        if name == program.design or kinds.get(name) in ("sparse", "expert")
    ]
    arms = [_arm(exported, name) for name in shown]
    return {
        "task": exported.task.id,
        "program": program.digest,
        "success_rule": exported.task.success.rule if exported.task.success else None,
        "trained": any(item["arm"] == THIS and item["seeds"] for item in arms),
        "arms": sorted(arms, key=lambda item: item["arm"] != THIS),
        "scores": dict(program.scores),
    }


def _arm(exported: Exported, design: str) -> dict[str, Any]:
    own = [item for item in exported.trials if item.design == design]
    rows = [_training(exported, item) for item in own]
    ended = [row for row in rows if row["status"] == "ok"]
    return {
        "arm": THIS if design == exported.told.design else design,
        "design": design,
        "seeds": len(ended),
        "episodes": _common(ended, "episodes"),
        "steps": _common(ended, "steps"),
        "success": _mean(ended, "success_any"),
        "success_last": _mean(ended, "success_last"),
        "trainings": rows,
    }


def _training(exported: Exported, item: TrialData) -> dict[str, Any]:
    config = exported.configs.get(item.key, {})
    row = {
        "seed": item.seed,
        "steps": item.steps,
        "algorithm": config.get("agent", {}).get("algorithm", item.agent),
        "episodes": config.get("episodes"),
        "status": item.status,
    }
    final = item.final
    if final is None:
        return {**row, "error": item.error}
    return {
        **row,
        "success_any": final.success_any,
        "success_last": final.success_last,
        "env_return": final.env_return,
        "components": dict(final.components),
        "seconds": item.seconds,
    }


def _mean(rows: Sequence[dict[str, Any]], name: str) -> float | None:
    return sum(row[name] for row in rows) / len(rows) if rows else None


def _common(rows: Sequence[dict[str, Any]], name: str) -> Any:
    """Return what all trainings share, None if they differ or there are none."""
    values = {row[name] for row in rows}
    return values.pop() if len(values) == 1 else None
