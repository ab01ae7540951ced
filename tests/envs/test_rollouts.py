"""Played and stored episodes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.envs import (
    collect,
    collect_many,
    describe_env,
    from_minari,
    load_rollouts,
    resolve,
    save_rollouts,
)
from reward_synth.envs.rollouts import Env
from reward_synth.errors import FieldMismatchError, UsageError
from reward_synth.reward import Rollout
from reward_synth.task import Field, TaskSpec

OWN = "tests.envs.own_envs:OwnReusedBuffer-v0"


@pytest.fixture
def env() -> Env:
    return resolve(OWN).make()


@pytest.fixture
def task(env: Env) -> TaskSpec:
    return describe_env(env, allow_info=("wind",))


def _right(obs: Any) -> int:
    return 1


def _same(first: Rollout, second: Rollout) -> None:
    for one, two in (
        (first.steps.before, second.steps.before),
        (first.steps.after, second.steps.after),
    ):
        assert one.keys() == two.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
    for name in ("action", "sparse", "terminated", "truncated", "valid"):
        one_array = getattr(first.steps, name)
        np.testing.assert_array_equal(one_array, getattr(second.steps, name))
    np.testing.assert_array_equal(first.success, second.success)


def test_reused_buffer_is_copied(env: Env, task: TaskSpec) -> None:
    """Each step keeps its own values though the environment overwrites its array."""
    steps = collect(env, task, policy=_right).steps
    assert steps.before["walker_x_position"].tolist() == [0, 1, 2]
    assert steps.after["walker_x_position"].tolist() == [1, 2, 3]


def test_stops_at_the_end(env: Env, task: TaskSpec) -> None:
    """An episode stops where it terminates, is truncated, or at max_steps."""
    reached = collect(env, task, policy=_right)
    assert reached.steps.terminated.tolist() == [False, False, True]
    assert reached.steps.sparse.tolist() == [-1, -1, 0]
    assert reached.success is not None
    assert reached.success.tolist() == [False, False, True]
    away = collect(env, task, policy=lambda obs: 0)
    assert len(away) == 20
    assert away.steps.truncated.tolist() == [False] * 19 + [True]
    assert len(collect(env, task, policy=lambda obs: 0, max_steps=4)) == 4


def test_before_holds_what_reset_delivers(env: Env, task: TaskSpec) -> None:
    """Fields that reset does not deliver have no value before the step."""
    steps = collect(env, task, max_steps=2).steps
    assert "wind" not in steps.before
    assert steps.after["wind"].shape == (2, 2)


def test_policy_sees_the_observation(env: Env, task: TaskSpec) -> None:
    """A scripted policy gets what reset and step return, and its name says so."""
    rollout = collect(env, task, policy=lambda obs: int(obs[1] % 2 == 0))
    assert rollout.policy == "scripted"
    assert rollout.steps.action[:4].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("policy", ["random", "held"])
def test_seeds(policy: str) -> None:
    """The same seed gives the same episode, another seed another."""
    task = describe_env(gym.make("Pendulum-v1"), rollouts=1, max_steps=9)
    first = collect(gym.make("Pendulum-v1"), task, policy=policy, seed=7)
    second = collect(gym.make("Pendulum-v1"), task, policy=policy, seed=7)
    _same(first, second)
    other = collect(gym.make("Pendulum-v1"), task, policy=policy, seed=8)
    assert not np.array_equal(first.steps.action, other.steps.action)


def test_held_actions_are_held_and_extreme() -> None:
    """Actions stay for 1 to 60 steps, and about half of them are at a bound."""
    task = describe_env(gym.make("Pendulum-v1"), rollouts=1, max_steps=9)
    played = collect_many(
        gym.make("Pendulum-v1"), task, policies=("held",), episodes=20
    )
    actions = np.concatenate([rollout.steps.action[:, 0] for rollout in played])
    changes = np.flatnonzero(np.diff(actions)) + 1
    kept = np.diff(changes)
    assert 20 < kept.mean() < 50  # 30.5, a little more where a bound is drawn again
    extreme = np.isclose(np.abs(actions), 2.0).mean()
    assert 0.3 < extreme < 0.7


def test_held_actions_find_what_random_ones_miss() -> None:
    """Only long pushes swing the mountain car up to the flag."""
    env = gym.make("MountainCarContinuous-v0")
    task = describe_env(env, rollouts=1, max_steps=9)
    played = collect_many(env, task, episodes=5)
    wins = dict.fromkeys(("random", "held"), 0)
    for rollout in played:
        wins[rollout.policy] += rollout.succeeded
    assert wins["random"] == 0
    assert wins["held"] > 0


def test_many_have_seeds_of_their_own(env: Env, task: TaskSpec) -> None:
    """No two episodes of a call share a seed."""
    played = collect_many(env, task, episodes=3, seed=10)
    assert [rollout.seed for rollout in played] == list(range(10, 16))
    assert [rollout.policy for rollout in played] == ["random"] * 3 + ["held"] * 3


def test_misuse(env: Env, task: TaskSpec) -> None:
    """Unknown policies and empty episodes are refused with what is possible."""
    with pytest.raises(UsageError, match="Did you mean 'random'"):
        collect(env, task, policy="randm")
    with pytest.raises(UsageError, match="at least 1, received 0"):
        collect(env, task, max_steps=0)


def test_saved_rollouts_come_back(env: Env, task: TaskSpec, tmp_path: Path) -> None:
    """What is saved is loaded unchanged, episode by episode."""
    played = collect_many(env, task, episodes=2)
    save_rollouts(tmp_path / "episodes.npz", played)
    loaded = load_rollouts(tmp_path / "episodes.npz", task)
    assert [(r.policy, r.seed) for r in loaded] == [(r.policy, r.seed) for r in played]
    for one, two in zip(played, loaded, strict=True):
        _same(one, two)


def test_file_holds_no_pickle(env: Env, task: TaskSpec, tmp_path: Path) -> None:
    """Every array of a file is readable without pickle, which could run code."""
    save_rollouts(tmp_path / "episodes.npz", collect_many(env, task, episodes=1))
    with np.load(tmp_path / "episodes.npz", allow_pickle=False) as file:
        assert all(file[key].dtype.kind in "biufU" for key in file.files)


def test_loading_checks_names_and_shapes(
    env: Env, task: TaskSpec, tmp_path: Path
) -> None:
    """A file for another task is refused, with the field that does not fit."""
    path = tmp_path / "episodes.npz"
    save_rollouts(path, collect_many(env, task, episodes=1))
    more = replace(task, fields=(*task.fields, Field("height", source="obs[0]")))
    with pytest.raises(
        FieldMismatchError, match=r"lacks after\.height, before\.height"
    ):
        load_rollouts(path, more)
    wide = Field("walker_x_position", (3,))
    with pytest.raises(FieldMismatchError, match=r"expected \(\d+, 3\)"):
        load_rollouts(path, replace(task, fields=(wide, *task.fields[1:])))


def test_unreadable_files(tmp_path: Path, task: TaskSpec) -> None:
    """Missing files, and files that are no archives, are reported with their path."""
    with pytest.raises(UsageError, match=r"missing\.npz"):
        load_rollouts(tmp_path / "missing.npz", task)
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(UsageError, match=r"text\.npz"):
        load_rollouts(tmp_path / "text.npz", task)


def test_nothing_to_save(tmp_path: Path) -> None:
    """An empty list is refused."""
    with pytest.raises(UsageError, match="at least one"):
        save_rollouts(tmp_path / "episodes.npz", [])


def test_minari_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Minari data set of played episodes gives back what was played."""
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    env = gym.make("MountainCar-v0")
    task = describe_env(env, rollouts=1, max_steps=9)
    played = [collect(env, task, policy="held", seed=seed) for seed in range(2)]
    buffers = [_buffer(minari, rollout) for rollout in played]
    minari.create_dataset_from_buffers("own/car-v0", buffers, env=env)
    loaded = from_minari("own/car-v0", task)
    assert [rollout.policy for rollout in loaded] == ["demonstration"] * 2
    for one, two in zip(played, loaded, strict=True):
        _same(one, two)


