"""What do dense rewards cost beside the environments they are for?

    python -m reward_synth.benchmarks.wrappers --json FILE [--quick]

Wrapped and plain environments are stepped in turn in one process; the difference is what
the wrapper adds. Relabelling scores stored transitions under 16 programs, beside 16
separate passes over the same memory.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from reward_synth.api import relabel, wrap
from reward_synth.program import RewardProgram
from reward_synth.task import Field, TaskSpec

Row = dict[str, Any]
_LANES = 4096
_HOP = RewardProgram("""
def compute_reward(torso_x_velocity, torso_angle, action):
    forward = np.clip(torso_x_velocity, -1.0, 3.0)
    upright = 1.0 - np.tanh(5.0 * abs(torso_angle))
    return {"forward": forward, "upright": upright, "effort": -0.01 * np.sum(action**2)}
""")
_PICK = """
def compute_reward(tcp, cube, goal, qvel, grasp{more}):
    reach = {scale} - np.tanh(5.0 * np.linalg.norm(tcp - cube))
    away = np.linalg.norm(cube - goal)
    place = (1.0 - np.tanh(5.0 * away)) * grasp
    still = (1.0 - np.tanh(5.0 * np.linalg.norm(qvel[:7]))) * (1.0 if away < 0.025 else 0.0)
    return {{"reach": reach, "grasp": 1.0 * grasp, "place": place, "still": still{term}}}
"""
_PREVIOUS = {
    "more": ", prev_tcp, action",
    "term": " + tcp[2] - prev_tcp[2] - 0.1 * np.sum(action**2)",
}
TASK = TaskSpec(
    "Pick",
    "pick",
    (
        Field("tcp", (3,), source="obs[0:3]"),
        Field("cube", (3,), source="obs[3:6]"),
        Field("goal", (3,), source="obs[6:9]"),
        Field("qvel", (9,), source="obs[9:18]"),
        Field("grasp", (), source="obs[18]"),
    ),
    Field("action", (4,)),
)


def pick(scale: float = 1.0, *, previous: bool = False) -> RewardProgram:
    """Return a program of four terms; ``previous`` reads the step before, too."""
    more = _PREVIOUS if previous else {"more": "", "term": ""}
    return RewardProgram(_PICK.format(scale=scale, **more))


class Still(gym.vector.VectorEnv[Any, Any, Any]):
    """A vector environment that costs nothing, so that what wraps it can be seen."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 - Gymnasium's

    def __init__(self, lanes: int) -> None:
        self.num_envs = lanes
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (19,))
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (4,))
        self.observation_space = batch_space(self.single_observation_space, lanes)
        self.action_space = batch_space(self.single_action_space, lanes)
        rng = np.random.default_rng(0)
        self.obs = rng.normal(size=(lanes, 19)).astype(np.float32)
        self.paid, self.no = np.zeros(lanes), np.zeros(lanes, np.bool_)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        """Return the one observation."""
        return self.obs, {}

    def step(self, _: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Return it again."""
        return self.obs, self.paid, self.no, self.no, {}


def added(plain: Any, wrapped: Any, action: Any, steps: int, rounds: int) -> float:
    """Return the seconds that wrapping adds to a step: the difference of the least times.

    Both play the same steps of the same episode, shorter than it can be, in turn. What
    else the machine does only ever adds time, so the least is what the code takes.
    """
    for env in (plain, wrapped):
        _played(env, action, 10)
    times = [
        (_played(wrapped, action, steps), _played(plain, action, steps))
        for _ in range(rounds)
    ]
    return min(one for one, _ in times) - min(other for _, other in times)


def _played(env: Any, action: Any, steps: int) -> float:
    env.reset(seed=0)
    start = time.perf_counter()
    for _ in range(steps):
        env.step(action)
    return (time.perf_counter() - start) / steps


def one_environment(*, quick: bool) -> Row:
    """Measure a wrapped MuJoCo environment."""
    plain = gym.make("Hopper-v5")
    wrapped = wrap(gym.make("Hopper-v5"), _HOP)
    action = np.zeros(plain.action_space.shape or (), np.float32)
    seconds = added(plain, wrapped, action, 40, 100 if quick else 500)
    return {"what": "DenseReward on Hopper-v5", "us_per_step": seconds * 1e6}


def many_environments(*, quick: bool) -> list[Row]:
    """Measure a wrapped vector of 4096 environments."""
    cases: dict[str, Callable[[], Any]] = {
        "four terms": lambda: wrap(Still(_LANES), pick(), task=TASK),
        "four terms, step before and action": lambda: wrap(
            Still(_LANES), pick(previous=True), task=TASK
        ),
    }
    action = np.zeros((_LANES, 4), np.float32)
    rows: list[Row] = []
    for name, make in cases.items():
        seconds = added(Still(_LANES), make(), action, 20, 20 if quick else 100)
        what = f"VectorDenseReward, 4096 environments, {name}"
        rows.append({"what": what, "ns_per_env": seconds / _LANES * 1e9})
    return rows


def stored_transitions(*, quick: bool) -> Row:
    """Measure relabelling under 16 programs, together and one by one."""
    count = 100_000 if quick else 1_000_000
    rng = np.random.default_rng(0)
    buffer = SimpleNamespace(
        observations=rng.normal(size=(count, 1, 19)).astype(np.float32),
        next_observations=rng.normal(size=(count, 1, 19)).astype(np.float32),
        actions=rng.uniform(-1, 1, (count, 1, 4)).astype(np.float32),
        rewards=np.zeros((count, 1), np.float32),
        dones=np.zeros((count, 1), np.float32),
        timeouts=np.zeros((count, 1), np.float32),
        pos=0,
        full=True,
    )
    programs = [pick(1.0 + number / 16) for number in range(16)]
    together = _cpu(lambda: relabel(buffer, programs, task=TASK))
    apart = _cpu(lambda: [relabel(buffer, item, task=TASK) for item in programs])
    return {
        "what": f"relabel, {count:,} transitions, 16 programs",
        "cpu_s": together,
        "share_of_separate": together / apart,
    }


def _cpu(function: Callable[[], Any]) -> float:
    """Return CPU seconds: the best of three after one call that compiles."""
    function()
    times = []
    for _ in range(3):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Measure, print the rows, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    rows = [
        one_environment(quick=given.quick),
        *many_environments(quick=given.quick),
        stored_transitions(quick=given.quick),
    ]
    for row in rows:
        figures = [f"{key} {value:.3g}" for key, value in row.items() if key != "what"]
        print(f"{row['what']}: {', '.join(figures)}")
    if given.json:
        data = {"command": "python -m reward_synth.benchmarks.wrappers", "rows": rows}
        given.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
