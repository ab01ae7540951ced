"""One line that gives any environment a dense reward."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, overload

import gymnasium as gym

from reward_synth.combine import Combiner
from reward_synth.envs import describe_any, resolve
from reward_synth.errors import UsageError
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec, lanes_of
from reward_synth.wrappers import (
    BatchedDenseReward,
    DenseReward,
    Guard,
    VectorDenseReward,
)
from reward_synth.wrappers.sparse import as_task

_OF_VECTORS = ("num_envs", "batched", "vectorization_mode", "vector_kwargs", "wrappers")
"""What ``gym.make_vec`` adds to the arguments of an environment."""


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


@overload
def wrap(
    env: gym.Env[Any, Any],
    reward: RewardProgram | RewardFunction | str | Path,
    combine: str | Combiner = ...,
    *,
    task: TaskSpec | Mapping[str, Any] | str | Path | None = ...,
    gamma: float | None = ...,
    weight: float = ...,
    guard: Guard | None = ...,
) -> DenseReward: ...


@overload
def wrap(
    env: gym.vector.VectorEnv[Any, Any, Any],
    reward: RewardProgram | RewardFunction | str | Path,
    combine: str | Combiner = ...,
    *,
    task: TaskSpec | Mapping[str, Any] | str | Path | None = ...,
    gamma: float | None = ...,
    weight: float = ...,
    guard: Guard | None = ...,
) -> VectorDenseReward: ...


@overload
def wrap(
    env: Any,
    reward: RewardProgram | RewardFunction | str | Path,
    combine: str | Combiner = ...,
    *,
    task: TaskSpec | Mapping[str, Any] | str | Path | None = ...,
    gamma: float | None = ...,
    weight: float = ...,
    guard: Guard | None = ...,
) -> Any: ...


def wrap(
    env: Any,
    reward: RewardProgram | RewardFunction | str | Path,
    combine: str | Combiner = "add",
    *,
    task: TaskSpec | Mapping[str, Any] | str | Path | None = None,
    gamma: float | None = None,
    weight: float = 1.0,
    guard: Guard | None = None,
) -> Any:
    """Return ``env`` with a dense reward.

    Args:
        env: Any Gymnasium environment or vector environment, an environment that is a
            batch in itself, or a ``VecEnv`` of Stable-Baselines3.
        reward: A reward program, its file, or a function
            ``(Transition) -> float | dict``.
        combine: ``add`` (to the environment's reward), ``replace`` (it),
            ``potential`` (shaping that leaves optimal policies optimal; the program
            must define ``compute_potential``), another name that
            `reward_synth combiners` lists, or a :class:`~reward_synth.combine.Combiner`
            that acts on steps or episodes.
        task: What the reward's parameters mean: a description, its JSON data or its
            file. By default the environment, or one like those of the vector, is
            described anew, which resets it. Wrap before observations are normalised:
            programs read metres and radians.
        gamma: The agent's discount, used by ``potential``; by default the task's.
        weight: Factor of the dense part under ``add`` and ``potential``.
        guard: What is done about rewards that no learner survives; see
            :class:`~reward_synth.wrappers.Guard`.

    Returns:
        A :class:`~reward_synth.DenseReward`, a
        :class:`~reward_synth.wrappers.VectorDenseReward`, or a ``VecDenseReward``.

    Raises:
        UsageError: ``env`` is none of these, or an argument does not fit.
        ProgramError: The program cannot be used with this environment.

    Example:
        >>> env = wrap(gym.make("MountainCarContinuous-v0"),
        ...            lambda t: {"speed": abs(float(t.after["velocity"]))})
        >>> _ = env.reset(seed=0)
        >>> sorted(env.step(env.action_space.sample())[4]["reward_components"])
        ['speed']
    """
    twin = _twin(env)
    return twin(env, reward, _task(env, task), combine, gamma, weight, guard)


def _twin(env: Any) -> Callable[..., Any]:
    """Return the wrapper for what ``env`` is."""
    if isinstance(env, gym.Env):
        return DenseReward if lanes_of(env) == 1 else BatchedDenseReward
    if isinstance(env, gym.vector.VectorEnv):
        return VectorDenseReward
    module = sys.modules.get("stable_baselines3.common.vec_env")
    if module is not None and isinstance(env, module.VecEnv):
        twin: Callable[..., Any] = import_module(
            "reward_synth.wrappers.sb3"
        ).VecDenseReward
        return twin
    raise UsageError(
        f"wrap takes an environment of Gymnasium, a vector environment, or a VecEnv of "
        f"Stable-Baselines3; received {type(env).__name__}."
    )


def _task(env: Any, task: TaskSpec | Mapping[str, Any] | str | Path | None) -> TaskSpec:
    return _described(env) if task is None else as_task(task)


def _described(env: Any) -> TaskSpec:
    """Describe an environment, or the first one of a vector.

    Raises:
        UsageError: The vector's environments can be neither seen nor made.
    """
    if isinstance(env, gym.Env) and env.has_wrapper_attr("asked"):
        asked: TaskSpec = env.get_wrapper_attr("asked").task  # made by an id of ours
        return asked
    if isinstance(env, gym.Env) and lanes_of(env) == 1:
        return describe_any(env, rollouts=0)
    inner = getattr(env.unwrapped, "envs", None)
    if inner:
        return describe_any(inner[0], rollouts=0)
    batch = getattr(env, "_env", env.unwrapped)  # ManiSkill's vector holds one
    if isinstance(batch, gym.Env):
        return describe_any(batch, rollouts=0)
    spec = getattr(env, "spec", None)
    if spec is None:
        raise UsageError(
            f"The environments of {type(env).__name__} cannot be described one by one "
            "from here. Give task=..., for example the file that "
            "`reward_synth describe --env NAME --save FILE` writes."
        )
    own = {name: v for name, v in spec.kwargs.items() if name not in _OF_VECTORS}
    with closing(gym.make(spec.id, **own)) as one:
        return describe_any(one, rollouts=0)
