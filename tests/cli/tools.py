"""What several tests of the command line share."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reward_synth.cli.main import run

CAR = "MountainCarContinuous-v0"
KEY = "sk-secret-0123456789abcdef"
SECONDS = 120
"""Longest wait for anything; far above what is needed."""

CAR_PROGRAM = """import numpy as np


def compute_reward(position, velocity):
    return {"place": position, "speed": 10.0 * np.abs(velocity)}
"""


@dataclass(frozen=True)
class Result:
    """What a command gave back."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object) -> Result:
        self.capsys.readouterr()
        code = run([str(item) for item in arguments])
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)

    def json(self, *arguments: object) -> Any:
        """Run with ``--json`` a command that must succeed."""
        result = self(*arguments, "--json")
        assert result.code == 0, result.err
        return result.json()


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a command in a process, and a process group, of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "reward_synth", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def python(code: str) -> Result:
    """Run Python code in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < ends, f"timeout: {what}"
        time.sleep(0.02)


def reward_bytes(data: Any) -> bytes:
    """Return the bytes of the reward file that ``generate --json`` names."""
    return Path(data["reward"]).read_bytes()
