"""Signals: one line, no traceback, and advice only where there is a run to go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.cli.tools import SECONDS, start, wait_until

SLOW = """
import time
from pathlib import Path

import gymnasium as gym
import numpy as np


class Slow(gym.Env):
    observation_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        Path("started").touch()
        time.sleep(300)

    def close(self):
        Path("closing").touch()
        time.sleep(0.5)


gym.register("Slow-v0", Slow)
"""


@pytest.mark.parametrize(("verb", "advice"), [("describe", False), ("generate", True)])
def test_signals_that_follow_one_another_are_one(
    place: Path, verb: str, advice: bool
) -> None:
    """Further signals while the command cleans up neither disturb it nor print."""
    (place / "own_slow.py").write_text(SLOW)
    child = start(verb, "--env", "own_slow:Slow-v0")
    wait_until((place / "started").exists, "the environment")
    os.kill(child.pid, signal.SIGINT)
    wait_until((place / "closing").exists, "cleaning up")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        os.kill(child.pid, number)
    _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 130
    assert "Traceback" not in err
    line = err.strip().splitlines()[-1]
    assert line.startswith("error: Interrupted.")
    assert ("--run" in line) is advice
