"""Benches: every training once, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.api.config import SandboxMode
from reward_synth.api.result import Watcher
from reward_synth.benchmarks.bench import bench, prepared, select
from reward_synth.benchmarks.designs import Symbolic
from reward_synth.benchmarks.suite import Suite, parse_suite
from reward_synth.engine import Call, CallResult, LocalEngine
from reward_synth.errors import (
    NotAvailableError,
    NothingUsableError,
    RunConflictError,
    UsageError,
)
from reward_synth.report import RunData
from reward_synth.report.runs import read_run
from reward_synth.store import RunStore

CAR = "MountainCarContinuous-v0"
TEXT = """
seeds = 1
episodes = 2
evaluations = 2
[agents.default]
net_arch = [16]
[designs.sparse]
[designs.hand]
kind = "file"
file = "{task}.py"
[tasks.MountainCarContinuous-v0]
steps = 100
env_kwargs = { max_episode_steps = 50 }
[tasks.Pendulum-v1]
steps = 100
env_kwargs = { max_episode_steps = 50 }
"""
PROGRAM = """def compute_reward(velocity):
    return {"speed": 10.0 * abs(velocity)}
"""


class Counting:
    """A local engine that keeps what it was asked to run."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def run(
        self, calls: Sequence[Call], tick: Callable[[], None] = lambda: None
    ) -> Iterator[CallResult]:
        self.keys += [call.key for call in calls]
        yield from LocalEngine(2).run(calls, tick)


class Failing:
    """Runs nothing: every call has crashed."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def run(
        self, calls: Sequence[Call], tick: Callable[[], None] = lambda: None
    ) -> Iterator[CallResult]:
        self.calls += calls
        yield from (CallResult(call.key, "crashed", error="gone") for call in calls)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("suite")
    (folder / f"{CAR}.py").write_text(PROGRAM)
    return parse_suite("mine", TEXT, folder)


@pytest.fixture(scope="module")
def done(
    suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunData]:
    folder = tmp_path_factory.mktemp("run")
    return folder, bench(suite, folder, LocalEngine(2))


def numbers(run: RunData) -> object:
    """Return what was measured, without seconds."""
    return [replace(trial, seconds=0.0) for trial in run.trials]


def test_every_cell_is_measured(done: tuple[Path, RunData]) -> None:
    """One training a task, design and seed; a task without a program of a folder is left
    out and named; the last evaluation is made at the last step."""
    _, run = done
    cells = [(trial.task, trial.design, trial.seed) for trial in run.trials]
    assert cells == [(CAR, "sparse", 0), (CAR, "hand", 0), ("Pendulum-v1", "sparse", 0)]
    assert any("hand is left out on Pendulum-v1" in note for note in run.notes)
    assert run.state == "finished"
    for trial in run.trials:
        assert trial.status == "ok"
        assert trial.final is not None
        assert trial.final.step >= 100
        assert trial.selection is not None
    hand = run.trials[1]
    assert hand.final is not None
    assert list(hand.final.components) == ["speed"]
    (program,) = run.programs
    assert (program.source.strip(), program.digest) == (PROGRAM.strip(), hand.program)


def test_a_finished_bench_runs_nothing_again(
    suite: Suite, done: tuple[Path, RunData]
) -> None:
    """The same call on the same folder trains nothing, and tells the same."""
    folder, run = done
    engine = Counting()
    again = bench(suite, folder, engine)
    assert engine.keys == []
    assert again == run


def test_equal_seeds_give_equal_figures(
    suite: Suite, done: tuple[Path, RunData], tmp_path: Path
) -> None:
    """A second bench elsewhere measures the same numbers."""
    _, run = done
    part = bench(suite, tmp_path, LocalEngine(2), only=[CAR])
    expected = [trial for trial in run.trials if trial.task == CAR]
    assert numbers(part) == numbers(replace(run, trials=tuple(expected)))


def test_parts_add_up(suite: Suite, done: tuple[Path, RunData], tmp_path: Path) -> None:
    """A bench that began with a part goes on with the rest, and trains no cell twice."""
    first = bench(suite, tmp_path, LocalEngine(2), only=["Pendulum-v1"])
    assert [trial.task for trial in first.trials] == ["Pendulum-v1"]
    engine = Counting()
    whole = bench(suite, tmp_path, engine, only=[])
    assert first.trials[0].key not in engine.keys
    assert len(engine.keys) == 2
    assert {trial.key for trial in whole.trials} == {t.key for t in done[1].trials}
    assert whole.state == "finished"


def test_failed_trainings_are_told_and_tried_again(
    suite: Suite, tmp_path: Path
) -> None:
    """A training's crash is in the data with its reason; the next call runs it."""
    with pytest.raises(NothingUsableError, match=r"Every training failed.*gone"):
        bench(suite, tmp_path, Failing(), only=[CAR, "sparse"])
    (failed,) = read_run(tmp_path).trials
    assert (failed.status, failed.error, failed.final) == ("crashed", "gone", None)
    whole = bench(suite, tmp_path, LocalEngine(1), only=[CAR, "sparse"])
    assert [trial.status for trial in whole.trials] == ["ok"]


