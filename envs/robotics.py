"""Gymnasium-Robotics: Fetch, Shadow Hand, Adroit and mazes, with sparse rewards.

The family's door. Importing it does not load the package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import gymnasium as gym

from reward_synth.envs.describe import describe_env
from reward_synth.envs.robotics_tasks import fields_of, known_of, notes_of
from reward_synth.envs.rollouts import Env
from reward_synth.reward import Rollout
from reward_synth.task import Field, Success, TaskSpec

_REGISTER = "reward_synth.envs.robotics_register"
_VECTOR = "obs.observation"
_GOAL_MOVES = (
    "After each success desired_goal moves on to another place (reset_target)."
)


@dataclass(frozen=True, slots=True)
class Robotics:
    """Makes and describes Gymnasium-Robotics' environments."""

    def make(self, task: str, **kwargs: Any) -> Env:
        """Make the environment of a task, such as ``FetchPush-v4``."""
        import_module(_REGISTER)
        return gym.make(task, disable_env_checker=True, **kwargs)

    def describe(
        self, env: Env, *, success: str | None = None, **options: Any
    ) -> TaskSpec:
        """Describe an environment, value ranges included.

        Args:
            env: The environment; it is reset and stepped, not closed.
            success: Another success rule than what it reports in ``info``.
            options: Further keywords of :func:`~reward_synth.envs.describe.describe_env`.
        """
        task = env.spec.id if env.spec else ""
        known = known_of(task)
        if known is None:
            return describe_env(env, success=success, **options)
        base: Any = env.unwrapped
        mine = notes_of(task)
        notes = replace(mine, dt=_dt(base), remarks=(*mine.remarks, *_maze(base)))
        tried = describe_env(
            env, success=success, notes=notes, simulator=False, **options
        )
        return replace(
            tried,
            fields=_chosen(tried.fields, fields_of(task)),
            success=tried.success if success else _success(tried, known.rule, base),
            ends_on_success=tried.ends_on_success or _ends(base, success),
        )

    def expert(self, task: str) -> Mapping[str, Any] | None:
        """Return the keyword that selects the dense reward, None: there is none."""
        return {"reward_type": "dense"} if known_of(task) else None

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:  # noqa: ARG002
        """Return none: the package has no solutions."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included."""
        given = "".join(f", {name}={value!r}" for name, value in kwargs.items())
        return (
            "import gymnasium as gym\nimport gymnasium_robotics\n"
            f"env = gym.make({task!r}{given})"
        )


def _chosen(found: Sequence[Field], known: Sequence[Field]) -> tuple[Field, ...]:
    """Leave out a vector that the table covers whole."""
    named = sum(item.size for item in known if item.source.startswith(f"{_VECTOR}["))
    return tuple(item for item in found if item.source != _VECTOR or item.size != named)


def _success(task: TaskSpec, rule: str, base: Any) -> Success | None:
    """Say in words what the environment's report of success means."""
    if task.success is None:
        return None
    but = "; the turn about z does not count"
    words = rule.format(
        radius=f"{getattr(base, 'distance_threshold', 0):g}",
        turn=f"{getattr(base, 'rotation_threshold', 0):g}",
        but=but if getattr(base, "ignore_z_target_rotation", False) else "",
    )
    return replace(task.success, words=words)


def _ends(base: Any, success: str | None) -> bool:
    """Tell whether success ends the episode, which is an option of mazes only."""
    return success is None and not getattr(base, "continuing_task", True)


def _dt(base: Any) -> float | None:
    """Return the seconds a step of a maze, which hides its simulation."""
    inner = getattr(base, "point_env", None) or getattr(base, "ant_env", None)
    return None if inner is None else round(float(inner.dt), 9)


def _maze(base: Any) -> tuple[str, ...]:
    """Say where a maze's walls are, which no field tells."""
    maze = getattr(base, "maze", None)
    if maze is None:
        return ()
    rows = " ".join("".join(map(str, row)) for row in maze.maze_map)
    size = f"{maze.maze_size_scaling:g}"
    walls = (
        f"The maze's rows, from +y to -y, 1 is wall: {rows}. The middle of the cell in row "
        f"r and column c, both from 0, is at x = (c + 0.5) * {size} - "
        f"{maze.x_map_center:g}, y = {maze.y_map_center:g} - (r + 0.5) * {size}."
    )
    return (walls, _GOAL_MOVES) if base.reset_target else (walls,)


FAMILY = Robotics()
"""What :mod:`reward_synth.envs.families` looks for."""
