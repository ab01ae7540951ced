"""ManiSkill: robot arms at a table, with sparse rewards, with or without a renderer.

The family's door. Importing it loads neither ManiSkill nor torch.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from reward_synth.envs.describe import describe_env
from reward_synth.envs.maniskill_demos import demonstrations
from reward_synth.envs.maniskill_fields import ROBOT
from reward_synth.envs.maniskill_make import (
    DEFAULT_CONTROL,
    NAMESPACE,
    Env,
    ExactReset,
    make,
)
from reward_synth.envs.maniskill_render import Rendering, rendering
from reward_synth.envs.maniskill_tasks import TASKS
from reward_synth.envs.notes import TaskNotes
from reward_synth.errors import UnknownEnvError, UsageError, did_you_mean
from reward_synth.reward import Rollout
from reward_synth.task import ACTION, Field, Success, TaskSpec, lanes_of

__all__ = [
    "FAMILY",
    "ManiSkill",
    "Rendering",
    "demonstrations",
    "make",
    "rendering",
    "task_spec",
]

GAMMA = 0.8
"""With which ManiSkill's own agents are trained."""
DT = 0.05
_RULE = "info.success"
_SPARSE_ONLY = ("PlugCharger-v1",)
_DEMONSTRATIONS = 6
"""Seeds that are tried for screening, and again with shaken joints."""
_SHAKE = 0.05
"""Standard deviation in rad; most shaken episodes fail, late."""
_FRAME = "Positions are in the world's frame: z is up, the table's top is at z = 0."
_DESCRIPTION = re.compile(r"\*\*Task Description:\*\*\s*(.+?)\s*(\*\*|$)", re.DOTALL)
_GRIPPER = "then the gripper (-1 closed, 1 open)"
_TURN = "its turn about x, y, z (1 asks for 0.1 rad)"
_SHIFT = (
    "move of the tool along x, y, z of the robot's base (1 asks for 0.1 m, of which about "
    "0.04 m are made in one step)"
)
CONTROLS: dict[str, tuple[int, str]] = {
    "pd_ee_delta_pos": (4, f"{_SHIFT}, {_GRIPPER}"),
    "pd_ee_delta_pose": (7, f"{_SHIFT}, {_TURN}, {_GRIPPER}"),
    "pd_joint_delta_pos": (8, f"turn of 7 joints (1 asks for 0.1 rad), {_GRIPPER}"),
    "pd_joint_pos": (8, f"positions of 7 joints in rad, {_GRIPPER}"),
}
"""Size and meaning of the action in the usual control modes of the Panda arm."""


def task_spec(task: str, env: Env | None = None) -> TaskSpec:
    """Return the description of a task of the table; needs no simulator.

    Args:
        task: For example ``"PickCube-v1"``.
        env: Its environment, if its settings are not the default ones.

    Raises:
        UnknownEnvError: The table does not have the task.

    Example:
        >>> task = task_spec("PullCube-v1")
        >>> task.field("cube_pos").source, task.field("cube_pos").check
        ('sim.obj.pose.p', 'obs.extra.obj_pose[0:3]')
        >>> task.action.signature, task.horizon, task.gamma
        ('action: float[4]', 50, 0.8)
    """
    name = task.removeprefix(NAMESPACE)
    if name not in TASKS:
        raise UnknownEnvError(
            f"The table of ManiSkill tasks has no {name!r}.{did_you_mean(name, TASKS)} "
            f"It has {', '.join(TASKS)}."
        )
    known = TASKS[name]
    described = TaskSpec(
        id=f"{NAMESPACE}{name}",
        instruction=known.instruction,
        fields=(*ROBOT, *known.fields),
        action=_action(DEFAULT_CONTROL, 4, -1.0, 1.0),
        success=Success(_RULE, known.success),
        sparse=True,
        ends_on_success=True,
        horizon=known.horizon,
        gamma=GAMMA,
        dt=DT,
        notes=(_FRAME, *known.notes),
        info_keys=("elapsed_steps", "success", *known.info_keys),
    )
    return described if env is None else _as_made(described, env)


def _action(mode: str, size: int, low: Any, high: Any) -> Field:
    return Field(
        ACTION,
        (size,),
        meaning=CONTROLS[mode][1] if mode in CONTROLS else f"control mode {mode}",
        low=tuple(np.broadcast_to(low, size).astype(float).tolist()),
        high=tuple(np.broadcast_to(high, size).astype(float).tolist()),
    )


