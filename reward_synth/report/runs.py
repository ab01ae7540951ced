"""Reads the folder of a run into what a report is made from, also while it runs."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reward_synth.agents.frames import FRAMES, NO_FRAMES
from reward_synth.agents.progress import EVALUATIONS, FAILED, PROGRESS
from reward_synth.errors import UsageError
from reward_synth.report.data import Cost, Measured, RunData, TrialData
from reward_synth.report.searches import plan_of_search
from reward_synth.store import RunStore
from reward_synth.store.lock import holder

PLAN = "plan.json"


def write_plan(folder: Path, plan: RunData) -> None:
    """Keep what a run is going to train, so that a report can tell what is missing.

    The command of the first start stays: it is the one that made the run. What other
    starts have planned stays too.
    """
    path = folder / PLAN
    if path.is_file():
        plan = _joined(_read_plan(path), plan)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(plan.to_dict(), indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, path)  # a reader never sees half a file


def read_run(folder: Path) -> RunData:
    """Return everything that a run's folder tells.

    Args:
        folder: Of a run of ``generate``, ``train`` or ``bench``, finished or not; or a
            file that ``report --format json`` wrote, which lacks nothing but pictures.

    Raises:
        UsageError: The folder holds no run, or the file no report.
    """
    if folder.is_file():
        return _read_report(folder)
    path = folder / PLAN
    with RunStore.read(folder) as store:
        plan = _read_plan(path) if path.is_file() else plan_of_search(folder, store)
        stored = {row.key: row.result for row in store.trials()}
        finished = store.finished
        created = store.created
        notes = [item.text for item in store.events() if item.kind == "note"]
    running = holder(folder) is not None
    trials = tuple(_trial(item, stored, folder, running) for item in plan.trials)
    finished = finished or (any(trials) and all(t.status != "waiting" for t in trials))
    return replace(
        plan,
        created=created,
        state="running" if running else "finished" if finished else "stopped",
        trials=trials,
        cost=_cost(plan.cost, trials),
        notes=tuple(dict.fromkeys([*plan.notes, *notes, *_undrawn(folder, trials)])),
    )


def _undrawn(folder: Path, trials: Iterable[TrialData]) -> Iterator[str]:
    """Yield why episodes could not be drawn, a sentence a task."""
    for item in trials:
        file = folder / "trials" / item.key / NO_FRAMES
        if file.is_file():
            yield f"No frames of {item.task}: {file.read_text(encoding='utf-8')}"


def _read_plan(path: Path) -> RunData:
    try:
        return RunData.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as cause:
        raise UsageError(
            f"{path} cannot be read as the plan of a run ({cause}). Start the same "
            "command with --run again, which writes it anew."
        ) from cause


def _read_report(path: Path) -> RunData:
    try:
        return RunData.from_dict(json.loads(path.read_text(encoding="utf-8"))["run"])
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise UsageError(
            f"{path} cannot be read as a report ({cause!r}). Give the folder of a run, or "
            "a file that `reward_synth report --format json` wrote."
        ) from cause


def _joined(old: RunData, new: RunData) -> RunData:
    """Add to a plan what another start of the same run planned."""
    return replace(
        new,
        command=old.command,
        tasks=_union(old.tasks, new.tasks, "name"),
        designs=_union(old.designs, new.designs, "name"),
        trials=_union(old.trials, new.trials, "key", "task", "design"),
        programs=_union(old.programs, new.programs, "digest", "task", "design"),
        notes=tuple(dict.fromkeys([*old.notes, *new.notes])),
        labels=_union(old.labels, new.labels, "name", "origin", "source"),
        distances=_union(old.distances, new.distances, "title"),
        audits=_union(old.audits, new.audits, "subject", "check"),
    )


def _union(old: Iterable[Any], new: Iterable[Any], *names: str) -> tuple[Any, ...]:
    items = {tuple(getattr(item, n) for n in names): item for item in (*old, *new)}
    return tuple(items.values())


def _trial(
    planned: TrialData,
    stored: Mapping[str, Mapping[str, Any]],
    folder: Path,
    running: bool,
) -> TrialData:
    """Fill in what is known of a planned training."""
    own = folder / "trials" / planned.key
    result = stored.get(planned.key)
    if result is not None:
        return replace(
            planned,
            status="ok",
            error="",
            curve=tuple(Measured.of(row) for row in result["curve"]),
            selection=Measured.of({"step": planned.steps, **result["selection"]}),
            seconds=float(result["seconds"]),
            frames=_picture(own / FRAMES),
        )
    failed = _json(own / FAILED)
    if failed:
        return replace(planned, status=failed["status"], error=failed["error"])
    if running and (progress := _json(own / PROGRESS)):
        curve = tuple(Measured.of(row) for row in _lines(own / EVALUATIONS))
        seconds = float(progress["seconds"])
        return replace(planned, status="running", curve=curve, seconds=seconds)
    return replace(planned, status="waiting")


def _picture(path: Path) -> str:
    """Return a picture as an address that needs no file."""
    if not path.is_file():
        return ""
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not written yet
    return data if isinstance(data, dict) else {}


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file that is being written."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    return [json.loads(line) for line in text.split("\n")[:-1]]


def _cost(asked: Cost, trials: Iterable[TrialData]) -> Cost:
    """Add up what trainings took; one that several designs share counts once."""
    done = {item.key: item for item in trials if item.curve}.values()
    return replace(
        asked,
        steps=sum(item.curve[-1].step for item in done),
        seconds=sum(item.seconds for item in done),
    )
