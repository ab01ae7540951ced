"""Families of environments: what they are called, what they need, how they are made."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym

from reward_synth.envs import (
    behaviours_tasks,
    gridworld_tasks,
    metaworld_tasks,
    nethack_tasks,
    robotics_tasks,
    tooluse_names,
)
from reward_synth.envs.describe import NOTES, describe_env
from reward_synth.envs.rollouts import Env
from reward_synth.errors import MissingExtraError, NotAvailableError
from reward_synth.reward import Rollout
from reward_synth.task import TaskSpec


class FamilyAdapter(Protocol):
    """How a family makes and describes its environments."""

    def make(self, task: str, **kwargs: Any) -> Env:
        """Make the environment of a task, such as ``PickCube-v1``."""

    def describe(self, env: Env, **options: Any) -> TaskSpec:
        """Describe it; ``options`` are the keywords of :func:`describe_env`."""

    def expert(self, task: str) -> Mapping[str, Any] | None:
        """Return the keywords that select its own dense reward, None: it has none."""

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:
        """Return some successful episodes, none if it has no solutions."""

    def remarks(self) -> tuple[str, ...]:
        """Return what the user should know of this machine and this family."""

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included."""


@dataclass(frozen=True, slots=True)
class GymAdapter:
    """The adapter of everything that is described as Gymnasium environments are."""

    registers: str = ""
    """Module to import first, because it registers the family's ids."""

    def make(self, task: str, **kwargs: Any) -> Env:
        """Make the environment."""
        if self.registers:
            importlib.import_module(self.registers)
        return gym.make(task, **kwargs)

    def describe(self, env: Env, **options: Any) -> TaskSpec:
        """Describe it from what it says itself."""
        return describe_env(env, **options)

    def expert(self, task: str) -> Mapping[str, Any] | None:
        """Return no keywords, for its own reward is what it is made with, or None.

        Example:
            >>> GymAdapter().expert("Pendulum-v1"), GymAdapter().expert("Acrobot-v1")
            ({}, None)
        """
        known = NOTES.get(task)
        return None if known and known.sparse else {}

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:  # noqa: ARG002
        """Return none: Gymnasium has no solutions."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def code(self, task: str, kwargs: Mapping[str, Any]) -> str:
        """Return Python that makes the environment, its imports included.

        Example:
            >>> print(GymAdapter().code("Hopper-v5", {"frame_skip": 2}))
            import gymnasium as gym
            env = gym.make('Hopper-v5', frame_skip=2)
        """
        given = "".join(f", {name}={value!r}" for name, value in kwargs.items())
        register = f"import {self.registers}\n" if self.registers else ""
        return f"import gymnasium as gym\n{register}env = gym.make({task!r}{given})"


@dataclass(frozen=True, slots=True)
class Family:
    """A group of tasks that need the same package."""

    name: str
    tasks: tuple[str, ...]
    """The default first."""
    package: str = ""
    """What must be importable; empty: nothing beyond Gymnasium."""
    extra: str = ""
    """The extra of ``reward-synth`` that installs it."""
    registers: str = ""
    """Module that registers the tasks with Gymnasium; empty: Gymnasium itself."""
    module: str = ""
    """Module with an adapter called ``FAMILY``; empty: :class:`GymAdapter`."""

    @property
    def default(self) -> str:
        """The task that the family's bare name stands for."""
        return self.tasks[0]

    @property
    def installed(self) -> bool:
        """True if the package can be imported."""
        return not self.package or importlib.util.find_spec(self.package) is not None

    def canonical(self, task: str) -> str:
        """Return the name of one of its tasks.

        Example:
            >>> CLASSIC.canonical("CartPole-v1"), MANISKILL.canonical("PickCube-v1")
            ('CartPole-v1', 'ManiSkill/PickCube-v1')
        """
        return f"{self.name}/{task}" if self.registers else task

    def require(self) -> None:
        """Raise a :class:`MissingExtraError` if the package is missing."""
        if not self.installed:
            raise MissingExtraError(self.package, self.extra)

    def adapter(self) -> FamilyAdapter:
        """Import and return the family's adapter.

        Raises:
            MissingExtraError: The family's package is missing.
            NotAvailableError: This version has no adapter for it.
        """
        self.require()
        if not self.module:
            return GymAdapter(self.registers)
        if importlib.util.find_spec(self.module) is None:
            raise NotAvailableError(
                f"This version of reward_synth has no module {self.module!r}, which "
                f"makes the environments of {self.name}. Update reward_synth."
            )
        adapter: FamilyAdapter = importlib.import_module(self.module).FAMILY
        return adapter


