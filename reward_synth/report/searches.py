"""Tells runs of ``generate`` and ``train`` in the words of a report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reward_synth.llm import Completion, Usage
from reward_synth.program import RewardProgram
from reward_synth.report.data import (
    Cost,
    DesignData,
    FindingData,
    Kind,
    ProgramData,
    RunData,
    TaskData,
    TrialData,
)
from reward_synth.store import RunStore
from reward_synth.task import Success, TaskSpec

_SHOWN = 10
"""Digits of a program's digest that name its design."""
_ABOUT: dict[str, str] = {
    "sparse": "1 for every step in which the success rule holds, else 0.",
    "expert": "The environment's own dense reward.",
}


def plan_of_search(folder: Path, store: RunStore) -> RunData:
    """Return what a run made and trains; what trainings gave is left out."""
    task = TaskSpec.load(folder / "task.json")
    configs = dict(_trainings(folder, store))
    told = {item.kind: item.text for item in reversed(list(store.events()))}
    steps = max((int(item["steps"]) for item in configs.values()), default=0)
    designs = dict.fromkeys(_design(item) for item in configs.values())
    return RunData(
        task.id,
        task.instruction,
        told.get("command", ""),
        created=0.0,
        state="running",
        tasks=(
            TaskData(
                task.id,
                task.instruction,
                success_words(task.success),
                task.horizon,
                steps,
            ),
        ),
        designs=tuple(DesignData(*item) for item in designs),
        trials=tuple(_trial(key, item, task.id) for key, item in configs.items()),
        programs=tuple(_programs(folder, store, task.id)),
        versions=json.loads(told.get("versions", "{}")),
        machine=json.loads(told.get("machine", "{}")),
        cost=_asked(store),
    )


def _trainings(
    folder: Path, store: RunStore
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield key and settings of every training: finished, failed or running."""
    seen = set()
    for row in store.trials():
        seen.add(row.key)
        yield row.key, row.config
    for file in sorted((folder / "trials").glob("*/trial.json")):
        if file.parent.name not in seen:
            yield file.parent.name, json.loads(file.read_text(encoding="utf-8"))


def _design(config: Mapping[str, Any]) -> tuple[str, Kind, str]:
    arm = config["arm"]
    if arm in _ABOUT:
        return arm, arm, _ABOUT[arm]
    name = str(config["program"])[:_SHOWN]
    return name, "program", f"The reward program {name}; {config['combine']}."


def _trial(key: str, config: Mapping[str, Any], task: str) -> TrialData:
    return TrialData(
        task,
        _design(config)[0],
        config["agent"]["algorithm"],
        config["seed"],
        config["steps"],
        "waiting",
        program=config["program"] or "",
        episodes=config.get("episodes", 0),
        key=key,
    )


def _programs(folder: Path, store: RunStore, task: str) -> Iterator[ProgramData]:
    chosen = _chosen(folder)
    known = False
    for row in store.programs:
        known = known or row.digest == chosen
        found = [
            _finding(item)
            for group in store.programs.findings(row.digest).values()
            for item in group
        ]
        yield ProgramData(
            row.digest,
            row.source,
            task,
            row.digest[:_SHOWN],
            row.proposer,
            row.model,
            row.parents,
            tuple(found),
            store.programs.scores(row.digest),
            row.digest == chosen,
        )
    if chosen and not known:  # a run of `train` has the user's program alone
        source = (folder / "reward.py").read_text(encoding="utf-8")
        yield ProgramData(chosen, source, task, chosen[:_SHOWN], chosen=True)


def _finding(item: Mapping[str, Any]) -> FindingData:
    text = " ".join(part for part in (item["message"], item["fix"]) if part)
    return FindingData(item["severity"], text, item["line"])


def success_words(success: Success | None) -> str:
    """Return a success rule with its words, if these say more.

    Example:
        >>> success_words(Success("x > 1", "the ball is in the hole"))
        'the ball is in the hole (x > 1)'
    """
    if success is None:
        return ""
    if success.rule in success.words:
        return success.words
    return f"{success.words} ({success.rule})"


def _chosen(folder: Path) -> str:
    file = folder / "reward.py"
    return RewardProgram.load(file).digest if file.is_file() else ""


def _asked(store: RunStore) -> Cost:
    completions = [
        Completion.from_payload(item) for _, item in store.calls.completions()
    ]
    usage = Usage.total(completions)
    return Cost(
        requests=len(completions),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
    )
