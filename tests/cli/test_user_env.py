"""Environments of users that fail: one line with the cause, and exit code 3."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.tools import Cli

BOX = """
import sys

import gymnasium as gym
import numpy as np


class Own(gym.Env):
    observation_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        {reset}

    def step(self, action):
        {step}


gym.register("Own-v0", Own, max_episode_steps=5)
"""
RESET = "return np.zeros(3), {}"
STEP = "return np.zeros(3), 0.0, False, False, {}"
FAILING = {
    "reset": ('raise RuntimeError("boom")', STEP, "RuntimeError: boom ("),
    "step": (RESET, 'raise KeyError("boom")', "KeyError: 'boom' ("),
    "exit": ("sys.exit(7)", STEP, "SystemExit: 7 ("),
    "old_reset": ("return np.zeros(3)", STEP, "returns (observation, info)"),
    "old_step": (RESET, "return np.zeros(3), 0.0, False, {}", "terminated, truncated"),
}


@pytest.mark.parametrize("verb", ["describe", "generate"])
@pytest.mark.parametrize("name", FAILING)
@pytest.mark.filterwarnings("ignore")
def test_an_environment_that_fails_is_told_in_a_line(
    cli: Cli, place: Path, name: str, verb: str
) -> None:
    """What a user's environment raises, exit included, is exit code 3 and its place."""
    reset, step, said = FAILING[name]
    module = f"own_{name}_{verb}"  # a module is imported once a process
    (place / f"{module}.py").write_text(BOX.format(reset=reset, step=step))
    result = cli(verb, "--env", f"{module}:Own-v0")
    assert result.code == 3, result.err
    last = result.err.splitlines()[-1]
    assert last.startswith(f"error: The environment {module}:Own-v0 failed: ")
    assert said in last
    assert ", line " in last
    assert "Traceback" not in result.err


def test_a_module_that_exits_is_told(cli: Cli, place: Path) -> None:
    """exit at the top of a user's module does not end the command without a word."""
    (place / "own_exit.py").write_text("raise SystemExit(5)")
    result = cli("describe", "--env", "own_exit:Own-v0")
    assert result.code == 2
    assert "'own_exit' cannot be imported: SystemExit: 5" in result.err
