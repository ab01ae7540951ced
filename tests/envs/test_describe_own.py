"""Descriptions of environments that nobody has seen before."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import TransformAction, TransformObservation

from reward_synth.envs import describe_env, resolve
from reward_synth.envs.rollouts import Env
from reward_synth.errors import TaskSpecError
from reward_synth.task import FieldReader, TaskSpec

OWN = "tests.envs.own_envs"


def _make(name: str) -> Env:
    return resolve(f"{OWN}:{name}").make()


def _describe(name: str, **options: object) -> TaskSpec:
    return describe_env(_make(name), max_steps=20, **options)  # type: ignore[arg-type]


def _text(task: TaskSpec) -> str:
    return " ".join(task.notes)


def test_grid_table_names_entries() -> None:
    """Rows of a reStructuredText table, also over two lines, become fields."""
    task = _describe("OwnReusedBuffer-v0")
    found = [(item.name, item.unit, item.source) for item in task.fields]
    assert found == [
        ("walker_x_position", "m", "obs[0]"),
        ("steps_number", "", "obs[1]"),
    ]


def test_what_the_environment_says() -> None:
    """Instruction, actions, bounds, horizon and success come from the environment."""
    task = _describe("OwnReusedBuffer-v0")
    assert task.instruction == "Walk to the right end. See the map."
    assert task.action.meaning == "0: step left; 1: step right."
    assert (task.action.low, task.action.high, task.action.dtype) == ((0,), (1,), "int")
    assert (task.fields[0].low, task.fields[0].high) == ((-10,), (100,))
    assert task.horizon == 20
    assert task.success is not None
    assert task.success.rule == "info.is_success"


def test_what_is_measured() -> None:
    """Ranges, sparseness and the end on success come from trying.

    Each episode starts at 0 and counts its steps; the reward is -1 or 0; only the goal
    at 3 terminates, so where it was reached its range ends there.
    """
    task = _describe("OwnReusedBuffer-v0", rollouts=5)
    position, steps = task.fields
    assert steps.seen_low == (0,)
    assert steps.seen_high == (20,)
    assert position.seen_high == (3,)
    assert task.sparse
    assert task.ends_on_success


def test_info_is_described_and_withheld() -> None:
    """Keys of info are listed, and none is a field unless it is allowed."""
    task = _describe("OwnReusedBuffer-v0")
    assert task.info_keys == ("is_success", "lamp", "who", "wind")
    assert not [item for item in task.fields if item.source.startswith("info")]


def test_allowed_info_is_a_field() -> None:
    """Allowed keys get shape, type, and whether reset delivers them, by looking."""
    task = _describe("OwnReusedBuffer-v0", allow_info=("wind", "lamp"))
    wind, lamp = task.field("wind"), task.field("lamp")
    assert (wind.shape, wind.dtype, wind.at_reset) == ((2,), "float", False)
    assert (lamp.shape, lamp.dtype, lamp.at_reset) == ((), "bool", True)
    assert wind.seen_low == (0.5, 1.5)
    assert "prev_lamp" in task.parameters
    assert "prev_wind" not in task.parameters


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("is_success", "holds the answer"),
        ("winds", "Did you mean 'wind'"),
        ("who", "not a number"),
    ],
)
def test_refused_info(key: str, message: str) -> None:
    """The answer, missing keys and texts cannot become fields."""
    with pytest.raises(TaskSpecError, match=message):
        _describe("OwnReusedBuffer-v0", allow_info=(key,))


def test_goal_environment() -> None:
    """Each numeric key of a Dict, nested ones by path, is a field; others are noted."""
    task = _describe("OwnGoal-v0", success="np.linalg.norm(achieved_goal) > 0.5")
    found = {item.name: (item.signature, item.source) for item in task.fields}
    assert found == {
        "achieved_goal": ("achieved_goal: float[2]", "obs.achieved_goal"),
        "desired_goal": ("desired_goal: float[2]", "obs.desired_goal"),
        "observation_arm": ("observation_arm: float[3]", "obs.observation.arm"),
        "observation_mode": ("observation_mode: int", "obs.observation.mode"),
        "observation_touch": ("observation_touch: bool[2]", "obs.observation.touch"),
    }
    assert task.field("observation_mode").low == (1,)
    assert task.field("observation_mode").high == (3,)
    assert "to be achieved" in task.field("desired_goal").meaning
    assert "obs.camera is left out: an image (8, 8, 3)" in _text(task)
    assert "obs.words is left out: a Text space" in _text(task)


def test_no_success_rule_is_explained() -> None:
    """Without a success rule the notes tell how to give one."""
    task = _describe("OwnGoal-v0")
    assert task.success is None
    assert '--success "position >= 0.45"' in _text(task)


def test_own_rule_wins_and_is_checked() -> None:
    """A rule of the user's beats info, and a rule over unknown fields is refused."""
    task = _describe("OwnReusedBuffer-v0", success="walker_x_position >= 2")
    assert task.success is not None
    assert task.success.rule == "walker_x_position >= 2"
    with pytest.raises(TaskSpecError, match="nowhere"):
        _describe("OwnReusedBuffer-v0", success="nowhere >= 2")


