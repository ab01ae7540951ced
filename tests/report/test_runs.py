"""Folders of runs, told as data: planned, running, broken off, finished."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reward_synth.errors import UsageError
from reward_synth.language import Finding
from reward_synth.program import RewardProgram
from reward_synth.report import (
    DesignData,
    FindingData,
    Measured,
    RunData,
    TaskData,
    TrialData,
)
from reward_synth.report.runs import PLAN, read_run, write_plan
from reward_synth.store import ProgramRow, RunStore
from reward_synth.store.rows import TrialRow
from reward_synth.task import Field, TaskSpec

TASK = TaskSpec(
    "Car-v0", "Drive.", (Field("x", source="obs[0]"),), Field("action", (1,))
).with_success("x > 0.5")


def row(step: int, success: float) -> dict[str, Any]:
    return {
        "step": step,
        "success_any": success,
        "success_last": success / 2,
        "env_return": -1.0,
        "length": 9.0,
        "components": {"speed": 2.0 * success},
    }


def result(*successes: float) -> dict[str, Any]:
    curve = [row(100 * n, value) for n, value in enumerate(successes, start=1)]
    return {**curve[-1], "curve": curve, "selection": row(0, 0.5), "seconds": 2.5}


def trial(key: str, design: str = "sparse", **changes: Any) -> TrialData:
    return replace(
        TrialData("Car-v0", design, "sac", 0, 200, "waiting", key=key), **changes
    )


def plan(*trials: TrialData, command: str = "reward_synth bench mine") -> RunData:
    names = dict.fromkeys(item.design for item in trials)
    return RunData(
        "Mine",
        "",
        command,
        0.0,
        "running",
        (TaskData("Car-v0", steps=200),),
        tuple(DesignData(name) for name in names),
        trials,
    )


def record(store: RunStore, key: str, *successes: float) -> None:
    store.record_trial(TrialRow(key, "sparse", 0, {}, "ok", result(*successes)))


def test_what_is_measured_fills_the_plan(tmp_path: Path) -> None:
    """A stored training has its whole curve, the last point as its result, and the
    evaluation that candidates are chosen by; its steps and seconds are the cost."""
    write_plan(tmp_path, plan(trial("a"), trial("b", "hand")))
    with RunStore.open(tmp_path, {}) as store:
        record(store, "a", 0.2, 0.8)
    run = read_run(tmp_path)
    done, waiting = run.trials
    assert done.final == Measured(200, 0.8, 0.4, -1.0, 9.0, {"speed": 1.6})
    assert [point.success_any for point in done.curve] == [0.2, 0.8]
    assert done.selection is not None
    assert done.selection.success_any == 0.5
    assert (waiting.status, waiting.final) == ("waiting", None)
    assert (run.cost.steps, run.cost.seconds) == (200, 2.5)
    assert run.state == "stopped"


def test_a_run_is_finished_when_nothing_waits(tmp_path: Path) -> None:
    """Every training ended: the run is finished, also with failures among them."""
    write_plan(tmp_path, plan(trial("a"), trial("b")))
    with RunStore.open(tmp_path, {}) as store:
        record(store, "a", 0.2)
    own = tmp_path / "trials" / "b"
    own.mkdir(parents=True)
    (own / "failed.json").write_text('{"status": "timeout", "error": "too long"}')
    run = read_run(tmp_path)
    assert run.state == "finished"
    assert (run.trials[1].status, run.trials[1].error) == ("timeout", "too long")


def test_a_training_that_two_designs_share_costs_once(tmp_path: Path) -> None:
    """Equal trainings run once; both designs show the result."""
    write_plan(tmp_path, plan(trial("a", "one"), trial("a", "two")))
    with RunStore.open(tmp_path, {}) as store:
        record(store, "a", 0.2)
    run = read_run(tmp_path)
    assert [item.final is not None for item in run.trials] == [True, True]
    assert run.cost.seconds == 2.5


def test_a_running_training_shows_what_it_has_measured(tmp_path: Path) -> None:
    """While another process holds the run, progress and evaluations so far are told,
    without a line that is half written; when it is killed, the run has stopped."""
    write_plan(tmp_path, plan(trial("a"), trial("b")))
    code = (
        "import sys, time; from reward_synth.store import RunStore\n"
        "RunStore.open(sys.argv[1], {}); print('open', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"open\n"
    own = tmp_path / "trials" / "a"
    own.mkdir(parents=True)
    (own / "progress.json").write_text('{"steps": 150, "total": 200, "seconds": 4.0}')
    lines = [json.dumps(row(100, 0.1)), json.dumps(row(150, 0.3))[:20]]
    (own / "evaluations.jsonl").write_text("\n".join(lines))
    run = read_run(tmp_path)
    assert (run.state, run.trials[0].status) == ("running", "running")
    assert [point.step for point in run.trials[0].curve] == [100]
    assert run.trials[0].final is None
    child.kill()
    child.wait()
    child.stdout.close()
    run = read_run(tmp_path)
    assert (run.state, run.trials[0].status) == ("stopped", "waiting")


def test_a_second_start_adds_to_the_plan(tmp_path: Path) -> None:
    """What an earlier start planned stays, and so does its command."""
    write_plan(tmp_path, plan(trial("a"), command="first"))
    write_plan(tmp_path, plan(trial("b", "hand"), command="second"))
    with RunStore.open(tmp_path, {}):
        pass
    run = read_run(tmp_path)
    assert [item.key for item in run.trials] == ["a", "b"]
    assert [item.name for item in run.designs] == ["sparse", "hand"]
    assert run.command == "first"


def test_a_damaged_plan_is_told_in_a_line(tmp_path: Path) -> None:
    """Half a file is an error that names the file and what helps."""
    with RunStore.open(tmp_path, {}):
        pass
    (tmp_path / PLAN).write_text('{"title": ')
    with pytest.raises(UsageError, match=r"plan\.json cannot be read.*--run"):
        read_run(tmp_path)


def test_pictures_and_their_absence_are_told(tmp_path: Path) -> None:
    """A drawn episode is in the data itself; a reason why not is a note, told once."""
    write_plan(tmp_path, plan(trial("a"), trial("b"), trial("c")))
    with RunStore.open(tmp_path, {}) as store:
        for key in "abc":
            record(store, key, 0.2)
    for key in "abc":
        (tmp_path / "trials" / key).mkdir(parents=True)
    (tmp_path / "trials" / "a" / "frames.webp").write_bytes(b"picture")
    for key in "bc":
        (tmp_path / "trials" / key / "frames.txt").write_text("no screen")
    run = read_run(tmp_path)
    assert run.trials[0].frames == "data:image/webp;base64,cGljdHVyZQ=="
    assert run.notes == ("No frames of Car-v0: no screen",)


def searched(folder: Path) -> tuple[RewardProgram, RewardProgram]:
    """Write a run of ``generate`` with two programs and three trainings."""
    old, new = (
        RewardProgram.of(f"def compute_reward(x):\n    return {{'x': {k} * x}}\n", TASK)
        for k in (1, 2)
    )
    TASK.save(folder / "task.json")
    new.save(folder / "reward.py")
    config = {"agent": {"algorithm": "sac"}, "seed": 0, "steps": 200, "combine": "add"}
    with RunStore.open(folder, {}) as store:
        store.record_event("command", "reward_synth generate --env Car-v0")
        store.record_event("versions", '{"python": "3.11"}')
        for program, parents in ((old, ()), (new, (old.digest,))):
            store.programs.record(
                ProgramRow(program.digest, program.source, "mutate", parents=parents)
            )
        finding = Finding("warning", "flat", "It is flat.", "Scale it.", 2)
        store.programs.record_findings(old.digest, "examination", [finding.to_dict()])
        store.programs.record_score(new.digest, "screen", 0.75)
        for arm, digest in (("sparse", None), ("dense", new.digest)):
            settings = {**config, "arm": arm, "program": digest}
            store.record_trial(TrialRow(arm, arm, 0, settings, "ok", result(0.4)))
    own = folder / "trials" / "x"
    own.mkdir(parents=True)
    settings = {**config, "arm": "dense", "program": old.digest}
    (own / "trial.json").write_text(json.dumps(settings))
    return old, new


def test_a_search_is_told_in_the_same_words(tmp_path: Path) -> None:
    """Programs with parents, findings and scores; trainings as designs, those that have
    not ended too; the chosen program is the saved one."""
    old, new = searched(tmp_path)
    run = read_run(tmp_path)
    assert run.command == "reward_synth generate --env Car-v0"
    assert run.versions == {"python": "3.11"}
    assert [(item.name, item.success) for item in run.tasks] == [
        ("Car-v0", "success when x > 0.5")
    ]
    names = ["sparse", new.digest[:10], old.digest[:10]]
    assert [item.name for item in run.designs] == names
    assert [item.status for item in run.trials] == ["ok", "ok", "waiting"]
    first, second = run.programs
    assert (first.digest, first.chosen) == (old.digest, False)
    assert first.findings == (FindingData("warning", "It is flat. Scale it.", 2),)
    assert (second.parents, second.chosen) == ((old.digest,), True)
    assert second.scores == {"screen": 0.75}


def test_no_run_is_refused(tmp_path: Path) -> None:
    """A folder without a store is no run."""
    with pytest.raises(UsageError, match="holds no run"):
        read_run(tmp_path)


def test_another_users_process_counts_as_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that may not be signalled is there all the same."""
    write_plan(tmp_path, plan(trial("a")))
    with RunStore.open(tmp_path, {}):
        pass
    (tmp_path / "lock").write_text("123")

    def refuse(pid: int, number: int) -> None:
        raise PermissionError(pid, number)

    monkeypatch.setattr(os, "kill", refuse)
    assert read_run(tmp_path).state == "running"
