"""Tells an episode of a trained agent in about ten rows of named values.

For whoever writes the next reward: numbers say what the agent did, where a score only says
that it failed. They are read by the measuring process, so they are no claim of the one
that trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.reward import Fields
from reward_synth.task import FieldReader, TaskSpec
from reward_synth.wrappers.sparse import ENV_REWARD, IS_SUCCESS

_ROWS = 10
_FIELDS = 16
"""Fields that are told, and entries of a vector: a reader's patience is short."""
_ENTRIES = 6


@dataclass(frozen=True, slots=True)
class Episode:
    """What happened in one episode."""

    seed: int
    states: tuple[Fields, ...]
    """After each step."""
    success: tuple[bool, ...]
    env_return: float

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Success first, then the environment's own return, then the shorter one."""
        return any(self.success), self.env_return, -len(self.states)


def record(model: Any, env: gym.Env[Any, Any], task: TaskSpec, seed: int) -> Episode:
    """Run one deterministic episode and keep the task's fields after each step.

    Args:
        model: Has Stable-Baselines3's ``predict``.
        env: Publishes ``is_success`` and ``env_reward`` (see ``SuccessInfo``).
        task: Its fields are kept.
        seed: The reset's.
    """
    reader = FieldReader(task, env)
    obs, info = env.reset(seed=seed)
    states: list[Fields] = []
    success: list[bool] = []
    env_return, ended = 0.0, False
    while not ended:
        action, _ = model.predict(obs, deterministic=True)
        obs, _, terminated, truncated, info = env.step(action)
        states.append(reader.read(obs, info))
        success.append(bool(info[IS_SUCCESS]))
        env_return += float(info[ENV_REWARD])
        ended = terminated or truncated
    return Episode(seed, tuple(states), tuple(success), env_return)


def best_and_worst(episodes: Sequence[Episode]) -> list[str]:
    """Return the best and the worst episode as text; one where they are the same.

    Example:
        >>> best_and_worst([])
        []
    """
    if not episodes:
        return []
    ordered = sorted(episodes, key=lambda item: item.rank)
    best, worst = ordered[-1], ordered[0]
    told = [f"Its best episode of {len(episodes)}: {_told(best)}"]
    if worst is not best:
        told.append(f"Its worst episode: {_told(worst)}")
    return told


def _told(episode: Episode) -> str:
    names = list(episode.states[0])[:_FIELDS]
    steps = np.unique(
        np.linspace(0, len(episode.states) - 1, _ROWS).round().astype(int)
    )
    rows = [
        f"| {step + 1} | "
        + " | ".join(_value(episode.states[step][name]) for name in names)
        + f" | {'yes' if episode.success[step] else 'no'} |"
        for step in steps
    ]
    head = f"| step | {' | '.join(names)} | success |"
    return "\n".join([_summary(episode), head, "|" + "---|" * (len(names) + 2), *rows])


def _summary(episode: Episode) -> str:
    count = len(episode.states)
    if not any(episode.success):
        return f"{count} steps, never a success."
    first = episode.success.index(True) + 1
    return f"{count} steps, success first after step {first}."


def _value(value: Any) -> str:
    entries = np.asarray(value).reshape(-1)
    shown = " ".join(f"{float(entry):.3g}" for entry in entries[:_ENTRIES])
    return shown + (" ..." if len(entries) > _ENTRIES else "")