def _buffer(minari: Any, rollout: Rollout) -> Any:
    steps = rollout.steps
    rows = [
        np.stack(list(part.values()), axis=1) for part in (steps.before, steps.after)
    ]
    return minari.data_collector.EpisodeBuffer(
        observations=np.concatenate([rows[0][:1], rows[1]]).astype(np.float32),
        actions=steps.action,
        rewards=list(steps.sparse),
        terminations=list(steps.terminated),
        truncations=list(steps.truncated),
        infos={},
    )


@pytest.mark.parametrize(
    ("rule", "success"),
    [("info.found", [False, True]), ("x > 2", [False, True]), ("info.gone", None)],
)
def test_minari_success(rule: str, success: list[bool] | None) -> None:
    """Success is judged after each step, from what the data set holds, or not at all.

    Two steps: x goes 1, 2, 3; found goes False, False, True, reset included.
    """
    task = TaskSpec("T", "go", (Field("x", source="obs[0]"),), Field("action"))
    episode = SimpleNamespace(
        observations=np.array([[1.0], [2.0], [3.0]]),
        actions=np.zeros(2),
        rewards=np.zeros(2),
        terminations=np.zeros(2),
        truncations=np.zeros(2),
        infos={"found": np.array([False, False, True])},
    )
    dataset = SimpleNamespace(iterate_episodes=lambda: [_Sized(episode)])
    (rollout,) = from_minari(dataset, task.with_success(rule))
    found = None if rollout.success is None else rollout.success.tolist()
    assert found == success


class _Sized:
    """An episode with a length, as Minari's have."""

    def __init__(self, episode: SimpleNamespace) -> None:
        self.__dict__.update(vars(episode))

    def __len__(self) -> int:
        return len(self.__dict__["rewards"])


def test_minari_has_no_simulator() -> None:
    """Fields from the simulator are refused by name, unless they are left out."""
    task = describe_env(gym.make("Hopper-v5"), rollouts=1, max_steps=9)
    with pytest.raises(FieldMismatchError, match="torso_pos"):
        from_minari(object(), task)
