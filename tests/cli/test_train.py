"""``train``: both arms, everything kept, nothing trained twice, nothing left running."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reward_synth.store import RunStore
from tests.cli.tools import CAR, SECONDS, Cli, start, wait_until

STEPS = 120
EPISODES = 2
TRAIN = ("train", "--env", CAR, "--reward", "good.py", "--train-steps", STEPS)
BRIEF = ("--env-kwargs", '{"max_episode_steps": 50}')
SHORT = (*TRAIN, *BRIEF, "--episodes", EPISODES, "--run", "mine")

pytest.importorskip("stable_baselines3")
pytestmark = pytest.mark.slow


def files_of(folder: str, pattern: str) -> dict[Path, int]:
    """Return files and when each was written."""
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob(pattern)}


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Return the JSON lines of a file."""
    return (json.loads(line) for line in path.read_text().splitlines())


def running(group: int) -> bool:
    """Return whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.usefixtures("good")
def test_both_arms_are_trained_once(cli: Cli) -> None:
    """A table with both arms, rows, logs and curves; the same call trains nothing."""
    result = cli(*SHORT)
    assert result.code == 0, result.err
    head, *rows = result.out.splitlines()
    assert head.split()[:2] == ["arm", "program"]
    assert [row.split()[0] for row in rows] == ["sparse", "dense"]
    with RunStore.read("mine") as store:
        assert store.finished
        trials = list(store.trials())
    assert {trial.arm for trial in trials} == {"sparse", "dense"}
    for trial in trials:
        folder = f"mine/trials/{trial.key}"
        assert files_of(folder, "events.out.tfevents.*")
        assert trial.result["step"] == STEPS
        assert trial.config["episodes"] == EPISODES
    dense = next(trial for trial in trials if trial.arm == "dense")
    assert dense.config["program"] in (Path("mine") / "reward.py").read_text()
    report = Path("mine/report.md").read_text()
    assert "| sparse |" in report
    assert "| dense |" in report

    written = files_of("mine/trials", "*")
    data = cli.json(*SHORT)
    assert files_of("mine/trials", "*") == written
    shown = {row["arm"]: row["env_return"] for row in data["trials"]}
    assert shown == {trial.arm: trial.result["env_return"] for trial in trials}


def test_generate_trains_its_best(cli: Cli) -> None:
    """Candidates are measured beside the sparse arm; every component has its curve."""
    rule = ("--env", CAR, *BRIEF, "--success", "position >= 0.4")
    sizes = ("--n", 1, "--train-steps", STEPS, "--episodes", 1, "--run", "mine")
    data = cli.json("generate", *rule, *sizes)
    assert [row["arm"] for row in data["trials"]] == ["sparse", "dense"]
    assert {row["status"] for row in data["trials"]} == {"ok"}
    assert data["candidates"][0]["trained"] is not None
    assert "Chosen by training." in Path("mine/report.md").read_text()
    with RunStore.read("mine") as store:
        keys = {trial.arm: trial.key for trial in store.trials()}
    (curves,) = Path("mine/trials", keys["dense"]).rglob("curves.jsonl")
    episodes = list(lines_of(curves))
    assert len(episodes) == STEPS // 50
    source = Path(data["reward"]).read_text()
    for row in episodes:
        assert row["components"]
        assert all(f'"{name}"' in source for name in row["components"])


@pytest.mark.usefixtures("good")
def test_ctrl_c_leaves_nothing_running_and_the_run_goes_on(cli: Cli) -> None:
    """Exit code 130, one line, no process left; the same command finishes the run."""
    child = start(*SHORT, "--jobs", 1)
    wait_until(lambda: bool(files_of("mine", "trial.json")), "the first training")
    os.killpg(child.pid, signal.SIGINT)  # a terminal sends it to the whole group
    out, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 130
    assert out == ""
    errors = [line for line in err.splitlines() if line and not line.startswith("· ")]
    assert len(errors) == 1, err
    assert errors[0].startswith("error: Interrupted.")
    wait_until(lambda: not running(child.pid), "its processes")
    data = cli.json(*SHORT, "--jobs", 1)
    assert [row["status"] for row in data["trials"]] == ["ok", "ok"]


@pytest.mark.usefixtures("good")
def test_a_terminated_training_leaves_nothing_running() -> None:
    """SIGTERM to the command alone ends its trainings as well."""
    child = start(*SHORT, "--jobs", 1)
    wait_until(lambda: bool(files_of("mine", "trial.json")), "the first training")
    os.kill(child.pid, signal.SIGTERM)
    child.communicate(timeout=SECONDS)
    assert child.returncode == 130
    wait_until(lambda: not running(child.pid), "its processes")
