"""Gymnasium-Robotics' tasks, in their own simulators."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from reward_synth.agents.trial import TrialSpec
from reward_synth.envs import describe_any, resolve
from reward_synth.envs.robotics_tasks import TASKS, fields_of, known_of
from reward_synth.errors import UsageError
from reward_synth.language.success import SuccessTest
from reward_synth.task import FieldReader, Source, TaskSpec
from tests.envs.robotics_places import PLACES

pytest.importorskip("gymnasium_robotics")
DENSE = "AdroitHandDoorSparse-v1", "AdroitHandHammerSparse-v1"


def _steps(env: gym.Env[Any, Any], count: int = 20) -> Iterator[tuple[Any, ...]]:
    env.action_space.seed(0)
    env.reset(seed=1)
    for _ in range(count):
        yield env.step(env.action_space.sample())


@pytest.mark.parametrize("name", PLACES)
def test_fields_are_the_simulators(name: str) -> None:
    """Every field holds, over 20 random steps, what the simulator holds under the name
    of the joint, site or body that the table claims; and the rule in words is what the
    environment reports as success."""
    ref = resolve(name)
    task = ref.describe(rollouts=0)
    assert {item.name for item in task.fields} == PLACES[name].keys()
    env = ref.make()
    reader, base = FieldReader(task, env), env.unwrapped
    told = _told(task)
    for obs, reward, _, _, info in _steps(env):
        values = reader.read(obs, info)
        for field, place in PLACES[name].items():
            expected = np.reshape(place(base), -1)
            np.testing.assert_allclose(
                values[field].reshape(-1), expected, atol=1e-6, err_msg=field
            )
        if told:
            success = info.get("is_success", info.get("success"))
            assert told(values, info, float(reward)) == bool(success)
    env.close()  # type: ignore[no-untyped-call]


def _told(task: TaskSpec) -> SuccessTest | None:
    assert task.success is not None
    if "HandManipulate" in task.id:
        return None  # a turn between quaternions, in words
    return SuccessTest(task.with_success(task.success.words))


@pytest.mark.parametrize("name", PLACES)
def test_fields_hold_the_whole_observation(name: str) -> None:
    """No entry of the observation vector is lost or read twice."""
    found = []
    for item in fields_of(name):
        source = Source.parse(item.source)
        if source.kind == "obs" and source.path in ((), ("observation",)):
            assert source.index is not None
            found += np.arange(200)[source.index].reshape(-1).tolist()
    space: Any = resolve(name).make().observation_space
    vector: Any = space["observation"] if isinstance(space, gym.spaces.Dict) else space
    assert sorted(found) == list(range(vector.shape[0]))


@pytest.mark.parametrize("name", PLACES)
def test_arms_differ(name: str) -> None:
    """Without success the sparse arm pays one value, the expert arm many; and expert is
    what the id of the dense variant pays."""
    ref = resolve(name)
    task = replace(ref.describe(rollouts=0), sparse=True)
    spec = TrialSpec(ref, task, "sparse", steps=1, seed=0)
    sparse = [step for step in _steps(spec.build()) if not step[4]["is_success"]]
    assert len({step[1] for step in sparse}) == 1
    expert = [step[1] for step in _steps(replace(spec, arm="expert").build())]
    assert len(set(expert)) > 10
    dense = gym.make(_dense_id(name), disable_env_checker=True)
    assert [float(step[1]) for step in _steps(dense)] == pytest.approx(expert)


def _dense_id(name: str) -> str:
    stem, version = name.rsplit("-", 1)
    dense = stem.removesuffix("Sparse") if "Adroit" in stem else f"{stem}Dense"
    return f"{dense}-{version}"


def test_ids_are_registered() -> None:
    """Each listed task is registered, and all but the kitchen are described."""
    resolve("Robotics").make()
    assert set(TASKS) <= gym.registry.keys()
    assert [task for task in TASKS if known_of(task) is None] == ["FrankaKitchen-v1"]


def test_own_environments_are_described() -> None:
    """What the user made with gymnasium.make has the same fields, dense or not."""
    resolve("Robotics").make()
    task = describe_any(gym.make("FetchReachDense-v4"), rollouts=1, max_steps=9)
    assert [item.name for item in task.fields] == [
        item.name for item in fields_of("FetchReach-v4")
    ]
    assert not task.sparse


def test_touch_sensors_stay_a_vector() -> None:
    """A variant that observes more keeps the whole observation beside the named parts."""
    ref = resolve("Robotics/HandManipulateEgg_BooleanTouchSensors-v1")
    task = ref.describe(rollouts=0)
    assert task.field("object_pos").source == "obs.observation[54:57]"
    assert task.field("observation").shape == (153,)


def test_kitchen_has_no_expert() -> None:
    """What counts finished tasks has no dense reward to compare with."""
    with pytest.raises(UsageError, match="no dense reward"):
        resolve("FrankaKitchen-v1").expert()


@pytest.mark.parametrize("name", ["FetchPush-v4", "PointMaze_UMaze-v3"])
def test_reset_is_seeded(name: str) -> None:
    """A seed gives the same start whatever was played before, and goals differ."""
    env = resolve(name).make()
    first = env.reset(seed=3)[0]
    for _ in range(5):
        env.step(env.action_space.sample())
    goals = {tuple(env.reset(seed=seed)[0]["desired_goal"]) for seed in range(8)}
    assert len(goals) == 8
    again = env.reset(seed=3)[0]
    for key, value in first.items():
        np.testing.assert_array_equal(again[key], value)


def _towards_goal(obs: Any) -> Any:
    """Push the ball along the maze's only corridor, a U around the wall at x <= 0.5."""
    x, y = obs["achieved_goal"]
    goal = obs["desired_goal"]
    if (y > 0) == (goal[1] > 0) and abs(y - goal[1]) < 0.9:
        aim = goal
    elif x < 0.8:
        aim = np.array([1.1, y])
    else:
        aim = np.array([1.0, np.copysign(1.0, goal[1])])
    push = 4 * (aim - obs["achieved_goal"]) - obs["observation"][2:]
    return np.clip(push, -1, 1).astype(np.float32)


