"""Meta-World v3: 50 tasks of one robot arm at a table, with seeded goals.

The family's door. Importing it does not load Meta-World.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reward_synth.envs.describe import describe_env
from reward_synth.envs.metaworld_demos import demonstrations
from reward_synth.envs.metaworld_fields import ROBOT
from reward_synth.envs.metaworld_make import HORIZON, NAMESPACE, Env, make, name_of
from reward_synth.envs.metaworld_tasks import TASKS
from reward_synth.envs.notes import TaskNotes
from reward_synth.errors import TaskSpecError, UnknownEnvError, did_you_mean
from reward_synth.reward import Rollout
from reward_synth.task import ACTION, Field, Success, TaskSpec

__all__ = ["FAMILY", "MetaWorld", "demonstrations", "make", "task_spec"]

DT = 0.0125
_RULE = "info.success"
_ANSWERS = ("near_object", "obj_to_target")
"""Keys of ``info`` that are terms of the dense reward, though not by name."""
_DEMONSTRATIONS = 6
"""Seeds that are tried for screening."""
_NOISE = (0.5, 0.8, 1.1, 1.4, 1.7, 2.0)
"""Standard deviations that are added to actions, one episode each: some tasks fail from
the first on, others bear the last."""
_NOTES = (
    "Positions are in the world's frame: z is up, the table's top is at z = 0, and the "
    "robot stands at y = 0 and looks along +y.",
    "Entries of the observation without a field are zeros, constant, or the state one "
    "step before, which programs read as prev_<name>.",
    "Goals come from 50 that Meta-World draws once; reset(seed=s) chooses among them.",
)
_ACTION = Field(
    ACTION,
    (4,),
    meaning="move of the hand along x, y, z (1 asks for 0.01 m), then the gripper "
    "(-1 opens, 1 closes)",
    low=(-1.0,) * 4,
    high=(1.0,) * 4,
)


def task_spec(task: str) -> TaskSpec:
    """Return the description of a task of the table; needs no simulator.

    Args:
        task: For example ``"drawer-close-v3"``.

    Raises:
        UnknownEnvError: The table does not have the task.

    Example:
        >>> task = task_spec("drawer-close-v3")
        >>> task.field("handle_pos").source, task.field("goal_pos").source
        ('obs[4:7]', 'obs[36:39]')
        >>> task.success.words
        'np.linalg.norm(handle_pos - goal_pos) <= 0.065'
    """
    name = task.removeprefix(NAMESPACE)
    if name not in TASKS:
        raise UnknownEnvError(
            f"The table of Meta-World's tasks has no {name!r}."
            f"{did_you_mean(name, TASKS)} It has {', '.join(TASKS)}."
        )
    known = TASKS[name]
    return TaskSpec(
        id=f"{NAMESPACE}{name}",
        instruction=known.instruction,
        fields=(*ROBOT, *known.fields),
        action=_ACTION,
        success=Success(_RULE, known.rule),
        sparse=True,
        horizon=HORIZON,
        dt=DT,
        notes=_NOTES,
    )


@dataclass(frozen=True, slots=True)
class MetaWorld:
    """Makes and describes Meta-World's environments."""

    def make(self, task: str, **kwargs: Any) -> Env:
        """Make the environment of a task; see :func:`make`."""
        return make(task, **kwargs)

    def describe(
        self,
        env: Env,
        *,
        success: str | None = None,
        allow_info: Sequence[str] = (),
        **options: Any,
    ) -> TaskSpec:
        """Describe an environment, value ranges included.

        Args:
            env: What :meth:`make` gave, or Meta-World's own ``Meta-World/MT1``.
            success: Another success rule than ``info.success``.
            allow_info: Keys of ``info`` that become fields.
            options: Further keywords of :func:`~reward_synth.envs.describe.describe_env`.

        Raises:
            TaskSpecError: An allowed key is a term of the dense reward.
        """
        _refuse_answers(allow_info)
        known = task_spec(name_of(env))
        options["name"] = options.get("name") or known.id
        tried = describe_env(
            env,
            success=success,
            allow_info=allow_info,
            notes=_notes(known, env),
            simulator=False,
            **options,
        )
        kept = {item.name for item in known.fields}
        ends = _attribute(env, "terminate_on_success")
        return replace(
            tried,
            fields=tuple(
                item
                for item in tried.fields
                if item.name in kept or item.source.startswith("info.")
            ),
            action=known.action,
            success=tried.success if success else known.success,
            ends_on_success=tried.ends_on_success if success else bool(ends),
            horizon=min(tried.horizon or HORIZON, HORIZON),
        )

    def expert(self, task: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return the keywords that select its own dense reward, version 2 by default.

        ``reward_function_version="v1"`` in the environment's own keywords stays, and
        makes the expert arm the older reward.
        """
        return {"reward_mode": "dense"}

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:
        """Return episodes of Meta-World's scripted policy: plain, then noisy ones."""
        if task.id.removeprefix(NAMESPACE) not in TASKS:
            return ()
        first = range(seed, seed + _DEMONSTRATIONS)
        played = list(demonstrations(task, first))
        for number, noise in enumerate(_NOISE, start=first.stop):
            played += demonstrations(task, [number], noise=noise)
        return played

    def remarks(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included."""
        given = "".join(f", {name}={value!r}" for name, value in kwargs.items())
        return f"env = reward_synth.make({f'{NAMESPACE}{task}'!r}{given})"


def _refuse_answers(allow_info: Sequence[str]) -> None:
    for key in allow_info:
        if key in _ANSWERS:
            raise TaskSpecError(
                f"info[{key!r}] is a term of Meta-World's dense reward, so a reward must "
                "not see it. The positions that it is computed from are fields already."
            )


def _notes(task: TaskSpec, env: Env) -> TaskNotes:
    return TaskNotes(
        instruction=task.instruction,
        success=task.success,
        fields=task.fields,
        sizes=(39,),
        gamma=task.gamma,
        dt=task.dt,
        sparse=_attribute(env, "reward_mode") == "sparse",
        remarks=task.notes,
    )


def _attribute(env: Env, name: str) -> Any:
    """Return an attribute of any layer, None if there is none."""
    return env.get_wrapper_attr(name) if env.has_wrapper_attr(name) else None


FAMILY = MetaWorld()
"""What :mod:`reward_synth.envs.families` looks for."""
