"""Describes any Gymnasium environment from what it says itself, and from trying it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym

from reward_synth.envs import (
    behaviours_tasks,
    classic,
    gridworld_tasks,
    mujoco,
    robotics_tasks,
)
from reward_synth.envs.doctable import (
    action_meanings,
    description,
    observation_tables,
)
from reward_synth.envs.measure import Sample, measured, provable, sample
from reward_synth.envs.names import identifier, unique
from reward_synth.envs.notes import TaskNotes, merge
from reward_synth.envs.rollouts import Env
from reward_synth.envs.simulator import scalar_joints, simulator_fields
from reward_synth.envs.spaces import (
    Described,
    Documents,
    action_field,
    observation_fields,
)
from reward_synth.errors import TaskSpecError, did_you_mean
from reward_synth.language.success import SuccessTest
from reward_synth.task import Field, Success, TaskSpec, as_array, holds_answer

NOTES = (
    classic.NOTES
    | mujoco.NOTES
    | robotics_tasks.NOTES
    | gridworld_tasks.NOTES
    | behaviours_tasks.NOTES
)
"""What is known beforehand, by Gymnasium id."""
_SUCCESS_KEYS = ("success", "is_success")
_LONGEST_INSTRUCTION = 600


def describe_env(
    env: Env,
    *,
    name: str | None = None,
    seed: int = 0,
    rollouts: int = 3,
    max_steps: int = 200,
    success: str | None = None,
    allow_info: Sequence[str] = (),
    notes: TaskNotes | None = None,
    simulator: bool = True,
) -> TaskSpec:
    """Describe an environment.

    Args:
        env: The environment; it is reset and stepped, not closed.
        name: The task's id; by default the environment's.
        seed: Seed of the episodes that are tried.
        rollouts: Episodes of each of the two policies, random and held actions.
        max_steps: Their longest length.
        success: The success rule, for example ``"position >= 0.45"``; by default
            ``info.success`` or ``info.is_success``, else what is known of the task.
        allow_info: Keys of ``info`` that become fields.
        notes: What is known of the task; by default our own notes, if we have any.
        simulator: False to leave out MuJoCo's bodies and sites that no note names.

    Raises:
        TaskSpecError: The action or the whole observation has no numbers, the success
            rule does not fit, or an allowed ``info`` key is missing or is the answer.

    Example:
        >>> task = describe_env(gym.make("MountainCar-v0"), rollouts=1, max_steps=9)
        >>> [item.signature for item in task.fields], task.success.rule
        (['position: float', 'velocity: float'], 'position >= 0.5')
    """
    spec = env.spec
    known = notes or NOTES.get(spec.id if spec else "", TaskNotes())
    tried = sample(env, seed)
    doc = type(env.unwrapped).__doc__ or ""
    found = _fields(env, known, tried, allow_info, simulator=simulator)
    if not found.fields:
        raise TaskSpecError(
            f"Nothing in the observation space {env.observation_space} can be a field: "
            f"{' '.join(found.remarks)} Wrap the environment so that it gives a Box, "
            "Discrete or Dict observation."
        )
    instruction, remarks = _instruction(known, doc, name or _name(env))
    task = TaskSpec(
        id=name or _name(env),
        instruction=instruction,
        fields=found.fields,
        action=action_field(env.action_space, action_meanings(doc)),
        horizon=spec.max_episode_steps if spec else None,
        gamma=known.gamma,
        dt=_dt(env) or known.dt,
        notes=(*found.remarks, *remarks, *known.remarks),
    )
    task = _with_success(task, success, known, tried)
    return measured(task, env, known, seed=seed, rollouts=rollouts, max_steps=max_steps)


def _name(env: Env) -> str:
    return env.spec.id if env.spec else type(env.unwrapped).__name__


def _dt(env: Env) -> float | None:
    dt = getattr(env.unwrapped, "dt", None)
    try:
        return None if dt is None else round(float(dt), 9)
    except (TypeError, ValueError):
        return None


def _instruction(known: TaskNotes, doc: str, name: str) -> tuple[str, tuple[str, ...]]:
    if known.instruction:
        return known.instruction, ()
    text = description(doc, longest=_LONGEST_INSTRUCTION)
    if text:
        return text, ("The instruction is the environment's own description.",)
    return f"Solve the task of {name}.", (
        "The environment does not say what is to be done; write an instruction.",
    )


def _fields(
    env: Env,
    known: TaskNotes,
    tried: Sample,
    allow_info: Sequence[str],
    *,
    simulator: bool,
) -> Described:
    """Gather fields from the observation, the notes, the simulator and ``info``."""
    found = _from_observation(env, known, tried)
    if simulator:
        found += _from_simulator(env, tried, found.fields)
    found += Described(tuple(_info_field(key, tried) for key in allow_info))
    return replace(found, fields=unique(found.fields))


def _from_simulator(env: Env, tried: Sample, seen: Sequence[Field]) -> Described:
    taken = frozenset(item.name for item in seen)
    simulated = simulator_fields(env.unwrapped, taken)
    refused = [f for f in simulated.fields if not provable(f, env, tried)]
    return replace(
        simulated,
        fields=tuple(item for item in simulated.fields if item not in refused),
        remarks=simulated.remarks + _refusals(refused),
    )


def _from_observation(env: Env, known: TaskNotes, tried: Sample) -> Described:
    documents, remarks = _documents(env)
    found = observation_fields(env.observation_space, documents)
    wrong = [item for item in found.fields if not provable(item, env, tried)]
    if wrong:
        found = observation_fields(env.observation_space, Documents())
        found += Described(remarks=(_contradiction(wrong),))
    shape = env.observation_space.shape or (0,)
    fits = not known.sizes or (len(shape) == 1 and shape[0] in known.sizes)
    extra = [item for item in known.fields if fits and provable(item, env, tried)]
    if len(extra) < len(known.fields):
        remarks += (
            "Our notes on this task are written for another observation, so names "
            "and meanings are the environment's own.",
        )
    fields = unique(merge(found.fields, extra))
    return replace(found, fields=fields, remarks=remarks + found.remarks)


def _documents(env: Env) -> tuple[Documents, tuple[str, ...]]:
    """Gather what documents the observation, if it is still the documented one."""
    base = env.unwrapped
    tables = observation_tables(type(base).__doc__ or "")
    changed = [type(w).__name__ for w in _layers(env) if _changes_obs(w)]
    if changed:
        remark = f"{', '.join(changed)} changes the observation: its table is not used."
        return Documents(), ((remark,) if tables else ())
    structure = getattr(base, "observation_structure", None)
    return Documents(tables, structure, scalar_joints(base)), ()


def _layers(env: Env) -> Iterable[Env]:
    while isinstance(env, gym.Wrapper):
        yield env
        env = env.env


def _changes_obs(layer: Any) -> bool:
    if isinstance(layer, gym.ObservationWrapper):
        return True
    return bool(layer.observation_space != layer.env.observation_space)


def _contradiction(wrong: list[Field]) -> str:
    item = wrong[0]
    return (
        f"The docstring's table is not used: it calls {item.source!r} "
        f"{item.meaning!r}, but {item.check!r} holds another value."
    )


def _refusals(fields: list[Field]) -> tuple[str, ...]:
    return tuple(f"{item.source} cannot be read and is left out." for item in fields)


def _info_field(key: str, tried: Sample) -> Field:
    if holds_answer(key):
        raise TaskSpecError(
            f"info[{key!r}] holds the answer, so a reward must not see it. Allow other "
            f"keys only; seen here: {', '.join(tried.open_keys) or 'none'}."
        )
    if key not in tried.info:
        raise TaskSpecError(
            f"info has no key {key!r} after a step; seen: "
            f"{', '.join(tried.open_keys) or 'none'}.{did_you_mean(key, tried.info)}"
        )
    value = as_array(tried.info[key])
    if value.dtype.kind not in "biuf":
        raise TaskSpecError(
            f"info[{key!r}] holds {tried.info[key]!r}, which is not a number or an "
            "array of numbers."
        )
    return Field(
        identifier(key),
        value.shape,
        "bool" if value.dtype.kind == "b" else "float",
        meaning=f"As info[{key!r}] tells it.",
        source=f"info.{key}",
        at_reset=key in tried.reset_info,
        train_only=True,
    )


def _with_success(
    task: TaskSpec, rule: str | None, known: TaskNotes, tried: Sample
) -> TaskSpec:
    """Choose the success rule, and prove that it can be evaluated."""
    if rule:
        task = task.with_success(rule)
        SuccessTest(task)
        return task
    for key in _SUCCESS_KEYS:
        if key in tried.info:
            words = f"the environment reports {key} in info"
            return replace(task, success=Success(f"info.{key}", words))
    if known.success is None:
        return _without_success(task)
    try:
        task = replace(task, success=known.success)
        SuccessTest(task)
    except TaskSpecError as problem:
        lost = f"The known success rule cannot be used: {problem}"
        return _without_success(replace(task, success=None, notes=(*task.notes, lost)))
    return task


def _without_success(task: TaskSpec) -> TaskSpec:
    advice = (
        "There is no success rule. Give one over fields or info, for example "
        '--success "position >= 0.45" or --success info.success.'
    )
    return replace(task, notes=(*task.notes, advice))
