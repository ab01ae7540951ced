"""The zoo holds what was measured, and each program fits its task and passes the checks."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import reward_synth
from reward_synth.benchmarks.zoo import ENTRIES, found_programs
from reward_synth.errors import ProgramError, UsageError
from reward_synth.kernels import RewardKernel
from reward_synth.program import RewardProgram
from reward_synth.task import Field, TaskSpec
from reward_synth.zoo import load, names, nearest


def test_the_zoo_is_what_the_committed_trainings_say() -> None:
    """Filling it again would change no program and no figure."""
    found = found_programs()
    assert names() == tuple(found)
    for name, item in found.items():
        told = json.loads((ENTRIES / name / "measured.json").read_text())
        assert told == item.measured()
        assert load(name).program.source.strip() == item.source.strip()


@pytest.mark.parametrize("name", names())
def test_a_program_fits_its_task_and_is_compiled(name: str) -> None:
    """Its fields are the task's, unedited, and its kernel is finite on seen values."""
    entry = load(name)
    entry.program.require_fit(entry.task)
    assert not entry.program.provenance.edited
    assert entry.program.task_id == entry.task.id
    function = entry.program.ir(entry.task).reward
    assert function is not None
    kernel = RewardKernel(function)
    assert kernel.names
    program, sparse = entry.arm("program"), entry.arm("sparse")
    assert program is not None
    assert sparse is not None
    assert program.mean > sparse.mean


def test_a_name_is_taken_wherever_a_file_is() -> None:
    """wrap pays what the same program pays from its file."""
    name = "mountaincarcontinuous-v0"
    env = reward_synth.wrap(gym.make("MountainCarContinuous-v0"), f"zoo:{name}")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.array([1.0], np.float32))
    assert reward == pytest.approx(
        info["sparse_reward"] + sum(info["reward_components"].values())
    )
    assert RewardProgram.load(f"zoo:{name}") == load(name).program


def test_unknown_names_are_refused() -> None:
    """The message names the nearest and where to look; no path leads out of the zoo."""
    with pytest.raises(ProgramError, match=r"Did you mean 'acrobot-v1'.*zoo` lists"):
        RewardProgram.load("zoo:acrobot")
    with pytest.raises(ProgramError, match="holds no program"):
        RewardProgram.load("zoo:../entries/acrobot-v1")
    with pytest.raises(UsageError, match="It holds acrobot-v1"):
        load("ant")


def test_examples_are_of_other_tasks_and_the_nearest_first() -> None:
    """Another version of a task, or the same instruction, is the task itself."""
    fetch = load("fetchreach-v4").task
    others = [entry.task.id for entry in nearest(fetch, 99)]
    assert fetch.id not in others
    assert len(others) == len(names()) - 1
    assert others[0].startswith("MetaWorld/")  # a gripper and a goal, too
    newer = TaskSpec("Acrobot-v9", "x", (Field("x"),), Field("action"))
    assert "Acrobot-v1" not in [entry.task.id for entry in nearest(newer, 99)]
    same = TaskSpec("Mine-v0", fetch.instruction, (Field("x"),), Field("action"))
    assert fetch.id not in [entry.task.id for entry in nearest(same, 99)]
    assert nearest(fetch, 2) == nearest(fetch, 99)[:2]


def test_entries_are_small_and_tell_no_place(tmp_path: Path) -> None:
    """What is installed with the package names no folder of a machine."""
    for path in ENTRIES.rglob("*.*"):
        if path.is_file():
            assert "/home/" not in path.read_text()
            assert str(Path.home()) not in path.read_text()
    assert sum(path.stat().st_size for path in ENTRIES.rglob("*.json")) < 500_000
    load("acrobot-v1").program.save(tmp_path / "mine.py")
    assert RewardProgram.load(tmp_path / "mine.py") == load("acrobot-v1").program
