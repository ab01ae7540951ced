"""What only trying tells: value ranges, sparseness, what ``info`` holds and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np

from reward_synth.envs.notes import TaskNotes
from reward_synth.envs.rollouts import Env, collect_many, seen_range
from reward_synth.envs.spaces import BIG
from reward_synth.errors import FieldMismatchError
from reward_synth.reward import Rollout
from reward_synth.task import ACTION, Field, FieldReader, TaskSpec, holds_answer

_FEW = 2
"""A reward with at most this many distinct values is sparse."""
_SUCCESS_KEYS = frozenset({"success", "is_success"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One reset and one step."""

    reset_obs: Any
    reset_info: Mapping[str, Any]
    info: Mapping[str, Any]
    """After the step."""

    @property
    def open_keys(self) -> tuple[str, ...]:
        """Keys of ``info`` that a user may allow."""
        return tuple(
            sorted(key for key in map(str, self.info) if not holds_answer(key))
        )


def sample(env: Env, seed: int) -> Sample:
    """Reset an environment, take one step, and reset it again."""
    env.action_space.seed(seed)
    env.reset(seed=seed)
    info = env.step(env.action_space.sample())[-1]
    obs, reset_info = env.reset(seed=seed)
    return Sample(obs, dict(reset_info), dict(info))


def provable(item: Field, env: Env, tried: Sample) -> bool:
    """Tell whether a field can be read right after the reset of ``tried``."""
    probe = TaskSpec("probe", "", (item,), Field(ACTION))
    try:
        FieldReader(probe, env).read(tried.reset_obs, tried.reset_info, reset=True)
    except (FieldMismatchError, LookupError, ValueError, TypeError, AttributeError):
        return False
    return True


class _Witness(gym.Wrapper[Any, Any, Any, Any]):
    """Notes the keys of ``info`` while others play."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self.keys: set[str] = set()

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and note the keys."""
        result = self.env.step(action)
        self.keys |= set(map(str, result[4]))
        return result


def measured(
    task: TaskSpec,
    env: Env,
    known: TaskNotes,
    *,
    seed: int,
    rollouts: int,
    max_steps: int,
) -> TaskSpec:
    """Complete a task with what rollouts of random and held actions show.

    Args:
        task: The described task.
        env: Its environment.
        known: Wins over what is measured.
        seed: Seed of the first rollout.
        rollouts: Episodes of each policy; 0: nothing is measured.
        max_steps: Their longest length.
    """
    if rollouts == 0:
        return _unmeasured(task, known)
    witness = _Witness(env)
    played = collect_many(
        witness, task, episodes=rollouts, seed=seed, max_steps=max_steps
    )
    sparse = _is_sparse(played) if known.sparse is None else known.sparse
    return replace(
        task,
        fields=tuple(_with_range(item, played) for item in task.fields),
        sparse=sparse,
        ends_on_success=_ends(task, played, known),
        info_keys=tuple(sorted(witness.keys)),
        notes=task.notes + _remarks(task, played, witness.keys),
    )


def _unmeasured(task: TaskSpec, known: TaskNotes) -> TaskSpec:
    """Fill in what is known without playing."""
    same_rule = task.success == known.success
    return replace(
        task,
        sparse=bool(known.sparse),
        ends_on_success=bool(known.ends_on_success) and same_rule,
    )


def _is_sparse(played: Sequence[Rollout]) -> bool:
    values = np.concatenate([rollout.steps.sparse for rollout in played])
    return len(np.unique(values)) <= _FEW


def _with_range(item: Field, played: Sequence[Rollout]) -> Field:
    if item.size > BIG:
        return item  # hundreds of numbers that nobody reads
    low, high = seen_range(played, item.name)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return item
    return replace(item, seen_low=tuple(low.tolist()), seen_high=tuple(high.tolist()))


def _ends(task: TaskSpec, played: Sequence[Rollout], known: TaskNotes) -> bool:
    """Tell whether success terminates: as seen, else as known of the known rule."""
    if task.success == known.success and known.ends_on_success is not None:
        return known.ends_on_success
    first = [
        bool(rollout.steps.terminated[int(np.argmax(rollout.success))])
        for rollout in played
        if rollout.success is not None and rollout.succeeded
    ]
    return bool(first) and all(first)


def _remarks(
    task: TaskSpec, played: Sequence[Rollout], keys: set[str]
) -> tuple[str, ...]:
    steps = sum(map(len, played))
    wins = sum(rollout.succeeded for rollout in played)
    remarks = [
        f"Ranges were measured in {len(played)} episodes, {steps} steps of random and "
        "held actions; skilled agents go further."
    ]
    if task.success is not None:
        remarks.append(f"{wins} of these {len(played)} episodes reached success.")
    late = sorted(keys & _SUCCESS_KEYS)
    if task.success is None and late:
        remarks.append(
            f"info holds {late[0]!r} only on some steps, so it is not the success rule."
        )
    return tuple(remarks)
