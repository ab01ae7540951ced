"""Episodes as Minari stores them: played, or taken from rollouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np

from reward_synth.envs import Policy
from reward_synth.envs.policies import make_policy
from reward_synth.reward import Array, Rollout
from reward_synth.task import Field, TaskSpec, as_array, as_number
from reward_synth.wrappers.sparse import IS_SUCCESS
from reward_synth.wrappers.words import COMPONENTS, SPARSE_REWARD

Env: TypeAlias = gym.Env[Any, Any]
DENSE_REWARD = "dense_reward"
"""Key of the data set's infos: what the wrapped environment paid."""


@dataclass(slots=True)
class Episode:
    """What one episode gave; observations and infos have one row more than steps."""

    seed: int
    observations: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    terminations: list[bool] = field(default_factory=list)
    truncations: list[bool] = field(default_factory=list)
    infos: list[dict[str, Any]] = field(default_factory=list)


def play(env: Env, policy: str | Policy, seed: int, limit: int | None) -> Episode:
    """Play an episode; rewards are sparse, infos hold the components."""
    _, act = make_policy(policy, env.action_space, seed=seed)
    log = Episode(seed)
    obs, info = env.reset(seed=seed)
    log.observations.append(_copied(obs))
    done = False
    while not done and (limit is None or len(log.rewards) < limit):
        action = act(obs)
        log.actions.append(_copied(action))
        obs, paid, ended, cut, info = env.step(action)
        log.observations.append(_copied(obs))
        log.rewards.append(as_number(info.get(SPARSE_REWARD, paid)))
        log.terminations.append(bool(ended))
        log.truncations.append(bool(cut))
        log.infos.append(_told(info, paid))
        done = bool(ended) or bool(cut)
    if log.infos:
        log.infos.insert(0, _blank(log.infos[0]))
    return log


def _copied(value: Any) -> Any:
    """Return arrays that the environment does not write into again."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_copied(item) for item in value)
    return np.array(as_array(value))


def _told(info: Mapping[str, Any], paid: Any) -> dict[str, Any]:
    """Return what is kept of a step's info."""
    row: dict[str, Any] = {}
    if COMPONENTS in info:
        row[COMPONENTS] = {name: float(v) for name, v in info[COMPONENTS].items()}
        row[DENSE_REWARD] = as_number(paid)
    if IS_SUCCESS in info:
        row[IS_SUCCESS] = bool(info[IS_SUCCESS])
    return row


def _blank(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a reset: nothing is paid and nothing reached yet."""
    return {
        key: _blank(value) if isinstance(value, Mapping) else type(value)()
        for key, value in row.items()
    }


def replayed(rollout: Rollout, task: TaskSpec) -> Episode:
    """Return a rollout as an episode whose observations are fields by name."""
    steps, count = rollout.steps, len(rollout)
    rows = [
        {item.name: _row(steps, item, t) for item in task.fields}
        for t in range(count + 1)
    ]
    held = np.zeros(count, np.bool_) if rollout.success is None else rollout.success
    infos = [{IS_SUCCESS: False}, *({IS_SUCCESS: bool(value)} for value in held)]
    return Episode(
        rollout.seed,
        rows,
        list(steps.action),
        [float(value) for value in steps.sparse],
        [bool(value) for value in steps.terminated],
        [bool(value) for value in steps.truncated],
        infos if rollout.success is not None else [],
    )


def _row(steps: Any, item: Field, t: int) -> Array:
    """Return a field before step ``t``, NaN where it is not known."""
    if t > 0:
        value = steps.after[item.name][t - 1]
    elif item.name in steps.before:
        value = steps.before[item.name][0]
    else:
        value = np.full(item.shape, np.nan)
    return np.asarray(value, np.float64)


def stacked(rows: Sequence[Any]) -> Any:
    """Turn rows of nested arrays into nested arrays of rows."""
    first = rows[0]
    if isinstance(first, Mapping):
        return {key: stacked([row[key] for row in rows]) for key in first}
    if isinstance(first, tuple):
        return tuple(stacked(list(part)) for part in zip(*rows, strict=True))
    return np.stack([np.asarray(row) for row in rows])
