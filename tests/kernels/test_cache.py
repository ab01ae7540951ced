"""The cache of compiled kernels: what is kept, and what a damaged or foreign file does."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.kernels import RewardKernel, plan
from reward_synth.kernels import compile as compiling
from reward_synth.kernels.compile import CACHE
from reward_synth.language import FunctionIR, parse
from reward_synth.task import Field, TaskSpec

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


@pytest.mark.parametrize(
    "name", ["*.nbc", "*.nbi", "*.json"], ids=["code", "index", "note"]
)
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


TASK = TaskSpec("T", "go", (Field("x"),), Field("action"))


def weighted(weight: float) -> FunctionIR:
    text = f"def compute_reward(x):\n    return {{'a': {weight} * x}}"
    ir = parse(text, TASK).ir
    assert ir is not None
    assert ir.reward is not None
    return ir.reward


def of_one(function: FunctionIR) -> float:
    """Return the component of x = 1, as a process that has compiled nothing finds it."""
    compiling._compiled.cache_clear()
    rows = RewardKernel(function).batch({"x": np.ones(1)})
    return float(rows[0, 0])


def refuse(*_: object) -> Any:
    raise RuntimeError("The graph was drawn.")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "k"))
    return tmp_path / "k" / "__pycache__"


def test_kept_code_is_found_without_unrolling_the_program(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is unrolled is the graph: where code is kept, it is not even begun."""
    assert of_one(weighted(2.0)) == 2.0
    monkeypatch.setattr(plan, "add_function", refuse)
    assert of_one(weighted(2.0)) == 2.0
    with pytest.raises(Exception, match="The graph was drawn"):
        of_one(weighted(3.0))


def _swapped(mine: list[Path], other: list[Path]) -> None:
    """Put whole files of another kernel in place, its note as well."""
    for old, new in zip(mine, other, strict=True):
        old.write_bytes(new.read_bytes())


def _mixed(mine: list[Path], other: list[Path]) -> None:
    """Put another kernel's code behind this one's index and note."""
    for old, new in zip(mine, other, strict=True):
        if old.suffix == ".nbc":
            old.write_bytes(new.read_bytes())


@pytest.mark.parametrize("change", [_swapped, _mixed])
def test_code_of_another_kernel_is_not_run(
    folder: Path, change: Callable[[list[Path], list[Path]], None]
) -> None:
    """Whole files, but not of this program: 2 x stays 2 x, and its files are mended."""
    assert of_one(weighted(2.0)) == 2.0
    mine = sorted(folder.iterdir())
    assert of_one(weighted(3.0)) == 3.0
    other = sorted(set(folder.iterdir()) - set(mine))
    assert [path.suffix for path in mine] == [".nbc", ".json", ".nbi"]
    change(mine, other)
    before = mine[0].read_bytes()
    assert of_one(weighted(2.0)) == 2.0
    assert mine[0].read_bytes() != before


class _Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_foreign_pickles_are_never_read(folder: Path, suffix: str) -> None:
    """Unpickling could run anything, so bytes that the note does not name stay unread."""
    assert of_one(weighted(2.0)) == 2.0
    hit = folder / "hit"
    for path in folder.glob(f"*{suffix}"):
        path.write_bytes(pickle.dumps(_Bomb(hit)))
    assert of_one(weighted(2.0)) == 2.0
    assert not hit.exists()


def test_a_foreign_index_without_a_note_is_never_read(folder: Path) -> None:
    """It may lie there before anything was compiled."""
    assert of_one(weighted(2.0)) == 2.0
    hit = folder / "hit"
    for path in folder.iterdir():
        if path.suffix == ".nbi":
            path.write_bytes(pickle.dumps(_Bomb(hit)))
        else:
            path.unlink()
    assert of_one(weighted(2.0)) == 2.0
    assert not hit.exists()
