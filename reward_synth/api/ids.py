"""Makes what the ids ``reward_synth/<Task>`` name."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from reward_synth.combine import Combiner
from reward_synth.envs import resolve
from reward_synth.errors import UsageError
from reward_synth.ids import id_of
from reward_synth.program import RewardProgram
from reward_synth.reward import RewardFunction
from reward_synth.task import TaskSpec, lanes_of
from reward_synth.wrappers.arm import arm
from reward_synth.wrappers.sources import as_reward
from reward_synth.wrappers.sparse import as_task

Env: TypeAlias = gym.Env[Any, Any]
Task: TypeAlias = TaskSpec | Mapping[str, Any] | str | Path
Reward: TypeAlias = RewardProgram | RewardFunction | str | Path


@dataclass(frozen=True, slots=True)
class Asked:
    """What the keywords of ``gym.make`` ask for."""

    task: TaskSpec
    reward: RewardProgram | RewardFunction | None
    combine: str | Combiner
    gamma: float | None
    weight: float

    def resolved(self) -> dict[str, Any]:
        """Return the keywords that need no file any more."""
        given: dict[str, Any] = {"task": self.task.to_dict()}
        if isinstance(self.reward, RewardProgram):
            return {**given, "reward": self.reward.to_text()}
        return given if self.reward is None else {**given, "reward": self.reward}


class MadeTask(gym.Wrapper[Any, Any, Any, Any]):
    """An environment that an id made, before it is given its reward."""

    def __init__(self, env: Env, asked: Asked) -> None:
        super().__init__(env)
        self.asked = asked
        inner = env.spec
        self.limit = inner.max_episode_steps if inner is not None else None

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]  # as Gymnasium's own
        """The id's own specification: what lies inside is part of the id."""
        found = deepcopy(self.unwrapped.spec)
        if found is not None:
            found.max_episode_steps = self.limit
            found.additional_wrappers = ()
        return found


def make_task(
    env_name: str,
    *,
    reward: Reward | None = None,
    combine: str | Combiner = "add",
    gamma: float | None = None,
    weight: float = 1.0,
    task: Task | None = None,
    success: str | None = None,
    **env_kwargs: Any,
) -> MadeTask:
    """Make the environment of an id; Gymnasium calls it.

    Args:
        env_name: The environment, as the command line takes it.
        reward: As for :func:`reward_synth.wrap`; None: success alone is paid.
        combine: Likewise.
        gamma: Likewise.
        weight: Likewise.
        task: Its description; by default the environment is described anew.
        success: Another success rule than the task's.
        env_kwargs: The environment's own arguments.

    Raises:
        UsageError: An argument does not fit; the message names the fix.

    Example:
        >>> make_task("MountainCarContinuous-v0").asked.task.success.rule
        'position >= 0.45'
    """
    if reward is None and (combine, gamma, weight) != ("add", None, 1.0):
        raise UsageError(
            "combine, gamma and weight say how a dense reward is added, and there is "
            "none. Give reward='reward.py' too, or leave them out."
        )
    ref = resolve(env_name, env_kwargs)
    given = None if reward is None else as_reward(reward)  # before a simulator starts
    env = ref.make()
    if lanes_of(env) > 1:
        raise UsageError(
            f"{id_of(env_name)} makes one environment, not a batch. Use "
            f"gym.make_vec({id_of(env_name)!r}, num_envs=...), or "
            f"reward_synth.wrap(reward_synth.make({env_name!r}, num_envs=...), ...)."
        )
    if task is None:
        about = ref.adapter().describe(env, name=ref.name, rollouts=0, success=success)
    else:
        about = as_task(task)
        about = about.with_success(success) if success is not None else about
    return MadeTask(env, Asked(about, given, combine, gamma, weight))


class RewardArm(gym.Wrapper[Any, Any, Any, Any]):
    """Gives the environment of an id its reward, inside of which limits of time lie.

    Its spec holds the program's text and the task, so it can be made again anywhere.

    Args:
        env: What :func:`make_task` made, wrapped or not.

    Raises:
        UsageError: ``env`` was made otherwise, or ends earlier than was asked for.
    """

    def __init__(self, env: Env) -> None:
        if not env.has_wrapper_attr("asked"):
            raise UsageError(
                "RewardArm belongs to the ids reward_synth/<Task>. Use "
                "reward_synth.wrap(env, reward) for other environments."
            )
        self._bare = env
        asked: Asked = env.get_wrapper_attr("asked")
        _check_limit(env)
        super().__init__(
            arm(
                env,
                asked.task,
                asked.reward,
                asked.combine,
                asked.gamma,
                asked.weight,
            )
        )
        self.asked = asked

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]  # as Gymnasium's own
        """The id, and as keywords everything that it was made of."""
        found = deepcopy(self._bare.spec)
        if found is None:
            return None
        given = {k: v for k, v in found.kwargs.items() if k != "success"}
        found.kwargs = {**given, **self.asked.resolved()}
        found.additional_wrappers += (self.wrapper_spec(),)
        return found if _is_plain(self.asked) else _Unstorable.of(found)


def _is_plain(asked: Asked) -> bool:
    return asked.reward is None or isinstance(asked.reward, RewardProgram)


def _check_limit(env: Env) -> None:
    """Refuse a limit that the environment's own one would cut short."""
    own = env.get_wrapper_attr("limit")
    asked = env.spec.max_episode_steps if env.spec is not None else None
    if own is not None and asked is not None and asked > own:
        name = env.get_wrapper_attr("asked").task.id
        raise UsageError(
            f"max_episode_steps={asked} is more than the {own} of {name}, which ends "
            f"its episodes itself. Give at most {own}, or wrap a longer one: "
            f"reward_synth.wrap(reward_synth.make({name!r}, max_episode_steps={asked}), "
            "reward)."
        )


class _Unstorable(EnvSpec):
    """A specification that holds a function: good in this process only."""

    @classmethod
    def of(cls, spec: EnvSpec) -> _Unstorable:
        return cls(**{f.name: getattr(spec, f.name) for f in fields(spec) if f.init})

    def to_json(self) -> str:
        """Refuse, and say what can be stored."""
        raise UsageError(
            f"The reward of {self.id} is the function {self.kwargs.get('reward')!r}, "
            "which has no JSON form. Write it as a reward program and give its text or "
            "its file, reward='reward.py'."
        )
