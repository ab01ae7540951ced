"""Finds an environment by the name that a user typed."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import find_highest_version, parse_env_id

from reward_synth.envs.describe import describe_env
from reward_synth.envs.families import Family, FamilyAdapter, GymAdapter, families
from reward_synth.envs.rollouts import Env
from reward_synth.envs.user_module import import_user_module, missing_package
from reward_synth.errors import (
    UnknownEnvError,
    UsageError,
    did_you_mean,
)
from reward_synth.reward import Rollout
from reward_synth.task import TaskSpec, lanes_of

GYMNASIUM = "Gymnasium"
"""Family of ids that belong to none of ours."""
_UNEXPECTED = re.compile(r"unexpected keyword argument '(?P<name>\w+)'")


@dataclass(frozen=True, slots=True)
class EnvRef:
    """A found environment, not made yet; can be pickled and sent to workers."""

    name: str
    """Canonical name; :func:`resolve` takes it back."""
    family: str
    task: str
    """What ``gymnasium.make`` takes."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment; JSON-able."""
    folder: str = field(default="", compare=False)
    """Where the module of ``module:Id`` was found from."""

    def make(self, **overrides: Any) -> Env:
        """Make the environment.

        Args:
            overrides: More keyword arguments, which win over ``kwargs``.

        Raises:
            UsageError: The environment does not take a keyword argument.
            MissingExtraError: A package is missing that one of our extras installs.
            NotAvailableError: Another package is missing.
        """
        kwargs = {**self.kwargs, **overrides}
        if self.folder:
            import_user_module(self.task.split(":")[0], self.folder)
        adapter = self.adapter()
        try:
            return adapter.make(self.task, **kwargs)
        except TypeError as cause:
            raise _refused(self.name, kwargs, cause) from cause
        except gym.error.UnregisteredEnv as cause:
            raise UnknownEnvError(f"{self.name}: {cause}") from cause
        except (gym.error.DependencyNotInstalled, ImportError) as cause:
            raise missing_package(self.name, cause) from cause

    def prepare(self, count: int = 1, **overrides: Any) -> None:
        """Load what making the environment needs, before this process confines itself.

        Args:
            count: How many will be made; of families whose environments cannot be made
                afterwards, so many are kept for :meth:`make`.
            overrides: As for :meth:`make`.
        """
        adapter: Any = self.adapter()
        if hasattr(adapter, "prepare"):
            adapter.prepare(self.task, count, **{**self.kwargs, **overrides})
            return
        env: Any = self.make(**overrides)
        env.close()

    def describe(
        self,
        *,
        seed: int = 0,
        rollouts: int = 3,
        max_steps: int = 200,
        success: str | None = None,
        allow_info: Sequence[str] = (),
    ) -> TaskSpec:
        """Make the environment, describe it, and close it.

        Args:
            seed: As for :func:`~reward_synth.envs.describe.describe_env`.
            rollouts: Likewise.
            max_steps: Likewise.
            success: Likewise.
            allow_info: Likewise.
        """
        env = self.make()
        try:
            return self.adapter().describe(
                env,
                name=self.name,
                seed=seed,
                rollouts=rollouts,
                max_steps=max_steps,
                success=success,
                allow_info=allow_info,
            )
        finally:
            env.close()  # type: ignore[no-untyped-call]  # Gymnasium's has no types

    def expert(self) -> EnvRef:
        """Return the same environment with its own dense reward.

        Raises:
            UsageError: It has none.
        """
        kwargs = self.adapter().expert(self.task)
        if kwargs is None:
            raise UsageError(
                f"{self.name} has no dense reward of its own to compare with; leave "
                "--expert out."
            )
        return replace(self, kwargs={**self.kwargs, **kwargs})

    def demonstrate(self, task: TaskSpec, seed: int) -> Sequence[Rollout]:
        """Return some successful episodes, none if the family has no solutions."""
        return self.adapter().demonstrate(task, seed)

    def remarks(self) -> tuple[str, ...]:
        """Return what the user should know of this machine and this environment."""
        return self.adapter().remarks()

    def code(self) -> str:
        """Return Python that makes the environment, its imports included."""
        return self.adapter().code(self.task, self.kwargs)

    def adapter(self) -> FamilyAdapter:
        """Return what makes and describes the environment."""
        for family in families():
            if family.name == self.family:
                return family.adapter()
        return GymAdapter()


