"""ManiSkill's tasks: made, described, and repeated exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.envs.maniskill import FAMILY, make, task_spec
from reward_synth.envs.maniskill_make import Env
from reward_synth.envs.maniskill_tasks import TASKS
from reward_synth.errors import NotAvailableError, UnknownEnvError, UsageError
from reward_synth.language.success import SuccessTest
from reward_synth.task import FieldReader, Source, TaskSpec

pytestmark = [
    pytest.mark.maniskill,
    pytest.mark.usefixtures("_installed"),
]


@pytest.fixture(scope="module")
def _installed() -> None:
    pytest.importorskip("mani_skill")


@pytest.fixture(params=TASKS, scope="module")
def by_name(request: pytest.FixtureRequest) -> Iterator[tuple[TaskSpec, Env]]:
    """A task, and its environment with an observation by name."""
    env = make(request.param, obs_mode="state_dict", exact_reset=True)
    yield task_spec(request.param, env), env
    env.close()  # type: ignore[no-untyped-call]


def _walk(env: Env, seed: int, steps: int) -> Iterator[tuple[Any, float, bool, Any]]:
    """Reset, then act at random; yield observation, reward, success and info."""
    env.action_space.seed(seed)
    obs, info = env.reset(seed=seed)
    yield obs, 0.0, False, info
    for _ in range(steps):
        obs, reward, terminated, _, info = env.step(env.action_space.sample())
        yield obs, float(reward), terminated, info


def _flat(obs: Any) -> Any:
    if isinstance(obs, dict):
        return np.concatenate([_flat(value) for value in obs.values()])
    return np.ravel(obs)


def test_fields_equal_the_observation(by_name: tuple[TaskSpec, Env]) -> None:
    """Every field can be read at each of 20 random steps, and equals its check."""
    task, env = by_name
    reader = FieldReader(task, env)
    for index, (obs, _, _, info) in enumerate(_walk(env, 3, 20)):
        values = reader.read(obs, info, reset=index == 0)
        assert list(values) == [item.name for item in task.fields]
        for item in task.fields:
            assert np.isfinite(values[item.name]).all()
            if item.check:
                seen = np.ravel(Source.parse(item.check).bind(env)(obs, info))
                np.testing.assert_allclose(np.ravel(values[item.name]), seen, atol=1e-5)


def test_train_only_fields_are_not_in_the_observation(
    by_name: tuple[TaskSpec, Env],
) -> None:
    """No stretch of the observation moves as a train_only field does; all others have
    a check."""
    task, env = by_name
    reader = FieldReader(task, env)
    walked = [(_flat(o), reader.read(o, info)) for o, _, _, info in _walk(env, 4, 20)]
    seen = np.array([obs for obs, _ in walked], np.float64)
    for item in task.fields:
        assert item.train_only == (not item.check)
        rows = np.array([values[item.name].ravel() for _, values in walked], np.float64)
        if not item.train_only or (rows == rows[0]).all():
            continue  # a constant equals any other
        for start in range(seen.shape[1] - item.size + 1):
            assert not np.array_equal(seen[:, start : start + item.size], rows)


def test_table_agrees_with_the_environment(by_name: tuple[TaskSpec, Env]) -> None:
    """Horizon, action, step time and info keys of the table are the environment's."""
    task, env = by_name
    table = task_spec(task.id)
    assert table == task
    assert env.spec is not None
    assert table.horizon == env.spec.max_episode_steps
    assert table.dt == pytest.approx(env.unwrapped.control_timestep)  # type: ignore[attr-defined]
    assert table.action.shape == env.action_space.shape
    *_, (_, _, _, info) = _walk(env, 0, 1)
    assert set(table.info_keys) == set(info)


def test_success_rule_holds_when_the_episode_ends(
    by_name: tuple[TaskSpec, Env],
) -> None:
    """The rule can be judged at each step and agrees with `terminated`."""
    task, env = by_name
    rule = SuccessTest(task)
    for index, (_, reward, terminated, info) in enumerate(_walk(env, 1, 20)):
        if index:
            assert rule({}, info, reward) == terminated


