"""One line that gives any environment a dense reward."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym

from reward_synth.envs import describe_any, resolve
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec
from reward_synth.wrappers import DenseReward


def make(env: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make an environment by any name that the command line takes.

    Args:
        env: A family, ``Family/Task``, a Gymnasium id, or ``module:Id``.
        kwargs: The environment's own arguments.

    Raises:
        UnknownEnvError: There is no such environment; the nearest names are given.
        NotAvailableError: It is not installed, or lacks something.

    Example:
        >>> make("Classic/CartPole-v1").spec.id
        'CartPole-v1'
    """
    return resolve(env, kwargs).make()


def wrap(
    env: gym.Env[Any, Any],
    reward: RewardProgram | RewardFunction | str | Path,
    combine: str = "add",
    *,
    task: TaskSpec | Mapping[str, Any] | str | Path | None = None,
    gamma: float | None = None,
    weight: float = 1.0,
) -> DenseReward:
    """Return ``env`` with a dense reward.

    Args:
        env: Any Gymnasium environment.
        reward: A reward program, its file, or a function
            ``(Transition) -> float | dict``.
        combine: ``add`` (to the environment's reward), ``replace`` (it), or
            ``potential`` (shaping that leaves optimal policies optimal; the program
            must define ``compute_potential``).
        task: What the reward's parameters mean: a description, its JSON data or its
            file. By default the environment is described anew, which resets it.
        gamma: The agent's discount, used by ``potential``; by default the task's.
        weight: Factor of the dense part under ``add`` and ``potential``.

    Raises:
        UsageError: ``env`` is no Gymnasium environment, or an argument does not fit.
        ProgramError: The program cannot be used with this environment.

    Example:
        >>> env = wrap(gym.make("MountainCarContinuous-v0"),
        ...            lambda t: {"speed": abs(float(t.after["velocity"]))})
        >>> _ = env.reset(seed=0)
        >>> sorted(env.step(env.action_space.sample())[4]["reward_components"])
        ['speed']
    """
    if not isinstance(env, gym.Env):
        raise UsageError(
            f"wrap takes a Gymnasium environment, received {type(env).__name__}. For "
            "vector environments wrap each one: make_vec_env(id, "
            "wrapper_class=reward_synth.wrap, wrapper_kwargs={'reward': ...})."
        )
    return DenseReward(env, reward, _task(env, task), combine, gamma, weight)


def _task(
    env: gym.Env[Any, Any], task: TaskSpec | Mapping[str, Any] | str | Path | None
) -> TaskSpec | Mapping[str, Any]:
    if task is None:
        return describe_any(env, rollouts=0)
    if isinstance(task, (str, Path)):
        return TaskSpec.load(task)
    return task
