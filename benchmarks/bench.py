"""Runs a suite: every design on every task, for every seed, each training once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from reward_synth.agents.training import train_all
from reward_synth.api.config import EnvConfig, SandboxMode
from reward_synth.api.prepare import describe, require_success
from reward_synth.api.provenance import record_start
from reward_synth.api.result import Watcher
from reward_synth.benchmarks.designs import Place, Skipped, Treatment
from reward_synth.benchmarks.plan import Described, cells, plan
from reward_synth.benchmarks.suite import Suite, SuiteTask
from reward_synth.engine import Engine
from reward_synth.envs import EnvRef, resolve
from reward_synth.errors import NotAvailableError, NothingUsableError, UsageError
from reward_synth.report import RunData
from reward_synth.report.runs import read_run, write_plan
from reward_synth.store import RunStore
from reward_synth.task import TaskSpec


def bench(
    suite: Suite,
    folder: Path,
    engine: Engine,
    *,
    only: Sequence[str] = (),
    sandbox: SandboxMode = "reduced",
    watcher: Watcher | None = None,
) -> RunData:
    """Run every training of a suite that ``folder`` does not hold yet.

    Args:
        suite: What is compared.
        folder: The run's folder; one that was broken off goes on.
        engine: Where trainings run.
        only: Patterns that name a part of the suite; see :func:`select`.
        sandbox: Of the processes that check programs and that train with them.
        watcher: Is told what happens.

    Returns:
        What was measured; failed trainings are in it with their reason.

    Raises:
        NotAvailableError: Simulators are missing; the message tells what to install.
        NothingUsableError: Every training failed.
        RunConflictError: The folder holds another run.
        UsageError: A task has no success rule, or a design does not fit.
    """
    watcher = watcher or Watcher()
    part = select(suite, only)
    find_environments(part)  # refuse before a folder is made
    with RunStore.open(folder, {"verb": "bench", "suite": suite.to_dict()}) as store:
        record_start(store)
        places, treated, notes = prepared(part, folder, watcher, sandbox)
        trainings = list(cells(part, places, treated, sandbox))
        write_plan(folder, plan(part, places, trainings, notes))
        specs = [cell.spec for cell in trainings]
        trained = train_all(specs, store, engine, watch=watcher.training)
        if trained and all(item.status != "ok" for item in trained):
            raise NothingUsableError(
                f"Every training failed; the first: {trained[0].error}"
            )
        if part == suite and all(item.status == "ok" for item in trained):
            store.finish()
    return read_run(folder)


def select(suite: Suite, only: Sequence[str]) -> Suite:
    """Return the part of a suite that patterns name: tasks, designs, or both.

    Args:
        suite: The suite.
        only: Names or patterns such as ``MetaWorld/*``; each must name something.

    Raises:
        UsageError: A pattern names nothing, or nothing is left.

    Example:
        >>> from reward_synth.benchmarks.suite import load_suite
        >>> part = select(load_suite("quick"), ["MountainCar*", "sparse"])
        >>> len(part.tasks), list(part.designs)
        (1, ['sparse'])
    """
    names = [item.name for item in suite.tasks]
    for pattern in only:
        if not _matching(pattern, [*names, *suite.designs]):
            raise UsageError(
                f"--only {pattern!r} names nothing in the suite {suite.name!r}. Its tasks "
                f"are {', '.join(names)}; its designs {', '.join(suite.designs)}."
            )
    tasks = {name for pattern in only for name in _matching(pattern, names)}
    designs = {name for pattern in only for name in _matching(pattern, suite.designs)}
    kept = {n: d for n, d in suite.designs.items() if not designs or n in designs}
    chosen = tuple(
        replace(item, designs=tuple(n for n in item.designs if n in kept))
        for item in suite.tasks
        if (not tasks or item.name in tasks)
        and (not item.designs or any(n in kept for n in item.designs))
    )
    if not chosen:
        raise UsageError(f"--only leaves nothing of the suite {suite.name!r}.")
    return replace(suite, tasks=chosen, designs=kept)


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    wanted = pattern.casefold()
    return [name for name in names if fnmatchcase(name.casefold(), wanted)]


def find_environments(suite: Suite) -> dict[str, EnvRef]:
    """Return the environment of each task.

    Raises:
        NotAvailableError: All that are missing, and what installs them.
    """
    found: dict[str, EnvRef] = {}
    missing: dict[str, list[str]] = {}
    for item in suite.tasks:
        try:
            found[item.name] = resolve(item.env, item.env_kwargs)
        except NotAvailableError as cause:
            missing.setdefault(str(cause), []).append(item.name)
    if missing:
        reasons = " ".join(f"{', '.join(v)}: {k}" for k, v in missing.items())
        raise NotAvailableError(
            f"The suite {suite.name!r} needs simulators that are not here. {reasons} "
            "Or leave tasks out with --only."
        )
    return found


def prepared(
    suite: Suite, folder: Path, watcher: Watcher, sandbox: SandboxMode = "reduced"
) -> tuple[list[Described], dict[tuple[str, str], Treatment], list[str]]:
    """Describe every task and ask every design what it does there.

    Args:
        suite: What is compared.
        folder: Keeps descriptions and programs, so that neither is made twice.
        watcher: Is told what happens.
        sandbox: Of the processes that check programs.

    Returns:
        The tasks, the treatments by task and design, and what was left out.
    """
    refs = find_environments(suite)
    places = [_described(i, refs[i.name], folder, watcher) for i in suite.tasks]
    return places, *_treatments(suite, places, folder, watcher, sandbox)


def _described(
    item: SuiteTask, ref: EnvRef, folder: Path, watcher: Watcher
) -> Described:
    """Describe a task, once in a run."""
    file = folder / "tasks" / f"{_slug(item.name)}.json"
    if file.is_file():
        return Described(item, ref, TaskSpec.load(file), file)
    watcher.notify(f"{item.name}: describing the task.")
    config = EnvConfig(item.env, item.env_kwargs, success=item.success)
    _, task = describe(config, watcher.notify)
    require_success(task)
    file.parent.mkdir(parents=True, exist_ok=True)
    task.save(file)
    return Described(item, ref, task, file)


def _treatments(
    suite: Suite,
    places: Sequence[Described],
    folder: Path,
    watcher: Watcher,
    sandbox: SandboxMode,
) -> tuple[dict[tuple[str, str], Treatment], list[str]]:
    """Ask every design what it does on every task; tell what is left out."""
    treated: dict[tuple[str, str], Treatment] = {}
    notes: list[str] = []
    for place in places:
        item = place.item
        env = EnvConfig(item.env, item.env_kwargs, task_file=str(place.file))
        for name, design in suite.designs_of(item).items():
            own = folder / "designs" / _slug(name) / _slug(item.name)
            watcher.notify(f"{item.name}: preparing the design {name!r}.")
            treatment = design.treat(
                Place(env, place.ref, place.task, own, sandbox=sandbox)
            )
            if isinstance(treatment, Skipped):
                notes.append(f"{name} is left out on {item.name}: {treatment.reason}.")
                watcher.notify(notes[-1])
            else:
                treated[item.name, name] = treatment
    return treated, notes


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", name)
