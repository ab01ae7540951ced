"""Builds Meta-World's environments: plain Gymnasium, with goals that ``reset`` seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from reward_synth.envs.metaworld_tasks import TASKS
from reward_synth.errors import UnknownEnvError, UsageError, did_you_mean

Env: TypeAlias = gym.Env[Any, Any]

NAMESPACE = "MetaWorld/"
HORIZON = 500
"""Meta-World truncates here and refuses further steps."""
_CHOICES = {
    "reward_mode": ("sparse", "dense"),
    "reward_function_version": ("v2", "v1"),
}
_CAMERA = ("camera_name", "camera_id", "width", "height")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an environment is made."""

    reward_mode: str = "sparse"
    """``sparse``: 1 for success, else 0; ``dense``: Meta-World's own reward."""
    reward_function_version: str = "v2"
    """Which dense reward, ``v2`` or the older ``v1``. Success is the same for both."""
    terminate_on_success: bool = False
    """True if success ends the episode."""
    max_episode_steps: int | None = None
    """At most 500, which None stands for."""
    seed: int = 0
    """Draws the 50 goals; ``reset(seed=...)`` chooses among them."""
    render_mode: str | None = None
    """``rgb_array`` for frames."""
    camera: Mapping[str, Any] = field(default_factory=dict)
    """``camera_name``, ``camera_id``, ``width`` and ``height``."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """Return the defaults with ``given``.

        Raises:
            UsageError: A name or a value is not known.

        Example:
            >>> Settings.of({"reward_mode": "dense", "width": 64}).camera
            {'width': 64}
        """
        names = {item.name for item in fields(cls)} - {"camera"}
        camera = {key: value for key, value in given.items() if key in _CAMERA}
        own = {key: value for key, value in given.items() if key not in camera}
        for key, value in own.items():
            if key not in names:
                known = sorted(names | set(_CAMERA))
                raise UsageError(
                    f"Meta-World's environments do not take the argument {key}={value!r}."
                    f"{did_you_mean(key, known)} They take {', '.join(known)}."
                )
            if key in _CHOICES and value not in _CHOICES[key]:
                raise UsageError(
                    f"{key} must be one of {', '.join(_CHOICES[key])}; received {value!r}."
                )
        return cls(**own, camera=camera)._checked()

    def _checked(self) -> Settings:
        steps = self.max_episode_steps
        whole = isinstance(steps, int) and not isinstance(steps, bool)
        if steps is not None and not (whole and 1 <= steps <= HORIZON):
            raise UsageError(
                f"max_episode_steps must be a whole number from 1 to {HORIZON}, where "
                f"Meta-World ends its episodes; received {steps!r}."
            )
        return self


class MetaWorldEnv(gym.Wrapper[Any, Any, Any, Any]):
    """A task with seeded goals, which agents see, and one meaning of success.

    Meta-World itself ignores the seed of ``reset``, and judges success by whichever
    version of the reward is in use; version 1 never reports it in some tasks.

    Args:
        env: The task's environment with its time limit.
        goals: What Meta-World calls the tasks of the benchmark MT1.
        settings: How the environment was asked for.
        spec: How :func:`gymnasium.make` builds it again.
    """

    def __init__(
        self, env: Env, goals: tuple[Any, ...], settings: Settings, spec: EnvSpec
    ) -> None:
        super().__init__(env)
        self.reward_mode = settings.reward_mode
        self.reward_function_version = settings.reward_function_version
        self.terminate_on_success = settings.terminate_on_success
        self._goals = goals
        self._choice = np.random.default_rng()
        self._cached_spec = spec  # what Gymnasium's `Wrapper.spec` returns
        base: Any = env.unwrapped
        base.set_task(goals[0])
        # Built before the goal could be seen, the inner space holds zeros for it.
        self.observation_space = base.sawyer_observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the seed alone decides the goal and what follows."""
        if seed is not None:
            self._choice = np.random.default_rng(seed)
        base: Any = self.unwrapped
        base.set_task(self._goals[self._choice.integers(len(self._goals))])
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step, and judge success by version 2."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if self.reward_function_version != "v2":
            info = {**info, "success": self._judge(obs, action)}
        success = info["success"] = bool(info["success"])
        paid = float(reward) if self.reward_mode == "dense" else float(success)
        ends = self.terminate_on_success and success
        return obs, paid, bool(terminated) or ends, bool(truncated), info

    def _judge(self, obs: Any, action: Any) -> Any:
        """Return success as version 2 has it; evaluating it changes nothing."""
        base: Any = self.unwrapped
        base.reward_function_version = "v2"
        try:
            return base.evaluate_state(obs, action)[1]["success"]
        finally:
            base.reward_function_version = self.reward_function_version


def make(task: str, **given: Any) -> Env:
    """Make one of Meta-World's environments.

    Args:
        task: For example ``"drawer-close-v3"``.
        given: Fields of :class:`Settings`, and how its camera is set.

    Raises:
        UnknownEnvError: Meta-World has no such task.
        UsageError: An argument is not known.
    """
    name = task.removeprefix(NAMESPACE)
    if name not in TASKS:
        raise UnknownEnvError(
            f"Meta-World has no task {name!r}.{did_you_mean(name, TASKS)}"
        )
    settings = Settings.of(given)
    kind, goals = _benchmark(name, settings.seed)
    base = kind(
        reward_function_version=settings.reward_function_version,
        render_mode=settings.render_mode,
        **settings.camera,
    )
    steps = settings.max_episode_steps or HORIZON
    spec = EnvSpec(
        f"{NAMESPACE}{name}",
        entry_point=f"{__name__}:make",
        max_episode_steps=steps,
        order_enforce=False,
        disable_env_checker=True,
        kwargs={"task": name, **given},
    )
    limited: Env = gym.wrappers.TimeLimit(base, steps)
    return MetaWorldEnv(limited, goals, settings, spec)


@lru_cache(maxsize=64)
def _benchmark(name: str, seed: int) -> tuple[Any, tuple[Any, ...]]:
    """Return a task's class and goals; drawing these takes half a second."""
    benchmark = import_module("metaworld").MT1(name, seed=seed)
    return benchmark.train_classes[name], tuple(benchmark.train_tasks)


def name_of(env: Env) -> str:
    """Return the name of an environment's task.

    Raises:
        UnknownEnvError: It is none of Meta-World's.
    """
    known = import_module("metaworld.env_dict").ALL_V3_ENVIRONMENTS
    for name, kind in known.items():
        if isinstance(env.unwrapped, kind):
            return str(name)
    raise UnknownEnvError(
        f"{type(env.unwrapped).__name__} is none of Meta-World's tasks."
    )
