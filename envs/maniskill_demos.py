"""Demonstrations: scripted solutions of ManiSkill's tasks, recorded as rollouts."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.envs.maniskill_make import NAMESPACE, Env, make
from reward_synth.envs.maniskill_planner import screw_planner
from reward_synth.envs.maniskill_render import load_simulator, rendering
from reward_synth.envs.maniskill_solutions import Solve, solution
from reward_synth.envs.maniskill_tasks import TASKS
from reward_synth.errors import NotAvailableError, UsageError
from reward_synth.reward import Fields, Rollout, Step
from reward_synth.task import FieldReader, TaskSpec

POLICY = "demonstration"
PERTURBED = "perturbed"
_MOST_STEPS = 400
"""Longest demonstration; many are longer than the agents' horizon."""
_SECONDS = 20.0


class _EnoughError(Exception):
    """Leaves a solver: the task is done, or it takes too long."""


class _Recorder(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps what the fields held, until the first success; may shake the joints."""

    def __init__(
        self, env: Env, task: TaskSpec, seconds: float, noise: float, seed: int
    ) -> None:
        super().__init__(env)
        self.noise = noise
        self._rng = np.random.default_rng(seed)
        self.rows: list[Fields] = []
        self.rewards: list[float] = []
        self.success: list[bool] = []
        self._reader = FieldReader(task, env)
        self._end = time.monotonic() + seconds

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Start the recording anew."""
        obs, info = self.env.reset(**kwargs)
        self.rows = [self._reader.read(obs, info, reset=True)]
        self.rewards, self.success = [], []
        return obs, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step and record."""
        if self.noise:
            shake = self.noise * self._rng.normal(size=np.shape(action))
            shake[-1] = 0.0  # the gripper opens and closes as the solution says
            action = action + shake
        result = self.env.step(action)
        obs, reward, _, _, info = result
        self.rows.append(self._reader.read(obs, info))
        self.rewards.append(float(reward))
        self.success.append(bool(info["success"]))
        if self.success[-1] or time.monotonic() > self._end:
            raise _EnoughError
        return result


def demonstrations(
    task: TaskSpec,
    seeds: Iterable[int],
    *,
    speed: float | None = None,
    seconds: float = _SECONDS,
    noise: float = 0.0,
) -> Iterator[Rollout]:
    """Yield a successful episode for each seed whose scripted solution works.

    With ``noise`` the solution's joint positions are shaken, and episodes that fail are
    given too: near misses, which tell rewards apart better than random play.

    Solutions drive the joints, agents the tool, so ``action`` of every step is zeros of
    the agent's action shape. The last step is the first success, and the only one that
    terminates. Seeds are those of the agents' environment: the episodes begin alike.

    Args:
        task: Which fields to keep, and the agent's action.
        seeds: One episode each, built anew, so that it is exactly repeatable.
        speed: Times ManiSkill's own speed; by default what loses no success.
        seconds: Longest time for one episode.
        noise: Standard deviation of the shaking, in rad.

    Raises:
        NotAvailableError: There is no solution, or the motion planning is missing.
    """
    name = task.id.removeprefix(NAMESPACE)
    load_simulator(rendering())
    solve = _solution(name)
    pace = speed or (TASKS[name].speed if name in TASKS else 1.0)
    env = make(
        name,
        control_mode="pd_joint_pos",
        obs_mode="state_dict",
        max_episode_steps=_MOST_STEPS,
        exact_reset=True,
    )
    try:
        for seed in seeds:
            recorder = _Recorder(env, task, seconds, noise, seed)
            _play(recorder, solve, seed, pace)
            reached = bool(recorder.success) and recorder.success[-1]
            if reached or (noise and recorder.success):
                yield _rollout(recorder, seed, task.action.shape)
    finally:
        env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types


def _solution(name: str) -> Solve:
    try:
        found = solution(name)
    except ImportError as cause:
        raise NotAvailableError(
            f"Demonstrations need ManiSkill's motion planning: {cause}. Install it with: "
            "pip install mplib==0.1.1 toppra"
        ) from cause
    if found is None:
        raise NotAvailableError(
            f"There is no scripted solution of {name!r}; there is one for "
            f"{', '.join(TASKS)}."
        )
    return found


def _play(recorder: _Recorder, solve: Solve, seed: int, speed: float) -> None:
    """Run a solution to its end; one that finds no way is no error."""
    hush = io.StringIO()
    with screw_planner(speed), redirect_stdout(hush), redirect_stderr(hush):
        try:
            solve(recorder, seed=seed, debug=False, vis=False)
        except _EnoughError:
            return
        except UsageError:  # ours: a field that cannot be read
            raise
        except Exception:
            return  # what was recorded so far ends without success


def _rollout(recorder: _Recorder, seed: int, action: Sequence[int]) -> Rollout:
    count = len(recorder.success)
    success = np.array(recorder.success, np.bool_)
    cut = np.zeros(count, np.bool_)
    cut[-1] = not success[-1]
    kept = recorder.rows[0].keys()
    steps = Step(
        before=_stack(recorder.rows[:-1], kept),
        action=np.zeros((count, *action), np.float32),
        after=_stack(recorder.rows[1:], recorder.rows[-1].keys()),
        sparse=np.array(recorder.rewards, np.float64),
        terminated=success,
        truncated=cut,
        valid=np.ones(count, np.bool_),
    )
    policy = PERTURBED if recorder.noise else POLICY
    return Rollout(policy, seed, steps, success)


def _stack(rows: Sequence[Fields], names: Iterable[str]) -> Fields:
    return {name: np.concatenate([row[name] for row in rows]) for name in names}