def test_another_suite_does_not_go_on_in_the_folder(
    suite: Suite, done: tuple[Path, RunData]
) -> None:
    """The folder of one comparison refuses another, and says what differs."""
    folder, _ = done
    with pytest.raises(RunConflictError, match="episodes"):
        bench(replace(suite, episodes=3), folder, LocalEngine(1))


def test_missing_simulators_are_named_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All missing packages are named with what installs them, and no folder is made."""
    text = TEXT + '[tasks."ManiSkill/PickCube-v1"]\nsteps = 1\n'
    everything = parse_suite("mine", text, tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        NotAvailableError, match=r"PickCube-v1: .*\[maniskill\].*--only"
    ):
        bench(everything, tmp_path / "run", LocalEngine(1))
    assert not (tmp_path / "run").exists()


def test_a_task_without_success_is_refused(tmp_path: Path) -> None:
    """What could not be measured is not trained; the error tells what helps."""
    text = "[designs.sparse]\n[tasks.CartPole-v1]\nsteps = 1\n"
    with pytest.raises(UsageError, match=r"'CartPole-v1'.*--success"):
        bench(parse_suite("mine", text, tmp_path), tmp_path / "run", LocalEngine(1))


def test_the_plan_is_json(done: tuple[Path, RunData]) -> None:
    """What is told of a run is plain data, and comes back from it whole."""
    _, run = done
    assert RunData.from_dict(json.loads(json.dumps(run.to_dict()))) == run


@pytest.mark.parametrize("mode", ["strict", "reduced"])
def test_the_sandbox_is_every_trainings(
    mode: SandboxMode, suite: Suite, tmp_path: Path
) -> None:
    """What is asked for reaches each training, and changes no training's identity."""
    engine = Failing()
    with pytest.raises(NothingUsableError):
        bench(suite, tmp_path, engine, sandbox=mode)
    specs = [call.arguments[0] for call in engine.calls]
    assert [spec.sandbox for spec in specs] == [mode] * 3
    assert {replace(spec, sandbox="reduced").key for spec in specs} == {
        spec.key for spec in specs
    }


def test_the_sandbox_is_that_of_programs_searched_for(
    suite: Suite, tmp_path: Path
) -> None:
    """A design that searches checks its programs under the mode that is asked for."""
    part = replace(
        select(suite, [CAR, "sparse"]), designs={"s": Symbolic(candidates=2)}
    )
    prepared(part, tmp_path, Watcher(), "strict")
    with RunStore.read(tmp_path / "designs" / "s" / CAR) as store:
        assert store.config["sandbox"] == "strict"