def resolve(text: str, env_kwargs: Mapping[str, Any] | None = None) -> EnvRef:
    """Find an environment by name.

    Args:
        text: A family (``ManiSkill``: its default task), ``Family/Task``, a task of a
            family (``PickCube-v1``), any registered Gymnasium id (``Hopper-v5``; without
            a version the newest), or ``module:Id`` for an id that a module of yours
            registers. The module is imported; the current directory is looked at first.
        env_kwargs: Keyword arguments for the environment.

    Raises:
        UnknownEnvError: Nothing is called so; the nearest names are given.
        MissingExtraError: The package of the environment's family is missing.
        UsageError: A keyword argument cannot be stored as JSON.

    Example:
        >>> resolve("classic").name, resolve("Hopper").name, resolve("PickCube").name
        ('MountainCarContinuous-v0', 'Hopper-v5', 'ManiSkill/PickCube-v1')
    """
    kwargs = _plain_kwargs(env_kwargs or {})
    text = text.strip()
    if ":" in text:
        return _user_env(text, kwargs)
    for family in families():
        task = _task_of(family, text)
        if task:
            family.require()
            return EnvRef(family.canonical(task), family.name, task, kwargs)
    task = _registered(text)
    if not task:
        raise _unknown(text)
    return EnvRef(task, GYMNASIUM, task, kwargs)


def describe_any(env: Env, **options: Any) -> TaskSpec:
    """Describe an environment that the user made, as its family describes it.

    Args:
        env: Any Gymnasium environment.
        options: Keywords of :func:`~reward_synth.envs.describe.describe_env`.

    Raises:
        UsageError: It steps several scenes at once, of a family that is not known.
    """
    package = type(env.unwrapped).__module__.split(".")[0]
    for family in families():
        if family.module and family.package == package:
            return family.adapter().describe(env, **options)
    if lanes_of(env) > 1:
        raise UsageError(
            f"The environments of {type(env.unwrapped).__name__} cannot be described "
            "one by one. Give task=..., for example the file that "
            "`reward_synth describe --env NAME --save FILE` writes."
        )
    return describe_env(env, **options)


def _plain_kwargs(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in kwargs.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as cause:
            raise UsageError(
                f"The environment's argument {name}={value!r} cannot be stored as JSON; "
                "give numbers, texts, lists or dicts. Register an environment with this "
                "argument built in, and name it as module:Id."
            ) from cause
    return dict(kwargs)


def _task_of(family: Family, text: str) -> str:
    """Return the family's task that ``text`` names, or ``""``."""
    head, _, tail = text.partition("/")
    if head.casefold() == family.name.casefold():
        return _listed(family, tail) if tail else family.default
    return _listed(family, text, strict=True)


def _listed(family: Family, name: str, *, strict: bool = False) -> str:
    """Find a task by name, with or without version, case aside."""
    wanted = name.casefold()
    for task in family.tasks:
        if wanted in (task.casefold(), task.rsplit("-v", 1)[0].casefold()):
            return task
    if strict:
        return ""
    family.require()
    if family.registers:
        importlib.import_module(family.registers)
    return _registered(name)


def _registered(text: str) -> str:
    """Return Gymnasium's id for ``text``, with the newest version if it has none."""
    if text in gym.registry:
        return text
    try:
        namespace, name, version = parse_env_id(text)
    except gym.error.Error:
        return ""
    newest = find_highest_version(namespace, name) if version is None else None
    return "" if newest is None else f"{text}-v{newest}"


def _unknown(text: str) -> UnknownEnvError:
    known = list(gym.registry)
    for family in families():
        known += [family.name, *family.tasks]
        known += [f"{family.name}/{task}" for task in family.tasks]
    names = list(dict.fromkeys(known))
    hint = did_you_mean(text, names) or (
        " `reward_synth envs` lists families and tasks; an environment of your own is "
        "named module:Id."
    )
    return UnknownEnvError(f"There is no environment {text!r}.{hint}")


def _user_env(text: str, kwargs: dict[str, Any]) -> EnvRef:
    module, _, name = text.partition(":")
    folder = str(Path.cwd())
    import_user_module(module, folder)
    task = _registered(name)
    if not task:
        theirs = [
            spec.id
            for spec in gym.registry.values()
            if str(spec.entry_point).startswith(f"{module}:")
            or getattr(spec.entry_point, "__module__", "") == module
        ]
        raise UnknownEnvError(
            f"The module {module!r} registers no environment {name!r}; it registers "
            f"{', '.join(theirs) or 'none'}.{did_you_mean(name, gym.registry)}"
        )
    full = f"{module}:{task}"
    return EnvRef(full, GYMNASIUM, full, kwargs, folder)


def _refused(name: str, kwargs: Mapping[str, Any], cause: TypeError) -> Exception:
    """Return the error for a refused keyword argument, else the cause itself."""
    match = _UNEXPECTED.search(str(cause))
    if match is None or match["name"] not in kwargs:
        return cause
    return UsageError(
        f"{name} does not take the argument {match['name']}={kwargs[match['name']]!r}. "
        "Leave it out, or look its name up in the environment's documentation."
    )