def _as_made(task: TaskSpec, env: Env) -> TaskSpec:
    """Adapt what the settings of an environment change."""
    base: Any = env.unwrapped
    space: Any = base.single_action_space
    given = dict(env.spec.kwargs) if env.spec else {}
    return replace(
        task,
        action=_action(base.control_mode, space.shape[0], space.low, space.high),
        horizon=_horizon(env) or task.horizon,
        sparse=base.reward_mode in ("sparse", "none"),
        ends_on_success=not given.get("ignore_terminations", False),
    )


@dataclass(frozen=True, slots=True)
class ManiSkill:
    """Makes and describes ManiSkill's environments."""

    def make(self, task: str, **kwargs: Any) -> Env:
        """Make the environment of a task; see :func:`make`."""
        return make(task, **kwargs)

    def describe(
        self, env: Env, *, success: str | None = None, **options: Any
    ) -> TaskSpec:
        """Describe an environment, value ranges included.

        Args:
            env: What :meth:`make` gave, wrapped or not.
            success: Another success rule than ``info.success``.
            options: Further keywords of :func:`~reward_synth.envs.describe.describe_env`.
        """
        name = env.spec.id.removeprefix(NAMESPACE) if env.spec else ""
        if lanes_of(env) > 1:
            return _of_many(name, env, success)
        exact: Env = ExactReset(env)
        if name not in TASKS:
            notes = TaskNotes(_own_words(env), gamma=GAMMA, dt=DT)
            return describe_env(exact, success=success, notes=notes, **options)
        known = task_spec(name, env)
        tried = describe_env(exact, success=success, notes=_notes(known), **options)
        return replace(
            tried,
            fields=_named_by(known, tried),
            action=known.action,
            success=tried.success if success else known.success,
            ends_on_success=known.ends_on_success,
            horizon=known.horizon,
        )

    def expert(self, task: str) -> Mapping[str, Any] | None:
        """Return the keywords that select ManiSkill's own dense reward."""
        return None if task in _SPARSE_ONLY else {"reward_mode": "normalized_dense"}

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:
        """Return episodes of ManiSkill's motion planning: successes, then shaken ones."""
        if task.id.removeprefix(NAMESPACE) not in TASKS:
            return ()
        first = range(seed, seed + _DEMONSTRATIONS)
        shaken = range(first.stop, first.stop + _DEMONSTRATIONS)
        return (
            *demonstrations(task, first),
            *demonstrations(task, shaken, noise=_SHAKE),
        )

    def remarks(self) -> tuple[str, ...]:
        """Tell whether frames can be drawn on this machine."""
        return (f"ManiSkill on this machine: {rendering()}.",)

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included."""
        given = "".join(f", {name}={value!r}" for name, value in kwargs.items())
        return f"env = reward_synth.make({f'{NAMESPACE}{task}'!r}{given})"


def _of_many(name: str, env: Env, success: str | None) -> TaskSpec:
    """Describe several scenes from the table: they cannot be tried one by one.

    Raises:
        UsageError: The table does not have the task, or not this success rule.
    """
    if name not in TASKS or success not in (None, _RULE):
        raise UsageError(
            f"{lanes_of(env)} scenes of {name!r} at once cannot be described. Give "
            "task=..., for example the file that "
            f"`reward_synth describe --env {NAMESPACE}{name} --save FILE` writes."
        )
    return task_spec(name, env)


def _horizon(env: Env) -> int | None:
    """Return its time limit, which ManiSkill's own environments hide from their spec."""
    if env.spec and env.spec.max_episode_steps:
        return env.spec.max_episode_steps
    utils = import_module("mani_skill.utils.gym_utils")
    found: int | None = utils.find_max_episode_steps_value(env)
    return found


def _notes(task: TaskSpec) -> TaskNotes:
    return TaskNotes(
        instruction=task.instruction,
        success=task.success,
        fields=task.fields,
        gamma=task.gamma,
        dt=task.dt,
        sparse=task.sparse,
        ends_on_success=task.ends_on_success,
        remarks=task.notes,
    )


def _named_by(known: TaskSpec, tried: TaskSpec) -> tuple[Field, ...]:
    """Leave out the observation's own entries, which are the known fields again."""
    names = {item.source: item.name for item in known.fields}
    return tuple(
        replace(item, name=names.get(item.source, item.name))
        for item in tried.fields
        if not item.source.startswith("obs")
    )


def _own_words(env: Env) -> str:
    """Return ManiSkill's own description of a task, or ``""``."""
    match = _DESCRIPTION.search(inspect.getdoc(type(env.unwrapped)) or "")
    return " ".join(match[1].split()) if match else ""


FAMILY = ManiSkill()
"""What :mod:`reward_synth.envs.families` looks for."""
