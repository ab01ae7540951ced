"""Running the command line, in this process and in others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.tools import CAR_PROGRAM, KEY, Cli


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; no endpoint is known, but a key is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("REWARD_SYNTH_DEBUG", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return tmp_path


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process."""
    return Cli(capsys)


@pytest.fixture
def good(place: Path) -> Path:
    """A reward program for the car."""
    path = place / "good.py"
    path.write_text(CAR_PROGRAM)
    return path
