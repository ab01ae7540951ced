"""Meta-World's tasks, in its own simulator."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.envs import resolve
from reward_synth.envs.metaworld import make, task_spec
from reward_synth.envs.metaworld_tasks import MT10, TASKS, TEXT2REWARD
from reward_synth.language.success import SuccessTest
from reward_synth.task import FieldReader, Source, TaskSpec
from tests.envs.metaworld_play import base_of, close, play

pytest.importorskip("metaworld")
pytestmark = pytest.mark.filterwarnings("ignore:Constant")
"""Its policies warn that they ask for longer moves than are made."""
NAMED = tuple(dict.fromkeys((*MT10, *TEXT2REWARD)))
OTHERS = (
    "assembly-v3",
    "basketball-v3",
    "faucet-open-v3",
    "hammer-v3",
    "stick-pull-v3",
)
OFFSETS = {  # of the first object from a body, as Meta-World's source adds them
    "drawer-close-v3": ("drawer_link", (0.0, -0.16, 0.05)),
    "drawer-open-v3": ("drawer_link", (0.0, -0.16, 0.0)),
    "button-press-v3": ("button", (0.0, -0.193, 0.0)),
    "button-press-topdown-v3": ("button", (0.0, 0.0, 0.193)),
}


def _orders(matrix: Any) -> dict[str, Any]:
    """Return a rotation as quaternions in both orders."""
    import mujoco

    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.asarray(matrix).reshape(9))
    return {"(w, x, y, z)": quat, "(x, y, z, w)": np.roll(quat, -1)}


def test_table_has_the_benchmark() -> None:
    """The table has the 50 tasks of MT50, and the ten of MT10 are Meta-World's."""
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS, MT10_V3

    assert set(TASKS) == set(ALL_V3_ENVIRONMENTS)
    assert set(MT10) == set(MT10_V3)
    assert len(TASKS) == 50


@pytest.mark.parametrize("name", [*NAMED, *OTHERS])
def test_fields_and_rule_are_the_simulators(name: str) -> None:
    """In a scripted episode each field with a second place holds what that place holds,
    entries without a field never change but for the state one step before, the rule in
    words tells success at every step, and the reward is success."""
    env, task = make(name), task_spec(name)
    rule = SuccessTest(task.with_success(TASKS[name].rule))
    judged, every = FieldReader(task, env, rule.names), FieldReader(task, env)
    unread = _unread(task)
    idle, successes = set(), []
    for number, step in enumerate(play(env, name, seed=0)):
        obs, reward, terminated, truncated, info = step
        assert rule(judged.read(obs, info), info, reward) == info["success"] == reward
        assert not terminated
        assert not truncated
        idle.add(tuple(obs[unread]))
        successes.append(info["success"])
        if number % 10 == 0:
            _compare(task, env, every.read(obs, info), obs)
    assert any(successes)
    assert len(idle) == 1
    close(env)


def _compare(task: TaskSpec, env: gym.Env[Any, Any], values: Any, obs: Any) -> None:
    for item in task.fields:
        if item.check:
            place = Source.parse(item.check).bind(env)(obs, {})
            np.testing.assert_allclose(
                values[item.name][0], place, atol=1e-9, err_msg=item.name
            )


def _unread(task: TaskSpec) -> list[int]:
    """Return the entries of the state that no field reads."""
    read: set[int] = set()
    for item in task.fields:
        source = Source.parse(item.source)
        if source.kind == "obs":
            index = source.index
            assert index is not None
            read |= set(np.arange(39)[index].reshape(-1).tolist())
    return [index for index in range(18) if index not in read]


@pytest.mark.parametrize("name", OFFSETS)
def test_objects_with_an_offset(name: str) -> None:
    """Where Meta-World shifts a body's position, it is by what its source says."""
    env = make(name)
    body, offset = OFFSETS[name]
    for obs, *_ in play(env, name, seed=2, steps=20):
        place = base_of(env).data.body(body).xpos
        np.testing.assert_allclose(obs[4:7], place + offset, atol=1e-9)
    close(env)


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("door-open-v3", "geom", "handle"),
        ("pick-place-v3", "geom", "objGeom"),
        ("peg-insert-side-v3", "body", "peg"),
        ("peg-unplug-side-v3", "body", "plug1"),
        ("assembly-v3", "body", "RoundNut"),
    ],
)
def test_order_of_quaternions(name: str, kind: str, place: str) -> None:
    """The unit names the order in which the object's orientation is written: at the end
    of an episode that turned it, only that order fits (up to sign)."""
    env, task = make(name), task_spec(name)
    item = next(item for item in task.fields if item.name.endswith("_quat"))
    *_, last = play(env, name, seed=0)
    value = Source.parse(item.source).bind(env)(last[0], {})
    matrix = getattr(base_of(env).data, kind)(place).xmat
    fits = [
        order
        for order, quat in _orders(matrix).items()
        if abs(abs(quat @ value) - 1) < 1e-9
    ]
    assert [f"quaternion {order}" for order in fits] == [item.unit]
    close(env)


def test_reset_is_seeded() -> None:
    """A seed gives the same episode whatever was played before, and seeds differ."""
    env, other = make("push-v3"), make("push-v3")
    action = np.array([0.3, -0.2, 0.1, 0.5], np.float32)
    first, _ = env.reset(seed=5)
    path = [env.step(action)[0] for _ in range(5)]
    env.reset(seed=6)
    env.step(action)
    for again in (env, other):
        start, _ = again.reset(seed=5)
        np.testing.assert_array_equal(start, first)
        np.testing.assert_array_equal([again.step(action)[0] for _ in range(5)], path)
    goals = {tuple(env.reset(seed=seed)[0][36:39]) for seed in range(40)}
    assert len(goals) > 20
    follow = {tuple(env.reset()[0][36:39]) for _ in range(20)}
    assert len(follow) > 10


def test_goal_is_seen() -> None:
    """The goal is in the observation, and within the space that the environment gives."""
    env = make("reach-v3")
    for seed in range(10):
        obs, _ = env.reset(seed=seed)
        assert env.observation_space.contains(obs)
        np.testing.assert_array_equal(obs[36:39], base_of(env)._target_pos)


def test_spec_makes_the_environment_again() -> None:
    """Its spec can be pickled, and makes an environment with the same episodes."""
    ref = resolve("MetaWorld/reach-v3", {"max_episode_steps": 7, "seed": 3})
    env = pickle.loads(pickle.dumps(ref)).make()
    assert env.spec.max_episode_steps == 7
    again = gym.make(pickle.loads(pickle.dumps(env.spec)))
    np.testing.assert_array_equal(again.reset(seed=4)[0], env.reset(seed=4)[0])
    ends = [env.step(env.action_space.sample())[3] for _ in range(7)]
    assert ends == [False] * 6 + [True]


def test_runs_in_processes() -> None:
    """Worker processes make it from its name."""
    make_one = resolve("MetaWorld/reach-v3").make
    envs = gym.vector.AsyncVectorEnv([make_one, make_one], context="spawn")
    obs: Any = envs.reset(seed=[1, 2])[0]
    np.testing.assert_array_equal(obs[1], make_one().reset(seed=2)[0])
    envs.close()