def _roll(ref_kwargs: dict[str, Any], steps: int) -> list[tuple[Any, ...]]:
    ref = resolve("PointMaze_UMaze-v3", ref_kwargs)
    env = ref.make()
    obs, _ = env.reset(seed=0)
    played = []
    for _ in range(steps):
        result = env.step(_towards_goal(obs))
        played.append(result)
        obs = result[0]
        if result[2]:
            break
    return played


def test_maze_success_is_reached_and_stays() -> None:
    """Success is reached, pays 1 at every step within 0.45 m, and ends nothing."""
    played = _roll({}, 300)
    wins = [info["success"] for *_, info in played]
    assert any(wins)
    assert wins == [step[1] == 1.0 for step in played]
    assert not any(terminated for _, _, terminated, _, _ in played)
    assert [truncated for _, _, _, truncated, _ in played] == [False] * 299 + [True]


def test_maze_may_end_on_success() -> None:
    """Without continuing_task the first success terminates, and the task says so."""
    played = _roll({"continuing_task": False}, 300)
    assert [step[2] for step in played] == [step[4]["success"] for step in played]
    assert played[-1][2]
    assert _described({"continuing_task": False}).ends_on_success
    assert not _described({}).ends_on_success


def _described(kwargs: dict[str, Any]) -> TaskSpec:
    return resolve("PointMaze_UMaze-v3", kwargs).describe(rollouts=0)


def test_maze_goal_may_move() -> None:
    """With reset_target the goal moves on at success, which is counted for the goal that
    was reached; the task says so."""
    played = _roll({"reset_target": True}, 300)
    wins = [step[4]["success"] for step in played]
    first = wins.index(True)
    goal = played[first][0]["desired_goal"]
    assert np.linalg.norm(played[first][0]["achieved_goal"] - goal) <= 0.45
    assert np.linalg.norm(played[first + 1][0]["desired_goal"] - goal) > 0.45
    assert any("moves on" in note for note in _described({"reset_target": True}).notes)


def test_maze_is_told() -> None:
    """The note's formula gives the middles of cells that the maze itself gives."""
    env: Any = resolve("AntMaze_UMaze-v5").make().unwrapped
    text = " ".join(resolve("AntMaze_UMaze-v5").describe(rollouts=0).notes)
    assert "11111 10001 11101 10001 11111" in text
    assert "x = (c + 0.5) * 4 - 10, y = 10 - (r + 0.5) * 4" in text
    place = env.maze.cell_rowcol_to_xy(np.array([1, 3]))
    np.testing.assert_allclose(place, [3.5 * 4 - 10, 10 - 1.5 * 4])


def test_thresholds_are_the_environments() -> None:
    """The words name the distances that the environment compares with."""
    pen: Any = resolve("HandManipulatePen-v1")
    words = pen.describe(rollouts=0).success.words
    base = pen.make().unwrapped
    assert f"within {base.distance_threshold:g} m" in words
    assert f"within {base.rotation_threshold:g} rad" in words
    assert base.ignore_z_target_rotation == ("about z does not count" in words)


@pytest.mark.parametrize("name", DENSE)
def test_wrong_sign_is_real(name: str) -> None:
    """The notes' warning holds: per metre further away the palm is paid 0.1 more."""
    import inspect

    source = inspect.getsource(type(resolve(name).make().unwrapped))
    assert "reward = 0.1 * np.linalg.norm(palm_pos - " in source
    notes = resolve(name).describe(rollouts=0).notes
    assert any("wrong sign" in note for note in notes)


def test_nothing_is_printed() -> None:
    """Making and describing one prints nothing, though the package would."""
    code = (
        "from reward_synth.envs import resolve;"
        "resolve('FetchReach').describe(rollouts=1, max_steps=3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