def test_exact_reset_repeats(by_name: tuple[TaskSpec, Env]) -> None:
    """The same seed gives the same 20 observations, whatever was played before."""
    _, env = by_name
    first = [_flat(obs) for obs, *_ in _walk(env, 5, 20)]
    list(_walk(env, 6, 10))
    again = [_flat(obs) for obs, *_ in _walk(env, 5, 20)]
    np.testing.assert_array_equal(first, again)


def test_default_is_a_flat_vector_of_numbers() -> None:
    """Agents get a flat Box, a Python float or bool as reward, and Python bools."""
    env = make("PushCube-v1")
    obs, _ = env.reset(seed=0)
    assert env.observation_space.contains(obs)
    assert obs.shape == (35,)
    assert env.action_space.shape == (4,)
    _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
    assert isinstance(reward, (bool, float))
    assert isinstance(terminated, bool)
    assert isinstance(truncated, bool)
    env.close()  # type: ignore[no-untyped-call]


def test_spec_makes_the_environment_again() -> None:
    """`gym.make(env.spec)` builds the same environment, and it ends at the horizon."""
    env = make("PullCube-v1", control_mode="pd_joint_delta_pos", max_episode_steps=7)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert again.spec is not None
    assert again.spec.max_episode_steps == 7
    assert again.action_space == env.action_space
    again.reset(seed=0)
    rest = [again.step(np.zeros(8, np.float32))[2:4] for _ in range(7)]
    assert rest == [(False, False)] * 6 + [(False, True)]
    for item in (env, again):
        item.close()  # type: ignore[no-untyped-call]


def test_termination_can_be_ignored() -> None:
    """Success ends an episode, unless terminations are ignored.

    With seed 8 the goal of PickCube lies where the cube lies, so waiting succeeds.
    """
    ended = []
    for ignore in (False, True):
        env = make("PickCube-v1", ignore_terminations=ignore)
        assert task_spec("PickCube-v1", env).ends_on_success is not ignore
        env.reset(seed=8)
        waited = [env.step(np.array([0, 0, 0, 1], np.float32)) for _ in range(3)]
        assert any(info["success"] for *_, info in waited)
        ended.append(any(terminated for _, _, terminated, _, _ in waited))
        env.close()  # type: ignore[no-untyped-call]
    assert ended == [True, False]


def test_pokecube_goal_is_not_the_peg() -> None:
    """PokeCube's goal_pos is the goal region, which ManiSkill's goal_pos is not."""
    env = make("PokeCube-v1", obs_mode="state_dict")
    task = task_spec("PokeCube-v1", env)
    obs, info = env.reset(seed=0)
    fields = FieldReader(task, env).read(obs, info, reset=True)
    extra = obs["extra"]
    goal = extra["cube_pose"][:3] + extra["cube_to_goal_pos"]
    np.testing.assert_allclose(fields["goal_pos"][0], goal, atol=1e-6)
    np.testing.assert_allclose(extra["goal_pos"], extra["peg_pose"][:3], atol=1e-6)
    env.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("obs_mode", ["state", "state_dict"])
def test_described_fields_are_those_of_the_table(obs_mode: str) -> None:
    """Describing adds ranges and allowed info, in any observation mode."""
    env = make("PokeCube-v1", obs_mode=obs_mode)
    task = FAMILY.describe(
        env, name="x", rollouts=1, max_steps=5, allow_info=("angle_diff",)
    )
    table = task_spec("PokeCube-v1", env)
    names = [item.name for item in table.fields]
    assert [item.name for item in task.fields] == [*names, "angle_diff"]
    assert all(item.seen_low for item in task.fields)
    assert task.success == table.success
    assert (task.id, task.gamma, task.sparse, task.horizon) == ("x", 0.8, True, 50)
    env.close()  # type: ignore[no-untyped-call]