CLASSIC = Family(
    "Classic",
    (
        "MountainCarContinuous-v0",
        "MountainCar-v0",
        "CartPole-v1",
        "Pendulum-v1",
        "Acrobot-v1",
    ),
)
MUJOCO = Family(
    "MuJoCo",
    (
        "Hopper-v5",
        "HalfCheetah-v5",
        "Walker2d-v5",
        "Ant-v5",
        "Humanoid-v5",
        "HumanoidStandup-v5",
        "Swimmer-v5",
        "Reacher-v5",
        "Pusher-v5",
        "InvertedPendulum-v5",
        "InvertedDoublePendulum-v5",
    ),
    package="mujoco",
    extra="mujoco",
)
MANISKILL = Family(
    "ManiSkill",
    (
        "PickCube-v1",
        "PushCube-v1",
        "PullCube-v1",
        "StackCube-v1",
        "LiftPegUpright-v1",
        "PegInsertionSide-v1",
        "RollBall-v1",
        "PokeCube-v1",
        "PlugCharger-v1",
    ),
    package="mani_skill",
    extra="maniskill",
    registers="reward_synth.envs.maniskill_register",
    module="reward_synth.envs.maniskill",
)
BEHAVIOURS = Family(
    "Behaviours",
    tuple(behaviours_tasks.TASKS),
    package="mujoco",
    extra="mujoco",
    registers="reward_synth.envs.behaviours_register",
)
ROBOTICS = Family(
    "Robotics",
    robotics_tasks.TASKS,
    package="gymnasium_robotics",
    extra="robotics",
    registers="reward_synth.envs.robotics_register",
    module="reward_synth.envs.robotics",
)
METAWORLD = Family(
    "MetaWorld",
    tuple(metaworld_tasks.TASKS),
    package="metaworld",
    extra="metaworld",
    registers="metaworld",
    module="reward_synth.envs.metaworld",
)
TOOLUSE = Family(
    "ToolUse",
    tuple(tooluse_names.CHOICES),
    package="jsonschema",
    extra="verify",
    registers="reward_synth.envs.tooluse_register",
    module="reward_synth.envs.tooluse_family",
)
GRIDWORLD = Family(
    "Gridworld",
    tuple(gridworld_tasks.TASKS),
    registers="reward_synth.envs.gridworld_register",
)
NETHACK = Family(
    "NetHack",
    nethack_tasks.NETHACK,
    package="nle",
    extra="nethack",
    registers="reward_synth.envs.nethack_register",
    module="reward_synth.envs.nethack",
)
MINIHACK = Family(
    "MiniHack",
    nethack_tasks.MINIHACK,
    package="minihack",
    extra="nethack",
    registers="reward_synth.envs.nethack_register",
    module="reward_synth.envs.nethack",
)
_FAMILIES = (
    CLASSIC,
    MUJOCO,
    BEHAVIOURS,
    MANISKILL,
    ROBOTICS,
    METAWORLD,
    TOOLUSE,
    GRIDWORLD,
    NETHACK,
    MINIHACK,
)


def families() -> tuple[Family, ...]:
    """Return all families that are known, installed or not.

    Example:
        >>> [family.name for family in families()][-3:]
        ['Gridworld', 'NetHack', 'MiniHack']
    """
    return _FAMILIES
