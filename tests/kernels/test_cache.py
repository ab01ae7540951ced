"""The cache of compiled kernels: what is kept, and what a damaged file does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.kernels.compile import CACHE

SCORE = """
import numpy as np
from reward_synth.kernels import RewardKernel
from reward_synth.language import parse
from reward_synth.task import Field, TaskSpec
task = TaskSpec("T", "go", (Field("x"),), Field("action"))
text = "def compute_reward(x):\\n    return {'twice': 2.0 * x}"
kernel = RewardKernel(parse(text, task).ir.reward)
print(kernel.one({"x": np.array(4.0)})["twice"], *kernel.batch({"x": np.array([1.0])}))
"""
ANSWER = "8.0 [2.] [2.]"


def scored(cache: str) -> str:
    """Return what a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", SCORE],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {CACHE: cache},
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["*.nbc", "*.nbi"], ids=["code", "index"])
@pytest.mark.parametrize("kept", [0, 0.5], ids=["empty", "cut"])
def test_damaged_files_are_compiled_anew(
    tmp_path: Path, name: str, kept: float
) -> None:
    """A file that was cut or emptied costs time, nothing else, and is whole afterwards."""
    assert scored(str(tmp_path / "k")) == ANSWER
    files = list((tmp_path / "k" / "__pycache__").glob(name))
    assert files
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[: int(kept * len(whole))])
    assert scored(str(tmp_path / "k")) == ANSWER
    assert all(len(file.read_bytes()) > 100 for file in files)


@pytest.mark.parametrize("folder", ["", "file/k"], ids=["none", "not a folder"])
def test_no_cache_is_needed(tmp_path: Path, folder: str) -> None:
    """Where nothing can be kept, kernels are compiled in every process."""
    (tmp_path / "file").write_text("in the way")
    assert scored(folder and str(tmp_path / folder)) == ANSWER
