"""`reward_synth doctor --env`: each rule is broken by one environment, and found."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.cli.main import run
from reward_synth.intrinsic.env_doctor import Diagnosis, examine


class Sound(gym.Env[Any, Any]):
    """Walks at random from a random start; the task ends it, a wrapper cuts it."""

    observation_space: Any = gym.spaces.Dict(x=gym.spaces.Box(-9, 9, (2,), np.float64))
    action_space: Any = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.x = self.np_random.uniform(-1, 1, 2)
        self.count = 0
        return {"x": self.x.copy()}, {}

    def step(self, action: int) -> Any:
        self.x = np.clip(self.x + self.np_random.normal(size=2) * (action + 1), -9, 9)
        self.count += 1
        ended = bool(abs(self.x[0]) > 5)
        return {"x": self.x.copy()}, float(ended), ended, False, {}


class Reusing(Sound):
    def step(self, action: int) -> Any:
        kept = self.buffer = getattr(self, "buffer", np.zeros(2))
        obs, *rest = super().step(action)
        kept[:] = obs["x"]
        return {"x": kept}, *rest


class ReusingAtReset(Sound):
    """Each game begins in the arrays of the one before."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        kept = self.buffer = getattr(self, "buffer", np.zeros(2))
        obs, info = super().reset(seed=seed)
        kept[:] = obs["x"]
        return {"x": kept}, info


class Unseeded(Sound):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return super().reset()


class Drifting(Sound):
    ticks = itertools.count()  # lasts beyond a game

    def step(self, action: int) -> Any:
        self.x = self.x + next(self.ticks) * 1e-9
        return super().step(action)


class Ending(Sound):
    """Calls its limit of 7 steps a termination."""

    _max_episode_steps = 7

    def step(self, action: int) -> Any:
        obs, reward, _, _, info = super().step(action)
        return obs, reward, self.count >= 7, False, info


class Outside(Sound):
    def step(self, action: int) -> Any:
        obs, *rest = super().step(action)
        return {"x": obs["x"] + (20 if self.count == 3 else 0)}, *rest


class Narrow(Sound):
    def step(self, action: int) -> Any:
        obs, *rest = super().step(action)
        return {"x": obs["x"][:1]}, *rest


class Infinite(Sound):
    def step(self, action: int) -> Any:
        obs, _, *rest = super().step(action)
        return obs, math.inf if self.count == 2 else 0.0, *rest


class Raising(Sound):
    def step(self, action: int) -> Any:
        if self.count == 4 and action:
            raise ZeroDivisionError("by nobody")
        return super().step(action)


class Choosy(Sound):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        if options is not None:
            options["items"]
        return super().reset(seed=seed)


class Constant(Sound):
    """Nothing is random, as in a maze: no fault."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        _, info = super().reset(seed=seed)
        self.x = np.zeros(2)
        return {"x": self.x.copy()}, info

    def step(self, action: int) -> Any:
        self.x = self.x + (action - 0.4)
        self.count += 1
        ended = bool(abs(self.x[0]) > 3)
        return {"x": self.x.copy()}, 0.0, ended, False, {}


def wrong(found: list[Diagnosis]) -> list[str]:
    return [item.check for item in found if item.verdict == "wrong"]


@pytest.mark.parametrize(
    ("kind", "check", "said"),
    [
        (Reusing, "kept observations", r"\(x\)"),
        (ReusingAtReset, "kept observations", r"\(x\)"),
        (Unseeded, "reset(seed=)", "two different first observations"),
        (Drifting, "determinism", "part at step [1-5]"),
        (Ending, "terminated and truncated", "its limit is 7"),
        (Outside, "observation space", "'x' holds .* allows -9.0 to 9.0"),
        (Narrow, "observation space", r"shape \(1,\)"),
        (Infinite, "rewards", "paid inf"),
        (Raising, "steps", "ZeroDivisionError: by nobody"),
        (Choosy, "reset(options=)", "KeyError"),
    ],
)
def test_a_broken_rule_is_found_alone(kind: type[Sound], check: str, said: str) -> None:
    """The broken rule is named with what was seen and a cure, and no other is."""
    found = examine(kind, steps=300)
    assert wrong(found) == [check]
    (item,) = (one for one in found if one.check == check)
    assert re.search(said, item.text), item.text
    assert item.cure


@pytest.mark.parametrize("limit", [None, 5])
def test_a_sound_environment_is_left_alone(limit: int | None) -> None:
    """Nothing is wrong with it, also not under Gymnasium's own time limit."""

    def make() -> Any:
        return Sound() if limit is None else gym.wrappers.TimeLimit(Sound(), limit)

    found = examine(make, steps=300)
    assert {item.verdict for item in found} == {"ok"}


def test_what_cannot_be_told_is_not_called_wrong() -> None:
    """Where nothing is random a seed that decides nothing is no fault; nor is it that
    no episode ended in a few steps."""
    found = {item.check: item for item in examine(Constant, steps=60)}
    assert found["reset(seed=)"].verdict == "unclear"
    assert "nothing is random" in found["reset(seed=)"].text
    short = {item.check: item for item in examine(Sound, steps=1)}
    assert short["terminated and truncated"].verdict == "unclear"


def test_minihack_is_mended_by_our_adapter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """MiniHack itself breaks four rules; the environment that we make of it none."""
    pytest.importorskip("minihack")
    task = "MiniHack-KeyRoom-S5-v0"
    assert run(["doctor", "--env", task, "--steps", "450", "--json"]) == 0
    capsys.readouterr()
    assert run(["doctor", "--env", f"minihack:{task}", "--steps", "450", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [row["check"] for row in told["checks"] if row["verdict"] == "wrong"] == [
        "kept observations",
        "reset(seed=)",
        "terminated and truncated",
        "reset(options=)",
    ]


def test_the_command_tells_and_cures(capsys: pytest.CaptureFixture[str]) -> None:
    """The table names every check; an environment that is sound exits with 0, one that
    is not known with 3."""
    assert run(["doctor", "--env", "CartPole-v1", "--steps", "200"]) == 0
    told = capsys.readouterr().out
    assert "kept observations" in told
    assert "Nothing is wrong in CartPole-v1." in told
    assert run(["doctor", "--env", "CartPol-v1"]) == 3
