"""Writes played episodes as a data set of Minari."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np

from reward_synth.envs import Policy, resolve
from reward_synth.envs.policies import make_policy
from reward_synth.envs.stored import FIELDS_NAMED, NO_SEED
from reward_synth.errors import MissingExtraError, UsageError
from reward_synth.export.chosen import Exported
from reward_synth.export.episodes import Episode, play, replayed, stacked
from reward_synth.reward import Rollout
from reward_synth.task import TaskSpec
from reward_synth.wrappers.arm import arm

Env: TypeAlias = gym.Env[Any, Any]
DEMONSTRATIONS = "demonstrations"
"""Name of the policy that is the family's own."""


def to_minari(
    source: Sequence[Rollout] | Env,
    dataset_id: str,
    task: TaskSpec,
    *,
    policy: str | Policy = "random",
    episodes: int = 10,
    seed: int = 0,
    max_steps: int | None = None,
    author: str | None = None,
) -> Any:
    """Write episodes as a Minari data set, and return it as Minari loads it.

    Rewards are the sparse ones. Of an environment with a dense reward, infos hold
    ``reward_components``, ``dense_reward`` and ``is_success``.

    Args:
        source: Rollouts, whose fields become the observations by name (NaN where a
            field is not known at reset); or an environment, which is played.
        dataset_id: For example ``car/held-v0``.
        task: The task of the rollouts.
        policy: ``random``, ``held``, or a function ``obs -> action``.
        episodes: How many are played.
        seed: Of the first episode; they count up.
        max_steps: Stop an episode after so many steps.
        author: Kept in the data set.

    Raises:
        MissingExtraError: Minari is not installed.
        UsageError: The name cannot be used, or is taken; or there are no episodes.

    Example:
        ``to_minari(gym.make("MountainCar-v0"), "car/held-v0", task, policy="held")``
    """
    minari = _minari(dataset_id)
    if isinstance(source, gym.Env):
        name, _ = make_policy(policy, source.action_space, seed=seed)
        limit = max_steps or task.horizon
        seeds = range(seed, seed + episodes)
        played = [play(source, policy, one, limit) for one in seeds]
        spaces = _env_spaces(source)
    else:
        name = ", ".join(dict.fromkeys(item.policy for item in source))
        played = [replayed(item, task) for item in source]
        spaces = _field_spaces(task, played)
    if not played:
        raise UsageError("There are no episodes to write; give at least one.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about what nobody gave
        dataset = minari.create_dataset_from_buffers(
            dataset_id,
            [_buffer(item) for item in played],
            algorithm_name=name,
            author=author,
            description=f"{task.id}: {task.instruction} Rewards are sparse.",
            **spaces,
        )
    named = not isinstance(source, gym.Env)
    about = {FIELDS_NAMED: named, "reward_synth_task": json.dumps(task.to_dict())}
    dataset.storage.update_metadata(about)
    return minari.load_dataset(dataset_id)


def export_minari(
    exported: Exported,
    dataset_id: str,
    policy: str = "held",
    *,
    episodes: int = 10,
    seed: int = 0,
) -> Any:
    """Play a run's task with its reward into a data set, and return it.

    Args:
        exported: The program.
        dataset_id: As for :func:`to_minari`.
        policy: Likewise; or ``demonstrations``, the family's own solutions.
        episodes: How many; of demonstrations all that there are.
        seed: Of the first episode.

    Raises:
        UsageError: The environment has no demonstrations.
    """
    setting, task = exported.setting, exported.task
    ref = resolve(setting.env, setting.env_kwargs)
    if policy == DEMONSTRATIONS:
        played = ref.demonstrate(task, seed)
        if not played:
            raise UsageError(
                f"{setting.env} has no demonstrations. Use --policy held or random."
            )
        return to_minari(played, dataset_id, task)
    env = arm(
        ref.make(),
        task,
        exported.program,
        combine=setting.combine,
        weight=setting.weight,
    )
    with closing(env):
        return to_minari(
            env, dataset_id, task, policy=policy, episodes=episodes, seed=seed
        )


def _field_spaces(
    task: TaskSpec, played: Sequence[Episode]
) -> dict[str, gym.spaces.Space[Any]]:
    """Return the spaces of a data set whose observations are fields by name."""
    named: dict[str, gym.spaces.Space[Any]] = {
        item.name: _box(item.shape, np.float64) for item in task.fields
    }
    actions = np.array([action for item in played for action in item.actions])
    space: gym.spaces.Space[Any] = _box(actions.shape[1:], actions.dtype)
    if task.action.dtype == "int" and not task.action.shape:
        known = max(task.action.high, default=0.0)
        count = int(max(known, actions.max(initial=0))) + 1
        space = gym.spaces.Discrete(count)
    return {"observation_space": gym.spaces.Dict(named), "action_space": space}


def _box(shape: tuple[int, ...], dtype: Any) -> gym.spaces.Box:
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return gym.spaces.Box(limits.min, limits.max, shape, dtype)
    return gym.spaces.Box(-np.inf, np.inf, shape, dtype)


def _minari(dataset_id: str) -> Any:
    """Import Minari with what its files need, and try the name.

    Raises:
        MissingExtraError: It is not installed, or what it writes with is not.
        UsageError: The name cannot be used, or is taken.
    """
    try:
        import_module("h5py")  # what Minari writes with
        import minari  # noqa: PLC0415 - an extra
        from minari.dataset.minari_dataset import (  # noqa: PLC0415 - likewise
            parse_dataset_id,
        )
        from minari.storage.datasets_root_dir import (  # noqa: PLC0415 - likewise
            get_dataset_path,
        )
    except ImportError as cause:
        raise MissingExtraError(cause.name or "minari", "data") from cause
    try:
        parse_dataset_id(dataset_id)
    except ValueError as cause:
        raise UsageError(
            f"Minari does not take the name {dataset_id!r}. Names are like "
            "car/held-v0: letters, digits, _ and -, with a version at the end."
        ) from cause
    if Path(get_dataset_path(dataset_id)).exists():
        raise UsageError(
            f"There is a Minari data set {dataset_id!r} already. Give another name or "
            f"version, or remove it: minari delete {dataset_id}"
        )
    return minari


def _buffer(item: Episode) -> Any:
    """Return Minari's episode; its own collector would need jax to stack steps."""
    from minari.data_collector import EpisodeBuffer  # noqa: PLC0415 - an extra

    return EpisodeBuffer(
        seed=None if item.seed == NO_SEED else item.seed,
        observations=stacked(item.observations),
        actions=stacked(item.actions),
        rewards=item.rewards,
        terminations=item.terminations,
        truncations=item.truncations,
        infos=stacked(item.infos) if item.infos else {},
    )


def _env_spaces(env: Env) -> dict[str, Any]:
    return {
        "observation_space": env.observation_space,
        "action_space": env.action_space,
        "env": env if _has_stored_form(env) else None,
    }


def _has_stored_form(env: Env) -> bool:
    """Return whether the environment can be told as JSON; a function cannot."""
    try:
        return env.spec is not None and bool(env.spec.to_json())
    except (TypeError, ValueError, UsageError):
        return False
