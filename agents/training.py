"""Trains several arms side by side and keeps what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reward_synth.agents.progress import FAILED, PROGRESS
from reward_synth.agents.trial import TrialSpec, trial_call
from reward_synth.engine import CallResult, Engine
from reward_synth.store import RunStore
from reward_synth.store.rows import TrialRow


@dataclass(frozen=True, slots=True)
class TrialProgress:
    """How far one running trial is."""

    key: str
    steps: int
    total: int
    seconds: float
    program: str = ""
    """Digest of the program that is trained with; empty: none, or several."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One trial and what was measured."""

    spec: TrialSpec
    status: str
    """``ok``, or what went wrong in a word."""
    result: dict[str, Any]
    """Empty unless the status is ``ok``."""
    error: str = ""
    reused: bool = False
    """True if the result was in the store already."""


def train_all(
    specs: Sequence[TrialSpec],
    store: RunStore,
    engine: Engine,
    *,
    timeout: float | None = None,
    watch: Callable[[list[TrialProgress]], None] = lambda _: None,
) -> list[Trained]:
    """Run every trial that the store does not hold yet; results in the given order.

    Equal trials run once. A trial that fails, hangs or crashes is one trial's record.
    """
    found = {spec.key: _stored(spec, store) for spec in specs}
    todo = {spec.key: spec for spec in specs if found[spec.key] is None}
    folder = store.folder / "trials"
    calls = [trial_call(spec, folder / key, timeout) for key, spec in todo.items()]
    outcomes = engine.run(calls, lambda: watch(_named(folder, todo)))
    for outcome in outcomes:
        found[outcome.key] = _keep(todo[outcome.key], outcome, store, folder)
    return [item for spec in specs if (item := found[spec.key]) is not None]


def _named(folder: Path, todo: Mapping[str, TrialSpec]) -> list[TrialProgress]:
    """Return how far trainings are, each with the digest of its program."""
    rows = read_progress(folder, list(todo))
    programs = {key: spec.program for key, spec in todo.items()}
    return [
        replace(row, program=program.digest)
        if (program := programs[row.key]) is not None
        else row
        for row in rows
    ]


def read_progress(folder: Path, keys: Sequence[str]) -> list[TrialProgress]:
    """Return the progress that running trials have written."""
    rows = []
    for key in keys:
        try:
            data = json.loads((folder / key / PROGRESS).read_text())
            rows.append(TrialProgress(key, **data))
        except (OSError, ValueError, TypeError):
            continue  # not started yet
    return rows


def _stored(spec: TrialSpec, store: RunStore) -> Trained | None:
    row = store.find_trial(spec.key)
    if row is None or row.status != "ok":
        return None
    return Trained(spec, row.status, dict(row.result), reused=True)


def _keep(
    spec: TrialSpec, outcome: CallResult, store: RunStore, folder: Path
) -> Trained:
    if outcome.status != "ok":
        own = folder / spec.key
        own.mkdir(parents=True, exist_ok=True)
        said = {"status": outcome.status, "error": outcome.error}
        (own / FAILED).write_text(json.dumps(said))
        store.record_event(
            "failed", f"Trial {spec.arm} seed {spec.seed}: {outcome.error}"
        )
        return Trained(spec, outcome.status, {}, outcome.error)
    row = TrialRow(spec.key, spec.arm, spec.seed, spec.config(), "ok", outcome.value)
    store.record_trial(row)
    # as a run that goes on finds it, so that both tell it in the same order of keys
    kept = store.find_trial(spec.key) or row
    return Trained(spec, "ok", dict(kept.result))