def test_success_that_does_not_end() -> None:
    """Success before the end of the episode is seen not to terminate it."""
    task = _describe("OwnReusedBuffer-v0", rollouts=5, success="walker_x_position >= 1")
    assert not task.ends_on_success


def test_success_key_that_comes_late() -> None:
    """A key that is not there on every step cannot be the rule, which the notes say."""
    task = _describe("OwnLateSuccess-v0", rollouts=5)
    assert task.success is None
    assert "'is_success' only on some steps" in _text(task)


def test_table_that_does_not_fit() -> None:
    """A table of another size is not guessed from: one field, and a note."""
    task = _describe("OwnLyingTable-v0")
    assert [item.signature for item in task.fields] == ["observation: float[2]"]
    assert "does not fit its 2 entries" in _text(task)


def test_changed_observation_loses_its_table() -> None:
    """A wrapper that changes the observation makes its table wrong, so it is unused."""
    env = _make("OwnReusedBuffer-v0")
    wrapped = TransformObservation(env, lambda obs: obs[::-1], env.observation_space)
    task = describe_env(wrapped, max_steps=20)
    assert [item.name for item in task.fields] == ["observation"]
    assert "TransformObservation changes the observation" in _text(task)


def test_nothing_usable() -> None:
    """An observation without numbers is refused, naming its space."""
    with pytest.raises(TaskSpecError, match=r"Text\("):
        _describe("OwnWords-v0")


def test_unusual_action() -> None:
    """An action without numbers is refused, naming its space."""
    env = _make("OwnReusedBuffer-v0")
    space: spaces.Space[Any] = spaces.Tuple([spaces.Discrete(2)])
    wrapped = TransformAction(env, lambda action: action[0], space)
    with pytest.raises(TaskSpecError, match="is a Tuple"):
        describe_env(wrapped)


def test_reader_accepts_the_description() -> None:
    """What was described from one instance is readable from another."""
    for name in ("OwnReusedBuffer-v0", "OwnGoal-v0", "OwnLyingTable-v0"):
        task, env = _describe(name), _make(name)
        obs, info = env.reset(seed=5)
        values = FieldReader(task, env).read(obs, info, reset=True)
        assert {n: v.shape[1:] for n, v in values.items()} == {
            item.name: item.shape for item in task.fields
        }


def test_same_seed_same_description() -> None:
    """The description is a function of the environment and the seed."""
    assert _describe("OwnGoal-v0", seed=3) == _describe("OwnGoal-v0", seed=3)
    assert _describe("OwnGoal-v0", seed=3) != _describe("OwnGoal-v0", seed=4)


def test_not_a_number_has_no_range() -> None:
    """A field that is nan in the rollouts gets no measured range."""
    env = _make("OwnReusedBuffer-v0")
    broken = TransformObservation(env, lambda obs: obs * np.nan, env.observation_space)
    task = describe_env(broken, max_steps=3)
    assert task.fields[0].seen_low == ()


def test_bare_instance_without_spec() -> None:
    """An environment that was never registered is described under its class's name."""

    class Nameless(gym.Wrapper[np.ndarray, int, np.ndarray, int]):
        spec = None

    task = describe_env(Nameless(_make("OwnReusedBuffer-v0")), max_steps=5)
    assert (task.id, task.horizon) == ("ReusedBuffer", None)