def test_dense_reward_is_not_sparse() -> None:
    """ManiSkill's own dense reward can be had, and the description says so."""
    env = make("PickCube-v1", reward_mode="normalized_dense")
    env.reset(seed=0)
    reward = float(env.step(env.action_space.sample())[1])
    assert 0.0 < reward < 1.0
    assert not task_spec("PickCube-v1", env).sparse
    env.close()  # type: ignore[no-untyped-call]


def test_unlisted_task_works() -> None:
    """A task outside the table is made and described from what it says itself."""
    env = make("PlaceSphere-v1")
    task = FAMILY.describe(env, rollouts=1, max_steps=3)
    assert task.instruction == "Place the sphere into the shallow bin."
    assert task.success is not None
    assert task.success.rule == "info.success"
    env.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"task": "PickCub-v1"}, UnknownEnvError, "Did you mean 'PickCube-v1'"),
        (
            {"task": "PlugCharger-v1", "reward_mode": "dense"},
            UsageError,
            "no reward_mode 'dense'; it has none, sparse",
        ),
        ({"control_mode": "fly"}, UsageError, "pd_ee_delta_pos"),
        ({"obs_mode": "smell"}, UsageError, "smell"),
        ({"colour": "red"}, UsageError, "colour"),
    ],
)
def test_misuse_is_explained(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    """An unknown task, mode or argument is named, with what there is."""
    with pytest.raises(error, match=words):
        make(**arguments)


def test_missing_asset_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    """A task with assets to download says in one line which and how; it never asks."""
    from mani_skill.utils import assets

    if assets.is_data_source_downloaded("ycb"):
        pytest.skip("the asset is here")
    with pytest.raises(NotAvailableError) as caught:
        make("PickSingleYCB-v1")
    assert str(caught.value) == (
        "ManiSkill/PickSingleYCB-v1 needs the asset ycb, which is not on this machine. "
        "Get it with: python -m mani_skill.utils.download_asset PickSingleYCB-v1"
    )
    assert capfd.readouterr() == ("", "")


def test_unknown_description_lists_the_table() -> None:
    """Only tasks of the table have a description without an environment."""
    with pytest.raises(UnknownEnvError, match=r"It has PickCube-v1, PushCube-v1"):
        task_spec("PlaceSphere-v1")


def test_a_wrapped_task_suits_learners_and_can_be_made_again() -> None:
    """Stable-Baselines3's checker passes, and the spec's JSON gives the same rewards."""
    import gymnasium as gym
    from stable_baselines3.common.env_checker import check_env

    import reward_synth

    source = "def compute_reward(tcp_pos, cube_pos):\n    d = np.linalg.norm(tcp_pos - cube_pos)\n    return {'near': -d}\n"
    env = reward_synth.wrap(reward_synth.make("ManiSkill/PullCube-v1"), source)
    check_env(env)
    assert env.spec is not None
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    rewards = []
    for item in (env, again):
        item.reset(seed=5, options={"reconfigure": True})
        rewards.append([item.step(np.zeros(4, np.float32))[1] for _ in range(3)])
        item.close()
    assert rewards[0] == rewards[1]


def test_an_environment_that_the_user_made_is_described_too() -> None:
    """wrap takes ManiSkill's own batched environment of one, tensors and all."""
    import gymnasium as gym

    import reward_synth
    from reward_synth.envs.maniskill_render import load_simulator, rendering

    load_simulator(rendering())
    raw = gym.make(
        "PushCube-v1",
        obs_mode="state",
        reward_mode="sparse",
        sim_backend="physx_cpu",
        render_backend="none",
    )
    env = reward_synth.wrap(
        raw, lambda t: float(np.linalg.norm(t.after["tcp_pos"] - t.after["cube_pos"]))
    )
    env.reset(seed=0)
    _, reward, _, _, info = env.step(env.action_space.sample())
    assert type(reward) is float
    assert reward == info["reward_components"]["reward"] > 0.0
    env.close()
