"""Workshop: compiles elsewhere, within a limit, and fills the cache that is read here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reward_synth.engine import Workshop
from reward_synth.kernels.compile import CACHE
from reward_synth.language import FunctionIR, parse
from tests.programs import TASK


def function(number: float) -> FunctionIR:
    text = (
        f"def compute_reward(height):\n    return {{'a': np.tanh({number} * height)}}"
    )
    parsed = parse(text, TASK)
    assert parsed.ir is not None
    assert parsed.ir.reward is not None
    return parsed.ir.reward


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def test_the_first_are_left_to_this_process(cache: Path) -> None:
    """Few short functions start no other process."""
    with Workshop(at_home=2) as workshop:
        assert [workshop(function(n)) for n in (1.0, 2.0)] == ["", ""]
        assert workshop.pool is None


def test_later_ones_are_compiled_into_the_cache(cache: Path) -> None:
    """Machine code of a further function lies in the cache once it was asked for."""
    with Workshop(at_home=0) as workshop:
        assert workshop(function(3.0)) == ""
    assert list((cache / "__pycache__").glob("*.nbc"))


def test_a_limit_on_time_is_a_reason(cache: Path) -> None:
    """A function that is not compiled in time gives a sentence, not an exception."""
    with Workshop(seconds=0.01, at_home=0) as workshop:
        assert workshop(function(4.0)) == "It was not compiled within 0.01 s."


def test_without_a_cache_nothing_is_done_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Code that no other process could find is not compiled there."""
    monkeypatch.setenv(CACHE, "")
    with Workshop(at_home=0) as workshop:
        assert workshop(function(5.0)) == ""
        assert workshop.pool is None


def test_a_folder_that_others_write_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled code is loaded only from a folder that nobody else can write to."""
    from reward_synth.kernels import keeps_code

    monkeypatch.setenv(CACHE, str(tmp_path))
    os.chmod(tmp_path, 0o777)
    assert not keeps_code()
    os.chmod(tmp_path, 0o700)
    assert keeps_code()
