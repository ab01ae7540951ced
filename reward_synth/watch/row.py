"""What the list tells of a run, in one line."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from reward_synth.report.data import RunData, TrialData
from reward_synth.report.page.lineage import main_score
from reward_synth.report.words import number, percent

_PENDING = ("ok", "running", "waiting")


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list."""

    name: str
    """Its id."""
    title: str = ""
    state: str = ""
    done: int = 0
    failed: int = 0
    total: int = 0
    """Trainings in all."""
    created: float = 0.0
    """Seconds since the epoch; 0 if not known."""
    best: str = ""
    """The best design or program so far, with its figure."""
    digest: str = ""
    """Changes when anything of the run does; empty if it cannot be read."""
    trouble: str = ""
    """What cannot be read, in a sentence; empty if all can."""


def row_of(name: str, run: RunData) -> Row:
    """Return the line of a run.

    Example:
        >>> row_of("a-0001", RunData("A", "", "c", 7.0, "running", (), (), ())).created
        7.0
    """
    return Row(
        name,
        run.title,
        run.state,
        done=sum(item.status == "ok" for item in run.trials),
        failed=sum(item.status not in _PENDING for item in run.trials),
        total=len(run.trials),
        created=run.created,
        best=best(run),
        digest=_digest(run),
    )


def _digest(run: RunData) -> str:
    data = json.dumps(run.to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(data.encode()).hexdigest()[:32]


def best(run: RunData) -> str:
    """Return who is ahead: by trained agents, or by scores before any was trained.

    A design counts with the mean over its tasks of the newest evaluations.

    Example:
        >>> from reward_synth.report.data import Measured
        >>> curve = (Measured(100, 0.25, 0.0, 0.0), Measured(200, 0.5, 0.0, 0.0))
        >>> trial = TrialData("T", "hand", "sac", 0, 200, "ok", curve=curve)
        >>> best(RunData("A", "", "c", 0.0, "running", (), (), (trial,)))
        'hand: 50 % success'
    """
    shares = _shares(run.trials)
    if shares:
        name = max(shares, key=lambda item: shares[item])
        return f"{name}: {percent(shares[name])} success"
    return _best_program(run)


def _shares(trials: Iterable[TrialData]) -> Mapping[str, float]:
    found: dict[str, dict[str, list[float]]] = {}
    for item in trials:
        if item.curve and item.status in _PENDING:
            tasks = found.setdefault(item.design, {})
            tasks.setdefault(item.task, []).append(item.curve[-1].success_any)
    return {name: fmean(map(fmean, tasks.values())) for name, tasks in found.items()}


def _best_program(run: RunData) -> str:
    score = main_score(run.programs)
    values = {
        item.digest: item.scores[score]
        for item in run.programs
        if math.isfinite(item.scores.get(score, math.nan))
    }
    if not values:
        return ""
    digest = max(values, key=lambda item: values[item])
    return f"{digest[:10]}: {score} {number(values[digest])}"
