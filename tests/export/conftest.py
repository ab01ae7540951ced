"""Runs to export: one of each command, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_synth.benchmarks.bench import bench
from reward_synth.benchmarks.suite import load_suite
from reward_synth.cli.main import run
from reward_synth.engine import LocalEngine

CAR = "MountainCarContinuous-v0"
PROGRAM = """import numpy as np


def compute_reward(position, velocity):
    return {"place": position, "speed": 10.0 * np.abs(velocity)}
"""
STEPS = 120
SUITE = f"""
title = "Mini"
seeds = 1
episodes = 2
evaluations = 1
[designs.mine]
kind = "file"
file = "mine.py"
[designs.symbolic]
[tasks.{CAR}]
steps = {STEPS}
env_kwargs = {{ max_episode_steps = 20 }}
"""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program and a suite."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "mine.py").write_text(PROGRAM)
    (folder / "mini.toml").write_text(SUITE)
    return folder


@pytest.fixture(scope="session")
def trained(place: Path) -> Path:
    """A run of ``train`` with two seeds and short episodes."""
    folder = place / "trained"
    arguments = ["train", "--env", CAR, "--reward", str(place / "mine.py")]
    arguments += ["--env-kwargs", '{"max_episode_steps": 20}']
    arguments += ["--train-steps", str(STEPS), "--seeds", "2", "--episodes", "3"]
    assert run([*arguments, "--jobs", "1", "--run", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def generated(place: Path) -> Path:
    """A run of ``generate`` without training."""
    folder = place / "generated"
    arguments = ["generate", "--env", CAR, "--n", "3", "--rounds", "1"]
    assert run([*arguments, "--run", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def benched(place: Path) -> Path:
    """A run of ``bench`` with two designs that have programs."""
    folder = place / "benched"
    bench(load_suite(str(place / "mini.toml")), folder, LocalEngine(1))
    return folder


@pytest.fixture
def minari_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Minari keeps data sets during the test."""
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    return tmp_path / "minari"
