"""Plays episodes and keeps what a task's fields held at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from reward_synth.envs.policies import Policy, PolicyName, make_policy
from reward_synth.errors import UsageError
from reward_synth.language.success import SuccessTest
from reward_synth.reward import Array, Fields, Rollout, Step
from reward_synth.task import FieldReader, TaskSpec, as_array, as_number

Env: TypeAlias = gym.Env[Any, Any]

_NO_HORIZON = 1000
"""Steps played where neither the caller nor the task sets an end."""


@dataclass(slots=True)
class _Log:
    """What one episode gave, step after step."""

    before: list[Fields] = field(default_factory=list)
    action: list[Array] = field(default_factory=list)
    after: list[Fields] = field(default_factory=list)
    sparse: list[float] = field(default_factory=list)
    terminated: list[bool] = field(default_factory=list)
    truncated: list[bool] = field(default_factory=list)
    success: list[bool] = field(default_factory=list)

    def steps(self) -> Step:
        return Step(
            before=_stack(self.before),
            action=np.stack(self.action),
            after=_stack(self.after),
            sparse=np.array(self.sparse, np.float64),
            terminated=np.array(self.terminated, np.bool_),
            truncated=np.array(self.truncated, np.bool_),
            valid=np.ones(len(self.sparse), np.bool_),
        )


def _stack(rows: list[Fields]) -> Fields:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def collect(
    env: Env,
    task: TaskSpec,
    *,
    policy: PolicyName | str | Policy = "random",
    seed: int = 0,
    max_steps: int | None = None,
) -> Rollout:
    """Play one episode, or its beginning.

    Args:
        env: The environment.
        task: Its description; success is judged where it has a rule.
        policy: ``"random"``, ``"held"``, or a function ``obs -> action``.
        seed: Seeds the reset, the action space and the policy.
        max_steps: Stop after so many steps; by default at the task's horizon.

    Raises:
        FieldMismatchError: A field cannot be read as described.
        UsageError: No such policy, or ``max_steps`` below 1.

    Example:
        >>> from reward_synth.task import Field
        >>> task = TaskSpec("CartPole-v1", "balance",
        ...     (Field("angle", source="obs[2]"),), Field("action", dtype="int"))
        >>> rollout = collect(gym.make("CartPole-v1"), task, seed=1, max_steps=5)
        >>> len(rollout), rollout.steps.after["angle"].shape
        (5, (5,))
    """
    limit = _limit(task, max_steps)
    name, choose = make_policy(policy, env.action_space, seed=seed)
    reader = FieldReader(task, env)
    test = SuccessTest(task) if task.success else None
    log = _Log()
    obs, info = env.reset(seed=seed)
    before = reader.read(obs, info, reset=True)
    for _ in range(limit):
        action = choose(obs)
        log.action.append(np.array(as_array(action)))
        obs, reward, terminated, truncated, info = env.step(action)
        after = reader.read(obs, info)
        _note(log, before, after, as_number(reward))
        log.terminated.append(bool(as_number(terminated)))
        log.truncated.append(bool(as_number(truncated)))
        if test:
            log.success.append(test(after, info, log.sparse[-1]))
        if log.terminated[-1] or log.truncated[-1]:
            break
        before = {key: after[key] for key in before}
    success = np.array(log.success, np.bool_) if test else None
    return Rollout(name, seed, log.steps(), success)


def _limit(task: TaskSpec, max_steps: int | None) -> int:
    limit = task.horizon or _NO_HORIZON if max_steps is None else max_steps
    if limit < 1:
        raise UsageError(f"max_steps must be at least 1, received {limit}.")
    return limit


def _note(log: _Log, before: Fields, after: Fields, reward: float) -> None:
    log.before.append(before)
    log.after.append(after)
    log.sparse.append(reward)


def collect_many(
    env: Env,
    task: TaskSpec,
    *,
    policies: Sequence[PolicyName | str | Policy] = ("random", "held"),
    episodes: int = 4,
    seed: int = 0,
    max_steps: int | None = None,
) -> list[Rollout]:
    """Play ``episodes`` episodes of each policy, with seeds that count up from ``seed``.

    Args:
        env: As for :func:`collect`.
        task: Likewise.
        policies: Likewise, several.
        episodes: How many of each.
        seed: Of the first; no two episodes share one.
        max_steps: As for :func:`collect`.
    """
    plan = [policy for policy in policies for _ in range(episodes)]
    return [
        collect(env, task, policy=policy, seed=seed + index, max_steps=max_steps)
        for index, policy in enumerate(plan)
    ]


def seen_range(
    rollouts: Sequence[Rollout], name: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the smallest and largest value met of each entry of a field."""
    parts = [_flat(r.steps.after, name) for r in rollouts]
    parts += [_flat(r.steps.before, name) for r in rollouts if name in r.steps.before]
    values = np.concatenate(parts)
    return values.min(axis=0), values.max(axis=0)


def _flat(fields: Mapping[str, Array], name: str) -> npt.NDArray[np.float64]:
    values = fields[name]
    return values.reshape(len(values), -1).astype(np.float64)
